# SPDX-License-Identifier: Apache-2.0

"""What is wrong with a file under ``controls/``, and where: the shape of every message of the loader."""

import difflib
from collections.abc import Iterable

import msgspec


class Position(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """A place in a file; line and column count from 1."""

    line: int
    column: int


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One problem; prints as ``file:line:column: message. hint``."""

    file: str
    position: Position
    message: str
    hint: str

    def __str__(self) -> str:
        return f"{self.file}:{self.position.line}:{self.position.column}: {printable(self.message)}. {self.hint}"


class ProblemFound(Exception):
    """Carries one problem out of a reader; never leaves this package."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def printable(text: str) -> str:
    """Return text that is safe to print on a terminal, at most 300 characters of it."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text[:300])


def nearest(word: str, known: Iterable[str], otherwise: str) -> str:
    """Return the hint that names the known word most like ``word``, or ``otherwise``."""
    found = difflib.get_close_matches(word[:100], list(known), n=1, cutoff=0.6)
    return f"Did you mean '{found[0]}'?" if found else otherwise
