# SPDX-License-Identifier: Apache-2.0

"""The readings of a text that risk rules are matched on: as written, and as a shell or a database would take it.

In:  the text of a command or query, written by the person under audit.
Out: a few texts and, for SQL, its statements. Pure, and linear in the length of the text whatever it holds: every
expression here either cannot fail once it has begun, or never gives characters back.
It must never decide anything, and never hide the text as written: readings are added to it.

docs/risk-rules.md says what is seen through and what is not.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from app.controls.model import Each

MAX_CHARS: Final = 1 << 16
"""Characters of a text that are read: the first half of them and the last half."""
_MAX_NAMES: Final = 64
_MAX_VALUE: Final = 200

_LOOKS: Final = {
    "a": "\u0430\u03b1\u0251",
    "b": "\u0432\u044c",
    "c": "\u0441\u03f2",
    "d": "\u0501",
    "e": "\u0435\u03b5",
    "g": "\u0261",
    "h": "\u04bb\u043d",
    "i": "\u0456\u03b9\u0131",
    "j": "\u0458",
    "k": "\u043a\u03ba",
    "l": "\u04cf",
    "m": "\u043c",
    "n": "\u0578",
    "o": "\u043e\u03bf",
    "p": "\u0440\u03c1",
    "q": "\u051b",
    "r": "\u0433",
    "s": "\u0455",
    "t": "\u0442\u03c4",
    "u": "\u057d\u03c5",
    "v": "\u03bd\u0475",
    "w": "\u051d",
    "x": "\u0445\u03c7",
    "y": "\u0443",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2212",
    "/": "\u2044\u2215",
    "'": "\u2018\u2019",
    '"': "\u201c\u201d",
    "|": "\u01c0\u2223",
}
"""Letters of other alphabets, dashes, strokes and quotation marks that look like one of ASCII."""
_ALIKE: Final = str.maketrans(
    {form: ascii_ for ascii_, forms in _LOOKS.items() for char in forms for form in (char, char.upper())}
)
_SPACES = re.compile(r"[ \t\f\v\r\x00-\x08\x1c-\x1f\x7f]+")
_LINES = re.compile(r"\n[ \n]*+")
_WORDS = r"[^\s\x00-\x1f\x7f\\`^${'\"]++"
_AS_IT_IS = re.compile(rf"{_WORDS}(?: {_WORDS})*+")
"""Words with one space between, without any character that ``as_shell`` could change."""
_CONTINUED = re.compile(r"[\\`^]\r?\n[ \t]*+")
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{1,2})|u00([0-9a-fA-F]{2})|0?([0-7]{2,3}))")
_FIELD_SPACE = re.compile(r"\$(?:IFS\b|\{IFS[^}\n]{0,40}\})(?:\$[0-9@*])?")
_NOTHING = re.compile(r"\$[@*0-9]|\$\{[@*0-9]\}|\$\(\)|``|\$\{[A-Za-z_]\w{0,60}:?-\}")
_BRACES = re.compile(r"\{([^{}\s]{1,400}+)\}")
_SPLITTER = re.compile(r"(?<=\w)[`^](?=\w)")
_QUOTES = re.compile(r"\$(?=['\"])|['\"\\]")
_JOINED = re.compile(r"(?<=\w)['\"] ?\+ ?['\"](?=\w)")
_ASSIGNED = re.compile(
    r"(?:^|(?<=[\s;&|]))([A-Za-z_]\w{0,60})=(?:'([^'\n]{0,200})'|\"([^\"\n]{0,200})\"|([^\s;&|'\"]{1,200}))"
)
_NAMED = re.compile(r"\$(?:\{([A-Za-z_]\w{0,60})\}|([A-Za-z_]\w{0,60}))")
_SQL: Final = {
    "block": r"/\*(?P<inner>(?:[^*]+|\*(?!/))*)(?:\*/)?",
    "line": r"--[^\n]*+",
    "single": r"'(?:[^']+|'')*'?",
    "double": r"\"[^\"]*+\"?",
    "end": r";",
}
"""How the parts of an SQL text begin and end, by kind."""
_MARK = re.compile(r"['\";]|/\*|--")
"""How any of them begins."""
_QUOTED: Final = frozenset({"single", "double"})
_COMMENT = re.compile(_SQL["block"])
_OPTION = re.compile(r"(?:\s--?[\w-]{1,20}(?:\s?=\s?|\s)|\s-[a-zA-Z]|<<<\s?|\b(?:echo|printf)\s{1,3})\Z")
_WORD = re.compile(r"\w+|[^\w\s]")
_BETWEEN = re.compile(r"[;\n]|&&|\|\|")
_BEFORE: Final = 32
_WORD_OF_ONE = r"[^\s\x00-\x1f\x7f-\U0010ffff\\`^${'\";&|]++"
_ONE = re.compile(rf"{_WORD_OF_ONE}(?: {_WORD_OF_ONE})*+")
"""A text of ASCII that a shell takes as it is and, if it has no comment, for one command and one statement."""


class Readings:
    """What one text can be read as.

    Attributes:
        texts: the text as written, as a shell takes it, and that without SQL comments; none twice.
        truncated: the text is longer than ``MAX_CHARS``, so its middle was not read.
    """

    def __init__(self, text: str) -> None:
        self.truncated = len(text) > MAX_CHARS
        half = MAX_CHARS // 2
        self._text = f"{text[:half]}\n{text[-half:]}" if self.truncated else text
        # Nearly all commands are of this kind, and there may be millions.
        self._is_one = "--" not in text and "/*" not in text and _ONE.fullmatch(self._text) is not None
        self._plain = self._text if self._is_one else plain(self._text)
        self.texts = (self._text,) if self._is_one else tuple(dict.fromkeys(self._readings()))

    def _readings(self) -> Iterator[str]:
        yield self._text
        taken = as_shell(self._plain)
        yield taken
        if "/*" in taken:
            yield _COMMENT.sub(lambda found: f" {_kept(found)} ", taken)
            yield _COMMENT.sub(_kept, taken)

    def of(self, each: Each) -> tuple[str, ...]:
        """Return what a rule is matched on: the texts, their commands, or their statements."""
        if self._is_one:
            return self.texts
        match each:
            case "text":
                return self.texts
            case "command":
                return self.commands()
            case "statement":
                return self.statements()

    def commands(self) -> tuple[str, ...]:
        """Return the commands of all texts: what stands between ``;``, ``&&``, ``||`` and line ends."""
        return tuple(dict.fromkeys(part for text in self.texts for part in _BETWEEN.split(text)))

    def statements(self) -> tuple[str, ...]:
        """Return the SQL statements: literals emptied, comments once kept and once dropped."""
        if not _MARK.search(self._plain):
            return (self._plain,)
        texts = [self._plain]
        if "/*" in self._plain or "--" in self._plain:
            texts += [_drop_comments(self._plain, " "), _drop_comments(self._plain, "")]
        return tuple(dict.fromkeys(statement for text in texts for statement in _statements(text)))


def plain(text: str) -> str:
    """Return a text in plain characters: look-alikes as the ASCII they look like, and nothing that has no width."""
    if text.isascii():
        return text
    folded = unicodedata.normalize("NFKC", text[: 2 * MAX_CHARS])
    kept = "".join(char for char in folded if unicodedata.category(char) not in {"Cf", "Mn", "Cs"})
    return _WORD.sub(_folded, kept)[: 2 * MAX_CHARS]


def _folded(word: re.Match[str]) -> str:
    """Return a word in ASCII if it looks like such a word; a name in another alphabet stays what it is."""
    folded = word[0].translate(_ALIKE)
    return folded if folded.isascii() else word[0]


def as_shell(text: str) -> str:
    """Return a command without the quoting that a shell removes, and with one space where it would split words."""
    if _AS_IT_IS.fullmatch(text):
        return text
    text = _CONTINUED.sub("", text)
    text = _ESCAPE.sub(_unescaped, text)
    text = _FIELD_SPACE.sub(" ", text)
    text = _NOTHING.sub("", _valued(text))
    text = _BRACES.sub(lambda found: found[1].replace(",", " ") if "," in found[1] else found[0], text)
    text = _SPLITTER.sub("", _JOINED.sub("", text))
    text = _QUOTES.sub("", text)
    return _LINES.sub("\n", _SPACES.sub(" ", text)).strip()


def _unescaped(found: re.Match[str]) -> str:
    code = int(found[1] or found[2], 16) if found[1] or found[2] else int(found[3], 8)
    return chr(code) if 0x20 <= code < 0x7F else found[0]  # noqa: PLR2004 - what ASCII prints


def _valued(text: str) -> str:
    """Put the values of variables that are set in a text in their places; a value may use those before it."""
    if "=" not in text or "$" not in text:
        return text
    values: dict[str, str] = {}

    def value(found: re.Match[str]) -> str:
        return values.get(found[1] or found[2], found[0])

    for found in _ASSIGNED.finditer(text):
        if len(values) < _MAX_NAMES:
            values[found[1]] = _NAMED.sub(value, found[2] or found[3] or found[4] or "")[:_MAX_VALUE]
    return _NAMED.sub(value, text)[: 2 * MAX_CHARS] if values else text


def _kept(found: re.Match[str]) -> str:
    """Return what MySQL runs of a comment: the inside of ``/*! ... */``."""
    inner = found["inner"] or ""
    return inner[1:].lstrip("0123456789") if inner.startswith("!") else ""


def _drop_comments(text: str, instead: str) -> str:
    parts: list[str] = []
    last = 0
    for found in _tokens(text):
        if found.lastgroup in {"block", "line"}:
            parts += [text[last : found.start()], f"{instead}{_kept(found)}{instead}"]
            last = found.end()
    return "".join([*parts, text[last:]])


def _statements(text: str) -> Iterator[str]:
    """Yield the statements of a text, and those in quotes that are the value of an option."""
    parts: list[str] = []
    last = 0
    for found in _tokens(text):
        parts.append(text[last : found.start()])
        last = found.end()
        if found.lastgroup == "end":
            yield "".join(parts)
            parts = []
        elif found.lastgroup not in _QUOTED:
            parts.append(found[0])
        elif _OPTION.search(text[max(found.start() - _BEFORE, 0) : found.start()]):
            yield from _nested(found[0][1:-1], found[0][0])
        else:
            parts.append(_emptied(found[0]))
    yield "".join([*parts, text[last:]])


def _tokens(text: str) -> Iterator[re.Match[str]]:
    """Yield comments, quoted texts and semicolons; a quote that is never closed is a character like any other."""
    kinds = dict(_SQL)
    place = 0
    while found := re.compile("|".join(f"(?P<{kind}>{form})" for kind, form in kinds.items())).search(text, place):
        kind = found.lastgroup or ""
        place = found.end()
        if kind in _QUOTED and found[0].count(found[0][0]) % 2:
            del kinds[kind]
            place = found.start() + 1
        else:
            yield found


def _nested(text: str, quote: str) -> Iterator[str]:
    """Yield the statements of a quoted text; inside other quotes than its own, texts are literals."""
    other = "'" if quote == '"' else '"'
    pieces = text.split(other)
    shown = "".join(piece if number % 2 == 0 else other * 2 for number, piece in enumerate(pieces))
    yield from shown.split(";")


def _emptied(quoted: str) -> str:
    """Return a literal without its text; a quoted name keeps it, unless it is no plain name."""
    name = quoted[1:-1]
    return quoted if quoted[0] == '"' and name.isidentifier() and name.lower() not in _CLAUSES else quoted[0] * 2


_CLAUSES: Final = frozenset({"where", "limit", "top", "fetch"})
