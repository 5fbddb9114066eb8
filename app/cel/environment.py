# SPDX-License-Identifier: Apache-2.0

"""The environment Google's checker works in: our types, spelled as protobuf messages.

In: the type of a row and the parameters. Out: a ``cel.Env`` for type checking only. It must never be used to evaluate:
an unset protobuf timestamp compares as 1970.

A scalar that may be missing is a wrapper message (``google.protobuf.StringValue``), which CEL lets be null.
"""

from collections.abc import Mapping
from typing import Any

from cel_expr_python import cel
from google.protobuf import descriptor_pb2, descriptor_pool, duration_pb2, timestamp_pb2, wrappers_pb2

from app.cel.schema import Field, ListType, Parameter, ScalarType, Type, ViewType

PACKAGE = "row"
PARAMETERS = "p"
_PARAMETERS_MESSAGE = "Parameters"
_STRING, _INT64, _DOUBLE, _BOOL, _MESSAGE = 9, 3, 1, 8, 11
_OPTIONAL, _REPEATED = 1, 3
_PROTO = {
    ScalarType.BOOL: (_BOOL, "BoolValue"),
    ScalarType.INT: (_INT64, "Int64Value"),
    ScalarType.DOUBLE: (_DOUBLE, "DoubleValue"),
    ScalarType.STRING: (_STRING, "StringValue"),
    ScalarType.INSTANT: (_MESSAGE, "Timestamp"),
    ScalarType.SPAN: (_MESSAGE, "Duration"),
}
_CEL = {
    ScalarType.BOOL: cel.Type.BOOL,
    ScalarType.INT: cel.Type.INT,
    ScalarType.DOUBLE: cel.Type.DOUBLE,
    ScalarType.STRING: cel.Type.STRING,
    ScalarType.INSTANT: cel.Type.TIMESTAMP,
    ScalarType.SPAN: cel.Type.DURATION,
}


def checking_environment(row: ViewType, parameters: Mapping[str, Parameter]) -> Any:  # noqa: ANN401 - no stubs
    """Return an environment in which the row's fields and ``p`` are declared with their types."""
    views: dict[str, ViewType] = {}
    _collect(row, views)
    given = {name: Field(name, parameter.type, nullable=False) for name, parameter in parameters.items()}
    views[_PARAMETERS_MESSAGE] = ViewType(_PARAMETERS_MESSAGE, given, witness=None)
    pool = _pool(views)
    variables = {name: _variable(field) for name, field in row.fields.items()}
    variables[PARAMETERS] = cel.Type(f"{PACKAGE}.{_PARAMETERS_MESSAGE}")
    return cel.NewEnv(descriptor_pool=pool, variables=variables)


def _collect(view: ViewType, views: dict[str, ViewType]) -> None:
    for field in view.fields.values():
        inner = field.type.element if isinstance(field.type, ListType) else field.type
        if isinstance(inner, ViewType) and inner.name not in views:
            views[inner.name] = inner
            _collect(inner, views)


def _pool(views: Mapping[str, ViewType]) -> descriptor_pool.DescriptorPool:
    pool = descriptor_pool.DescriptorPool()
    file = descriptor_pb2.FileDescriptorProto(name="proofroom/row.proto", package=PACKAGE, syntax="proto3")
    for module in (timestamp_pb2, duration_pb2, wrappers_pb2):
        known = descriptor_pb2.FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(known)
        pool.Add(known)
        file.dependency.append(known.name)
    for name, view in views.items():
        message = file.message_type.add(name=name)
        for number, field in enumerate(view.fields.values(), start=1):
            _declare(message, number, field)
    pool.Add(file)
    return pool


def _declare(message: descriptor_pb2.DescriptorProto, number: int, field: Field) -> None:
    element: Type = field.type
    label = _OPTIONAL
    if isinstance(element, ListType):
        element, label = element.element, _REPEATED
    declared = message.field.add(name=field.name, number=number, label=label)
    match element:
        case ScalarType():
            declared.type, wrapper = _PROTO[element]
            if declared.type == _MESSAGE or (field.nullable and label == _OPTIONAL):
                declared.type = _MESSAGE
                declared.type_name = f".google.protobuf.{wrapper}"
        case ViewType():
            declared.type = _MESSAGE
            declared.type_name = f".{PACKAGE}.{element.name}"


def _variable(field: Field) -> Any:  # noqa: ANN401
    match field.type:
        case ScalarType():
            wrapped = field.nullable and _PROTO[field.type][0] != _MESSAGE
            return cel.Type(f"google.protobuf.{_PROTO[field.type][1]}") if wrapped else _CEL[field.type]
        case ViewType():
            return cel.Type(f"{PACKAGE}.{field.type.name}")
        case ListType():
            element = field.type.element
            inner = _CEL[element] if isinstance(element, ScalarType) else cel.Type(f"{PACKAGE}.{element.name}")
            return cel.Type.List(inner)
