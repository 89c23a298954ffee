"""What the official checker is told: our variables as protobuf messages, and our functions beside the standard ones."""

from __future__ import annotations

from functools import lru_cache
from itertools import product

from cel_expr_python import cel
from cel_expr_python.ext import ext_strings
from google.protobuf import descriptor_pb2, descriptor_pool, duration_pb2, struct_pb2, timestamp_pb2

from setia.expressions import schema as types
from setia.expressions.schema import ListOf, MapOf, Message, Schema, Type

PACKAGE = "setia"
"""The protobuf package of our messages; it must not reach a user's eyes."""

_Field = descriptor_pb2.FieldDescriptorProto
_WELL_KNOWN = (struct_pb2, timestamp_pb2, duration_pb2)
_FIELD_TYPES: dict[Type, tuple[_Field.Type.ValueType, str]] = {
    types.BOOL: (_Field.TYPE_BOOL, ""),
    types.INT: (_Field.TYPE_INT64, ""),
    types.DECIMAL: (_Field.TYPE_DOUBLE, ""),
    types.STRING: (_Field.TYPE_STRING, ""),
    types.TIMESTAMP: (_Field.TYPE_MESSAGE, ".google.protobuf.Timestamp"),
    types.DURATION: (_Field.TYPE_MESSAGE, ".google.protobuf.Duration"),
    # The checker takes a `Value` for dyn, wherever it stands.
    types.DYN: (_Field.TYPE_MESSAGE, ".google.protobuf.Value"),
}
_T = cel.Type
_CEL_TYPES: dict[Type, cel.Type] = {
    types.BOOL: _T.BOOL,
    types.INT: _T.INT,
    types.DECIMAL: _T.DOUBLE,
    types.STRING: _T.STRING,
    types.TIMESTAMP: _T.TIMESTAMP,
    types.DURATION: _T.DURATION,
    types.DYN: _T.DYN,
}


@lru_cache(maxsize=64)
def environment(schema: Schema) -> cel.Env:
    """The official compiler for expressions over this schema."""
    pool = descriptor_pool.DescriptorPool()
    for module in _WELL_KNOWN:
        pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
    file = descriptor_pb2.FileDescriptorProto(
        name="setia/expressions.proto",
        package=PACKAGE,
        syntax="proto3",
        dependency=[module.DESCRIPTOR.name for module in _WELL_KNOWN],
    )
    for message in schema.messages.values():
        _describe(message, file.message_type.add(name=message.name))
    pool.AddSerializedFile(file.SerializeToString())
    return cel.NewEnv(
        pool,
        variables={name: _cel_type(type_) for name, type_ in schema.variables.items()},
        extensions=[ext_strings.ExtStrings(), cel.CelExtension("setia", _declarations())],
    )


def _describe(message: Message, into: descriptor_pb2.DescriptorProto) -> None:
    # `fooBar` beside `foo_bar` would be refused for its JSON name, which nobody ever uses here.
    into.options.deprecated_legacy_json_field_conflicts = True
    for number, (name, type_) in enumerate(message.fields.items(), 1):
        field = into.field.add(name=name, number=number, label=_Field.LABEL_OPTIONAL)
        if isinstance(type_, ListOf):
            field.label = _Field.LABEL_REPEATED
            _set_type(field, type_.element)
        elif isinstance(type_, MapOf):
            entry_name = f"{''.join(part[:1].upper() + part[1:] for part in name.split('_'))}Entry"
            entry = into.nested_type.add(name=entry_name)
            entry.options.map_entry = True
            entry.field.add(name="key", number=1, label=_Field.LABEL_OPTIONAL, type=_Field.TYPE_STRING)
            value = entry.field.add(name="value", number=2, label=_Field.LABEL_OPTIONAL)
            _set_type(value, type_.value)
            field.label = _Field.LABEL_REPEATED
            field.type, field.type_name = _Field.TYPE_MESSAGE, f".{PACKAGE}.{message.name}.{entry_name}"
        else:
            _set_type(field, type_)


def _set_type(field: _Field, type_: Type) -> None:
    if isinstance(type_, Message):
        field.type, field.type_name = _Field.TYPE_MESSAGE, f".{PACKAGE}.{type_.name}"
        return
    # Protobuf has no list of lists and no map of lists: the inner one is checked while evaluating only.
    field.type, name = _FIELD_TYPES.get(type_, _FIELD_TYPES[types.DYN])
    if name:
        field.type_name = name


def _cel_type(type_: Type) -> cel.Type:
    if isinstance(type_, ListOf):
        return _T.List(_cel_type(type_.element))
    if isinstance(type_, MapOf):
        return _T.Map(_T.STRING, _cel_type(type_.value))
    if isinstance(type_, Message):
        return _T(f"{PACKAGE}.{type_.name}")
    return _CEL_TYPES[type_]


def _declarations() -> list[cel.FunctionDecl]:
    """Our functions, and the overloads that let whole numbers and decimals meet in one operation.

    Standard CEL refuses `event.total * 2`. Extensions may add overloads to the standard operators (the argument
    `functions` of `NewEnv` may not), and people who write `2` for `2.0` mean the same number.
    """
    numbers = (_T.INT, _T.DOUBLE)
    mixed = [(_T.INT, _T.DOUBLE), (_T.DOUBLE, _T.INT)]
    pairs = [(a, b, _T.INT if a is b is _T.INT else _T.DOUBLE) for a, b in product(numbers, numbers)]
    return [
        *(_function(f"_{sign}_", [(list(pair), _T.DOUBLE) for pair in mixed]) for sign in "+-*/"),
        *(
            _function(f"_{sign}_", [(list(pair), _T.BOOL) for pair in mixed])
            for sign in ("<", "<=", ">", ">=", "==", "!=")
        ),
        _function("@in", [([a, _T.List(b)], _T.BOOL) for a, b in mixed]),
        _function("_?_:_", [([_T.BOOL, a, b], _T.DOUBLE) for a, b in mixed]),
        *(_function(name, [([a], _T.INT) for a in numbers]) for name in ("floor", "ceil", "round")),
        *(_function(name, [([a, b], result) for a, b, result in pairs]) for name in ("min", "max")),
        _function("abs", [([a], a) for a in numbers]),
        _function("sum", [([_T.List(a)], a) for a in numbers]),
        _function("days_between", [([_T.TIMESTAMP, _T.TIMESTAMP], _T.INT)]),
    ]


def _function(name: str, signatures: list[tuple[list[cel.Type], cel.Type]]) -> cel.FunctionDecl:
    return cel.FunctionDecl(
        name,
        [
            cel.Overload(id=f"setia_{name}_{number}", return_type=result, parameters=parameters)
            for number, (parameters, result) in enumerate(signatures)
        ],
    )
