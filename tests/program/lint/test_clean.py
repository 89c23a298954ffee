"""Valid programs have no errors, with text and without it."""

from hypothesis import given, settings

from program.strategies import programs
from setia.program.definition import Program
from setia.program.findings import has_errors
from setia.program.lint import compile_check, lint
from setia.program.yaml_text import load
from setia.program.yaml_writer import dump


@given(programs())
@settings(max_examples=50)
def test_generated_programs_have_no_errors(program: Program) -> None:
    assert not has_errors(compile_check(program))


@given(programs())
@settings(max_examples=30)
def test_a_program_without_text_gets_the_same_findings(program: Program) -> None:
    with_text = lint(load(dump(program)))
    without = compile_check(program)
    assert sorted((f.code, f.path, f.message) for f in with_text) == sorted(
        (f.code, f.path, f.message) for f in without
    )
    assert all(f.file == "program.yaml" and f.line > 0 and f.column > 0 for f in with_text)
    assert all(f.file == "" and f.line == 0 for f in without)
