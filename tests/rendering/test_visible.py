# SPDX-License-Identifier: Apache-2.0

"""Text that others wrote shows all of itself."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rendering.visible import clip, oneline, short, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("", ""),
        ("Björn Łukasz Ωμέγα Жанна", "Björn Łukasz Ωμέγα Жанна"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("no\u00a0break\u202fspaces", "no\u00a0break\u202fspaces"),
        ("invoice\u202egpj.exe", "invoice[U+202E]gpj.exe"),
        ("a\u2066b\u2069c", "a[U+2066]b[U+2069]c"),
        ("ze\u200bro\u200d\ufeff", "ze[U+200B]ro[U+200D][U+FEFF]"),
        ("bell\x07\x00\x1b[31m", "bell[U+0007][U+0000][U+001B][31m"),
        ("c1\x85", "c1[U+0085]"),
        ("soft\u00adhyphen", "soft[U+00AD]hyphen"),
        ("\ue000\U000f0000", "[U+E000][U+F0000]"),
        ("\ud800", "[U+D800]"),
        ("line\u2028paragraph\u2029", "line[U+2028]paragraph[U+2029]"),
        ("tag\U000e0041", "tag[U+E0041]"),
        ("e\u0301 and a\u0302\u0323", "e\u0301 and a\u0302\u0323"),
        ("z\u0300\u0301\u0302\u0303", "z\u0300\u0301[U+0302][U+0303]"),
    ],
)
def test_what_cannot_be_seen_is_spelled(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text())
def test_nothing_hidden_is_left(text: str) -> None:
    left = [letter for letter in visible(text) if not letter.isprintable() and letter not in "\n\t"]
    assert all(unicodedata.category(letter) == "Zs" for letter in left)


@given(st.text())
def test_making_visible_twice_changes_nothing_more(text: str) -> None:
    assert visible(visible(text)) == visible(text)


def test_one_line_is_one_line() -> None:
    assert oneline("a\nb\tc\r") == "a[U+000A]b[U+0009]c[U+000D]"


@pytest.mark.parametrize(
    ("length", "shown"), [(399, "x" * 399), (400, "x" * 400), (12_345, "x" * 400 + "… [12,345 characters in all]")]
)
def test_a_long_text_is_cut_and_says_so(length: int, shown: str) -> None:
    assert clip("x" * length) == shown


def test_a_hint_is_never_longer_than_asked() -> None:
    assert short("abcdef", 6) == "abcdef"
    assert short("abcdefg", 6) == "abcde…"
