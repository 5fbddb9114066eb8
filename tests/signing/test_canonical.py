# SPDX-License-Identifier: Apache-2.0

"""Canonical JSON: the RFC 8785 examples that our profile allows, and everything it refuses."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InvalidInput
from app.signing.canonical import MAX_DEPTH, canonical_flat, canonical_json

EXACT = [
    (None, "null"),
    (True, "true"),
    ([], "[]"),
    ({}, "{}"),
    ((1, -2, 9007199254740991), "[1,-2,9007199254740991]"),
    ({"b": 1, "a": {"d": [], "c": ""}}, '{"a":{"c":"","d":[]},"b":1}'),
    ({"peach": 1, "Peach": 2, "1": 3, "": 4}, '{"":4,"1":3,"Peach":2,"peach":1}'),
    # RFC 8785 section 3.2.2.2: these escapes, lower-case hexadecimal, and nothing else escaped.
    ('\u20ac$\u000f\nA\'B"\\\\"/', '"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'),
    ("\b\t\n\f\r\x00\x1f\x7f\u2028\U0001f511", '"\\b\\t\\n\\f\\r\\u0000\\u001f\x7f\u2028\U0001f511"'),
]


@pytest.mark.parametrize(("value", "expected"), EXACT)
def test_one_value_has_this_spelling(value: object, expected: str) -> None:
    assert canonical_json(value).decode() == expected


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("nan"),
        1 << 53,
        -(1 << 53),
        {"é": 1},
        {1: 2},
        {None: 2},
        "\ud800",
        {"a": ["\udfff"]},
        b"bytes",
        {1, 2},
        object(),
    ],
)
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(InvalidInput):
        canonical_json(value)
    with pytest.raises(InvalidInput):
        canonical_json({"inside": [value]})


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 100_000])
def test_deep_nesting_is_refused_and_does_not_exhaust_the_stack(depth: int) -> None:
    value: object = 1
    for _ in range(depth):
        value = [value]
    with pytest.raises(InvalidInput, match="nested"):
        canonical_json(value)


texts = st.text(st.characters(exclude_categories=["Cs"]))
numbers = st.integers(-(1 << 53) + 1, (1 << 53) - 1)
keys = st.text(st.characters(max_codepoint=127))
values = st.recursive(
    st.none() | st.booleans() | numbers | texts, lambda inner: st.lists(inner) | st.dictionaries(keys, inner)
)


@given(values)
def test_it_reads_back_and_is_its_own_canonical_form(value: object) -> None:
    data = canonical_json(value)
    assert json.loads(data) == value
    assert canonical_json(json.loads(data)) == data


@given(st.dictionaries(keys, texts | numbers | st.none()))
def test_the_quick_way_for_flat_records_gives_the_same_bytes(record: dict[str, str | int | None]) -> None:
    assert canonical_flat(record) == canonical_json(record)


def test_the_quick_way_refuses_what_has_no_bytes() -> None:
    for value in ("\ud800", 1 << 53):
        with pytest.raises(InvalidInput):
            canonical_flat({"a": value})
