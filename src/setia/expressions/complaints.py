"""The official checker's complaints, in words that help the person who wrote the expression."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable

from setia.expressions.environment import PACKAGE
from setia.expressions.errors import Issue
from setia.expressions.operations import CONTROL, OPERATIONS, spoken
from setia.expressions.schema import DYN, ListOf, MapOf, Message, Schema, Type
from setia.expressions.tokens import Tokens, line_and_column

_ERROR = re.compile(
    r"^(?:[A-Z_]+: )?ERROR: <input>:(-?\d+):(-?\d+): (.*?)(?=\n \| |\nERROR: <input>|\Z)", re.DOTALL | re.MULTILINE
)
_STATUS = re.compile(r"(?:^[A-Z_]+: )|(?: \[[A-Z_]+\]\s*\Z)")
_UNDECLARED = re.compile(r"undeclared reference to '(.*)' \(in container '.*'\)")
_FIELD = re.compile(r"undefined field '(.*)' not found in struct '(.*)'")
_OVERLOAD = re.compile(r"found no matching overload for '(.*?)' applied to '\((.*)\)'", re.DOTALL)
_SELECT = re.compile(r"expression of type '(.*)' cannot be the operand of a select operation")
_TYPE_NAMES = (
    ("google.protobuf.Timestamp", "timestamp"),
    ("google.protobuf.Duration", "duration"),
    ("null_type", "null"),
    ("double", "decimal"),
    (f"{PACKAGE}.", ""),
)
_MACROS = {
    "all": "list.all(x, condition)",
    "exists": "list.exists(x, condition)",
    "exists_one": "list.exists_one(x, condition)",
    "map": "list.map(x, value) or list.map(x, condition, value)",
    "filter": "list.filter(x, condition)",
    "has": "has(event.field)",
}
_FUNCTIONS = sorted({name for name in OPERATIONS if name[0] not in "_@-"} | set(_MACROS))
_WORDS = {"and": "&&", "or": "||", "not": "!", "is": "==", "AND": "&&", "OR": "||", "NOT": "!", "=": "==", "<>": "!="}
_QUOTES = "\u201c\u201d\u201e\u2018\u2019\u201a\u00ab\u00bb"
_EITHER_WAY = frozenset({"size", "matches"})
_PLAIN = _EITHER_WAY | {
    *("dyn", "int", "double", "string", "bool", "timestamp", "duration"),
    *("floor", "ceil", "round", "min", "max", "abs", "sum", "days_between"),
}
"""Functions written `name(x)`; all others are methods, `x.name()`, and those above are both."""
_ELSEWHERE = "the reference of expressions lists what there is"
_UNAVAILABLE = (
    ("the number is too large", "write a smaller number"),
    ("a map needs keys", 'write all keys alike, as in {"a": 1, "b": 2}'),
    ("same key twice", "remove one of them"),
    ("timestamp like", 'write timestamp("2026-01-31T18:00:00Z")'),
    ("moment in the calendar", "correct the day or the time"),
    ("duration like", 'write duration("36h")'),
    ("too long a time", "write a shorter time"),
    ("regular expression", 'correct the pattern, which is RE2\'s, such as "^A[0-9]+$"'),
    ("time zone", "write a name of the IANA database, such as Europe/Berlin"),
)
_TOO_DEEP = "the expression is nested too deeply: the checker follows 32 levels"


def issues_of(complaint: str, source: str, schema: Schema) -> list[Issue]:
    """The issues in the text of an error that the checker raised; at least one."""
    if "recursion" in complaint:
        return [
            Issue(1, 1, _TOO_DEEP, "split a long sum or a chain of brackets into parts", _STATUS.sub("", complaint))
        ]
    tokens = Tokens(source)
    found = [
        _issue(int(line), int(column), _STATUS.sub("", message), tokens, schema)
        for line, column, message in _ERROR.findall(complaint)
    ]
    if not found:
        plain = _STATUS.sub("", complaint)
        return [Issue(1, 1, plain, _ELSEWHERE, plain)]
    # An operand that is wrong makes what is done with it wrong too; only the first is worth telling.
    return [issue for issue in found if "*error*" not in issue.original] or found


def _issue(line: int, column: int, original: str, tokens: Tokens, schema: Schema) -> Issue:
    index = tokens.index_at(_offset(tokens.source, line, column))
    if match := _UNDECLARED.match(original):
        return _undeclared(match[1], original, tokens, index, schema, (line, column))
    message, hint = original, _ELSEWHERE
    if match := _FIELD.match(original):
        message, hint = _unknown_field(match[1], match[2].removeprefix(f"{PACKAGE}."), schema)
    elif match := _OVERLOAD.match(original):
        message, hint = _overload(match[1], _types(match[2]))
    elif match := _SELECT.match(original):
        message, hint = f"a value of type {_named(match[1])} has no fields", "leave out the dot and what follows it"
    elif original.startswith("Syntax error"):
        message, hint = _syntax(original, tokens, index)
    elif "cannot be the range of a comprehension" in original:
        message, hint = "this macro needs a list or a map to go through", "write a list before it, such as event.labels"
    elif original == "invalid int literal":
        message, hint = "the whole number does not fit 64 bits", "write it as a decimal: 1.0"
    elif original.startswith("reserved identifier: "):
        message = f"`{original.removeprefix('reserved identifier: ')}` is a word that CEL keeps for itself"
        hint = "use another name"
    elif "has() argument must be" in original:
        hint = f"write {_MACROS['has']}"
    return Issue(line, column, message, hint, original)


def _undeclared(name: str, original: str, tokens: Tokens, index: int, schema: Schema, place: tuple[int, int]) -> Issue:
    line, column = place
    if tokens.all[index].text == "(":
        function = tokens.all[max(index - 1, 0)]
        line, column = line_and_column(tokens.source, function.start)
        if name in _MACROS:
            return Issue(line, column, f"{name}() is used in another way", f"write {_MACROS[name]}", original)
        if name in OPERATIONS:
            is_method = index > 1 and tokens.all[index - 2].text == "."
            return Issue(line, column, *_call(name, _arguments(tokens, index), is_method=is_method), original)
        return Issue(line, column, f"there is no function {name}()", _nearest(name, _FUNCTIONS), original)
    if tokens.all[index].text == ".":
        line, column = line_and_column(tokens.source, tokens.all[tokens.name_start(index)].start)
    first = name.removeprefix(".").split(".")[0]
    hint = _nearest(first, schema.variables)
    return Issue(line, column, f"there is no variable `{first}` here", hint, original)


def _arguments(tokens: Tokens, index: int) -> int:
    """How many values stand between the bracket at `index` and the one that closes it, which the parser has seen."""
    place, commas, depth = index + 1, 0, 0
    while depth or tokens.all[place].text not in {")", "]", "}"}:
        text = tokens.all[place].text if tokens.all[place].kind == "sign" else ""
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(text, 0)
        commas += depth == 0 and text == ","
        place += 1
    is_empty = tokens.all[min(index + 1, len(tokens.all) - 1)].text == ")"
    return 0 if is_empty else commas + 1


def _call(name: str, given: int, *, is_method: bool) -> tuple[str, str]:
    """Message and hint for a function that exists, called with another number of values or written the other way."""
    counts = sorted({len(operation.parameters) for operation in OPERATIONS[name]})
    if is_method and name not in _PLAIN - _EITHER_WAY:
        # What stands before the dot is the first value, and is not counted by those who write it so.
        counts = [count - 1 for count in counts]
    elif is_method:
        return f"{name}() is no method", f"write {_written(name, counts[0], is_method=False)}"
    elif name not in _PLAIN:
        return f"{name}() is a method", f"write {_written(name, counts[0] - 1, is_method=True)}"
    takes = " or ".join(map(str, counts)) if any(counts) else "no"
    values = "value" if counts[-1] == 1 else "values"
    hint = f"write {' or '.join(_written(name, count, is_method=is_method) for count in counts)}"
    return f"{name}() takes {takes} {values} in its brackets, not {given}", hint


def _written(name: str, count: int, *, is_method: bool) -> str:
    return f"{'x.' if is_method else ''}{name}({', '.join(('a', 'b', 'c', 'd')[:count])})"


def unavailable(message: str) -> str:
    """What to do about something that CEL has and our expressions do not, or that can never have a value."""
    return next((hint for part, hint in _UNAVAILABLE if part in message), _ELSEWHERE)


def _unknown_field(field: str, message: str, schema: Schema) -> tuple[str, str]:
    known = schema.messages.get(message)
    return f"{message} has no field `{field}`", _nearest(field, known.fields if known else ())


def _nearest(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = difflib.get_close_matches(name, names, 3, 0.6)
    question = f"did you mean {' or '.join(near)}? " if near else ""
    return f"{question}available: {', '.join(names) or 'nothing'}"


def _overload(function: str, operands: list[str]) -> tuple[str, str]:
    if function == "_?_:_":
        if operands[0] not in {"bool", "dyn"}:
            return f"the condition before `?` must be bool, not {operands[0]}", "compare it with something"
        return f"both sides of `:` must have one type, not {' and '.join(operands[1:])}", _ALIKE
    message = f"`{spoken(function)}` is not defined for {' and '.join(operands)}"
    otherwise = _ALIKE
    if function in _FUNCTIONS:
        signatures = dict.fromkeys(" and ".join(operation.parameters) for operation in OPERATIONS.get(function, ()))
        otherwise = f"it takes {' or '.join(signatures) or _ELSEWHERE}"
    return message, next((hint for fits, hint in _HINTS if fits(function, frozenset(operands))), otherwise)


_ALIKE = "write values of types that go together; int(x), double(x) and string(x) convert"
# What helps with operands that do not fit, by function and types; the first that fits is given.
_HINTS: tuple[tuple[Callable[[str, frozenset[str]], bool], str], ...] = (
    (lambda function, _: function in CONTROL, "compare the value with something to get true or false"),
    (lambda _, types: "null" in types, "ask with has(...) whether a field is set"),
    (lambda function, types: function == "_%_" and "decimal" in types, "% needs whole numbers: write int(x) % 2"),
    (lambda function, types: function == "@in" and types == {"string"}, "write text.contains(part)"),
    (lambda _, types: types == {"timestamp", "string"}, 'write timestamp("2026-01-31T00:00:00Z") for a moment'),
    (
        lambda _, types: bool(types & {"timestamp", "duration"}) and bool(types & {"int", "decimal", "string"}),
        'write duration("36h") for a span of time',
    ),
    (
        lambda _, types: "string" in types and bool(types & {"int", "decimal"}),
        "write string(x) to make a text of a number, double(x) to make a number of a text",
    ),
    (lambda _, types: types == {"list(int)", "list(decimal)"}, "write 2.0 instead of 2"),
)


def _syntax(original: str, tokens: Tokens, index: int) -> tuple[str, str]:
    if "token recognition" in original and any(quote in tokens.source for quote in _QUOTES):
        return "a character that CEL does not know", 'write straight quotes: "text"'
    if "'<EOF>'" in original:
        return "the expression ends too early", "an operand, a quote or a closing bracket is missing"
    token, before = tokens.all[index].text, tokens.all[max(index - 1, 0)].text
    for word in (token, before, before + token):
        if word in _WORDS:
            return f"`{word}` is not an operator", f"write {_WORDS[word]}"
    return f"`{token}` is not expected here", "remove it, or join two parts with an operator such as && or =="


def _types(text: str) -> list[str]:
    """The operand types of a complaint: "string, list(int)" without the commas inside brackets."""
    parts, depth, start = [], 0, 0
    for at, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append(text[start:at])
            start = at + 1
    return [_named(part.strip()) for part in [*parts, text[start:]]]


def _named(type_: str) -> str:
    for theirs, ours in _TYPE_NAMES:
        type_ = type_.replace(theirs, ours)
    return type_


def _offset(source: str, line: int, column: int) -> int:
    """The offset in the whole text of a line and column from 1."""
    lines = source.split("\n")
    return sum(len(text) + 1 for text in lines[: line - 1]) + column - 1


def unexpected_type(expects: Type, found: Type) -> tuple[str, str]:
    """Message and hint for an expression whose result has another type than its place needs."""
    names = {"bool": "true or false", "int": "a number", "decimal": "a number", "string": "a text"}
    wanted = names.get(str(expects), str(expects))
    hint = {
        "a number": "write something that computes a number, such as event.total * 0.1",
        "a text": 'write string(x), or a text in quotes, such as "gold"',
        "true or false": "compare it with something",
    }.get(wanted, f"write something that gives {wanted}")
    kind = f"a value of type {found}" if not isinstance(found, Message | ListOf | MapOf) else f"{found}"
    assert found != DYN  # noqa: S101 - anything may come out of dyn, so it is never unexpected
    return f"{wanted} is needed here, not {kind}", hint
