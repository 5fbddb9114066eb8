# SPDX-License-Identifier: Apache-2.0

"""The parts of ``cel.expr.CheckedExpr`` that we read, as protobuf messages built in Python.

Source: cel/expr/syntax.proto and cel/expr/checked.proto of the CEL specification (cel.dev), field numbers as published.
No package on PyPI ships just these. Map fields are declared as the repeated entries that they are on the wire; fields
that are left out here survive as unknown fields.
"""

from functools import cache
from typing import Any

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message, message_factory

_PACKAGE = "cel.expr"
_TYPE_URL = "type.googleapis.com/cel.expr.CheckedExpr"
_BOOL, _BYTES, _DOUBLE, _INT32, _INT64, _MESSAGE, _STRING, _UINT64 = 8, 12, 1, 5, 3, 11, 9, 4
_OPTIONAL, _REPEATED = 1, 3
_SCALARS = {
    "bool": _BOOL,
    "bytes": _BYTES,
    "double": _DOUBLE,
    "int32": _INT32,
    "int64": _INT64,
    "string": _STRING,
    "uint64": _UINT64,
}

# Message to its fields: name, number, type; ``*`` marks a repeated field, ``|`` a member of the message's one oneof.
_MESSAGES: dict[str, tuple[tuple[str, int, str], ...]] = {
    "Constant": (
        ("null_value", 1, "|int32"),
        ("bool_value", 2, "|bool"),
        ("int64_value", 3, "|int64"),
        ("uint64_value", 4, "|uint64"),
        ("double_value", 5, "|double"),
        ("string_value", 6, "|string"),
        ("bytes_value", 7, "|bytes"),
    ),
    "Ident": (("name", 1, "string"),),
    "Select": (("operand", 1, "Expr"), ("field", 2, "string"), ("test_only", 3, "bool")),
    "Call": (("target", 1, "Expr"), ("function", 2, "string"), ("args", 3, "*Expr")),
    "CreateList": (("elements", 1, "*Expr"),),
    "CreateStruct": (),
    "Comprehension": (
        ("iter_var", 1, "string"),
        ("iter_range", 2, "Expr"),
        ("accu_var", 3, "string"),
        ("accu_init", 4, "Expr"),
        ("loop_condition", 5, "Expr"),
        ("loop_step", 6, "Expr"),
        ("result", 7, "Expr"),
        ("iter_var2", 8, "string"),
    ),
    "Expr": (
        ("id", 2, "int64"),
        ("const_expr", 3, "|Constant"),
        ("ident_expr", 4, "|Ident"),
        ("select_expr", 5, "|Select"),
        ("call_expr", 6, "|Call"),
        ("list_expr", 7, "|CreateList"),
        ("struct_expr", 8, "|CreateStruct"),
        ("comprehension_expr", 9, "|Comprehension"),
    ),
    "Reference": (("name", 1, "string"), ("overload_id", 3, "*string")),
    "ReferenceEntry": (("key", 1, "int64"), ("value", 2, "Reference")),
    "PositionEntry": (("key", 1, "int64"), ("value", 2, "int32")),
    "SourceInfo": (("positions", 4, "*PositionEntry"),),
    "CheckedExpr": (("reference_map", 2, "*ReferenceEntry"), ("expr", 4, "Expr"), ("source_info", 5, "SourceInfo")),
}


class TooDeep(Exception):
    """The tree is nested deeper than protobuf reads."""


@cache
def _checked_expr_class() -> Any:  # noqa: ANN401
    file = descriptor_pb2.FileDescriptorProto(name="proofroom/cel_expr.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in _MESSAGES.items():
        _declare(file.message_type.add(name=name), fields)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.CheckedExpr"))


def _declare(declared: descriptor_pb2.DescriptorProto, fields: tuple[tuple[str, int, str], ...]) -> None:
    if any(kind.startswith("|") for _, _, kind in fields):
        declared.oneof_decl.add(name="kind")
    for name, number, kind in fields:
        plain = kind.lstrip("|*")
        field = declared.field.add(
            name=name,
            number=number,
            type=_SCALARS.get(plain, _MESSAGE),
            label=_REPEATED if kind.startswith("*") else _OPTIONAL,
        )
        if plain not in _SCALARS:
            field.type_name = f".{_PACKAGE}.{plain}"
        if kind.startswith("|"):
            field.oneof_index = 0


def parse_checked(serialized: bytes) -> Any:  # noqa: ANN401 - protobuf classes built at run time have no static type.
    """Return the ``CheckedExpr`` in what ``Expression.serialize()`` gives.

    Raises:
        TooDeep: the expression is nested deeper than protobuf reads (100 messages).
    """
    try:
        return _checked_expr_class().FromString(any_pb2.Any.FromString(serialized).value)
    except message.DecodeError as error:
        raise TooDeep from error


def program_of(checked: Any) -> bytes:  # noqa: ANN401
    """Return the expression for the interpreter, with ``has(x.y)`` spelled ``x.y != null``.

    A row always carries every field, and a missing one is null; CEL's own ``has`` on a map would ask for the key.
    """
    copy = type(checked)()
    copy.CopyFrom(checked)
    spare = max((entry.key for entry in copy.source_info.positions), default=0) + 1_000_000
    for number, node in enumerate(list(_presence_tests(copy.expr))):
        _rewrite(copy, node, spare + 2 * number)
    packed = any_pb2.Any(type_url=_TYPE_URL, value=copy.SerializeToString(deterministic=True))
    return bytes(packed.SerializeToString(deterministic=True))


def _presence_tests(node: Any) -> Any:  # noqa: ANN401
    match node.WhichOneof("kind"):
        case "select_expr":
            yield from _presence_tests(node.select_expr.operand)
            if node.select_expr.test_only:
                yield node
        case "call_expr":
            if node.call_expr.HasField("target"):
                yield from _presence_tests(node.call_expr.target)
            for argument in node.call_expr.args:
                yield from _presence_tests(argument)
        case "list_expr":
            for element in node.list_expr.elements:
                yield from _presence_tests(element)
        case "comprehension_expr":
            loop = node.comprehension_expr
            for part in (loop.iter_range, loop.accu_init, loop.loop_condition, loop.loop_step, loop.result):
                yield from _presence_tests(part)
        case _:  # Constants, identifiers and structs hold no presence test.
            return


def _rewrite(checked: Any, node: Any, spare: int) -> None:  # noqa: ANN401
    select = type(node)()
    select.CopyFrom(node)
    select.id = spare
    select.select_expr.test_only = False
    node.call_expr.function = "_!=_"
    node.call_expr.args.add().CopyFrom(select)
    null = node.call_expr.args.add(id=spare + 1)
    null.const_expr.null_value = 0
    reference = checked.reference_map.add(key=node.id)
    reference.value.overload_id.append("not_equals")
