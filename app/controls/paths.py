# SPDX-License-Identifier: Apache-2.0

"""Follow a dotted path, such as ``approvals.decided_at``, through the row of a population.

Pure; the row structs are the only source. A path goes through structs and through lists of structs.
"""

import types
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec


class PathInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What stands at a path.

    Attributes:
        nullable: the value, or something on the way to it, may be missing.
        many: the path goes through or ends at a list, so it has any number of values.
        type: the innermost Python type.
    """

    nullable: bool
    many: bool
    type: Any


class UnknownPath(Exception):
    """No such path; ``word`` is the part that does not exist and ``known`` what could stand there."""

    def __init__(self, word: str, known: tuple[str, ...]) -> None:
        super().__init__(word)
        self.word = word
        self.known = known


def look_up(row: type[msgspec.Struct], path: str) -> PathInfo:
    """Return what stands at ``path``.

    Raises:
        UnknownPath: a part of the path does not exist.
    """
    here: Any = row
    nullable = many = False
    for word in path.split("."):
        known = fields(here)
        if word not in known:
            raise UnknownPath(word, tuple(known))
        here, maybe_null, is_list = unwrap(known[word])
        nullable, many = nullable or maybe_null, many or is_list
    return PathInfo(nullable=nullable, many=many, type=here)


@cache
def fields(kind: Any) -> dict[str, Any]:  # noqa: ANN401 - a type, as annotations give it
    """Return the fields of a struct type with their annotations; nothing for any other type.

    The dictionary is shared between callers: it must not be changed.
    """
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        return {}
    return {field.name: field.type for field in msgspec.structs.fields(kind)}


def unwrap(annotation: Any) -> tuple[Any, bool, bool]:  # noqa: ANN401 - a type, as annotations give it
    """Return the innermost type of an annotation, whether it may be null, and whether it is a list."""
    nullable = is_list = False
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in (Union, types.UnionType):
            nullable = True
            annotation = next(part for part in get_args(annotation) if part is not type(None))
        elif origin is list:
            is_list = True
            annotation = get_args(annotation)[0]
        else:
            return annotation, nullable, is_list
