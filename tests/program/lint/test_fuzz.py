"""Whatever the text: findings or success, never an exception."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from setia.program.lint import lint
from setia.program.templates import names, template_files
from setia.program.yaml_text import load, validate

TEMPLATES = [template_files(name)["program.yaml"] for name in names()]
PIECES = [
    "{",
    "}",
    "[",
    "]",
    ":",
    "'",
    '"',
    "\n",
    "\t",
    "&a ",
    "*a",
    "!x ",
    "|",
    ">",
    "#",
    "-",
    "? ",
    "%",
    "\\",
    "\x00",
    "1e9",
    "null",
    "\u2028",
    "é",
    "  ",
]


def assert_it_answers(text: str) -> None:
    for finding in lint(load(text)):
        assert finding.line >= 1
        assert finding.column >= 1
        assert finding.message
        assert finding.hint
        assert str(finding)


@given(st.text())
@example('"\\ud800"')
@example('"\\UFFFFFFFF"')
@example("%YAML 9.9\n---\na")
@example("%TAG ! tag:x,2000:\n---\n!a b")
@example("a: !<b> c")
@example("&a")
@example("*a")
@example("a: |99\n b")
@example("{" * 2000)
@example("- " * 2000)
@example("a: " + "'" * 999)
def test_any_text(text: str) -> None:
    assert_it_answers(text)


@given(st.lists(st.sampled_from([*PIECES, "program", "points", "campaigns", "a", "on", "when", " "]), max_size=40))
def test_any_mixture_of_yaml(pieces: list[str]) -> None:
    assert_it_answers("".join(pieces))


@given(st.data())
@settings(max_examples=60)
def test_any_change_of_a_template(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(TEMPLATES))
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        length = data.draw(st.integers(0, 12))
        text = text[:start] + data.draw(st.sampled_from(PIECES) | st.text(max_size=4)) + text[start + length :]
    assert_it_answers(text)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["program", "points", "campaigns", "tiers", "events", "data", "on", "earn", "multiply", "id", "a"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(_json)
def test_any_json(data: object) -> None:
    for finding in lint(validate(data)):
        assert finding.line == 0
        assert finding.hint
        assert str(finding)
