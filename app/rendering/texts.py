# SPDX-License-Identifier: Apache-2.0

"""Values as JSON text for people: a struct or plain value in, indented JSON out."""

import msgspec


def as_json(value: object) -> str:
    """Return a value as indented JSON; structs as objects, in the order of their fields."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
