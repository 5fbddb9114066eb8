# SPDX-License-Identifier: Apache-2.0

"""Put what Google's parser and checker say of an expression into our words, with a hint.

In: their message, the text of the expression, what it may name. Out: ``CelError``; their positions are kept.
What people write who know SQL, Python or all of CEL gets a hint of its own.
"""

import difflib
import re
from collections.abc import Collection, Iterator, Mapping

from app.cel.environment import PACKAGE, PARAMETERS
from app.cel.errors import CelError
from app.cel.schema import ListType, Parameter, ViewType

_NATIVE = re.compile(r"^(?:INVALID_ARGUMENT: )?ERROR: <input>:([0-9]+):([0-9]+): (.*)", re.MULTILINE)
_UNDECLARED = re.compile(r"undeclared reference to '([^']*)'")
_UNDEFINED = re.compile(r"undefined field '([^']*)' not found in struct '([^']*)'")
_OVERLOAD = re.compile(r"found no matching overload for '([^']*)' applied to '(.*)'")
_NO_VIEW = re.compile(r"expression of type '([^']*)' cannot be the operand of a select operation")
_UNEXPECTED = re.compile(
    r"(?:mismatched|extraneous) input '(.*?)'(?: expecting| at|$)|token recognition error at: '(.*)'"
)
_WRAPPER = re.compile(r"wrapper\(([a-z]+)\)")
_WELL_KNOWN = re.compile(r"google\.protobuf\.([A-Za-z0-9]+)")
_EXPECTING = re.compile(r" expecting .*| at input .*")

_SYNTAX = "Check the spelling and the brackets."
_CONDITIONS = "Write &&, || and ! for and, or and not; !(x in [...]) for not in."
_PRESENCE = "Write x.y == null or x.y != null."
_LITERALS = "Literals are written true, false and null."
_LIST = "Write a list in square brackets: x in ['a', 'b']."
_SPAN = "Write durations as duration('8h'), or as a parameter such as 90d: p.name."
_MACRO = "Name the element first: approvals.exists(a, a.id != '')."
_SIZE = "Write size(x)."
_LETTERS = "Texts are compared as they are; list the spellings: x in ['a', 'A']."
_PIECES = "Texts are asked with startsWith, endsWith, contains, size and 'in'."
_PRESENT = "An expression has no present moment; period.start, period.end and period.as_of are instants."
LANGUAGE = "The language of control tests is listed in docs/reference/expressions.md."

_WORDS = {
    **dict.fromkeys(("and", "or", "not"), _CONDITIONS),
    **dict.fromkeys(("is", "??", "?"), _PRESENCE),
    **dict.fromkeys(("none", "null", "nil", "undefined", "true", "false", "yes", "no"), _LITERALS),
    **dict.fromkeys(("=", "==="), "Write == to compare."),
    ">": "Write != for not equal, > for more.",
    "=>": _MACRO,
    ",": _LIST,
    **dict.fromkeys(("ms", "s", "m", "h", "d", "w", "y"), _SPAN),
    "like": _PIECES,
    "between": "Write a <= x && x <= b.",
    "if": "Write condition ? a : b.",
    **dict.fromkeys(("now", "today"), _PRESENT),
}
"""What the parser or checker did not expect, in lower case where case does not matter, to what to write instead."""
_FUNCTIONS = {
    **dict.fromkeys(("exists", "all", "filter"), _MACRO),
    **dict.fromkeys(("any", "some"), "Write exists: approvals.exists(a, a.id != '')."),
    **dict.fromkeys(("every", "forall"), "Write all: approvals.all(a, a.id != '')."),
    "none": "Write !approvals.exists(a, a.id != '').",
    **dict.fromkeys(("len", "length", "count", "sum"), _SIZE),
    **dict.fromkeys(("isempty", "empty"), "Write size(x) == 0."),
    **dict.fromkeys(("lowerascii", "upperascii", "lower", "upper", "tolower", "toupper"), _LETTERS),
    **dict.fromkeys(("split", "trim", "strip", "replace", "substring", "indexof", "charat", "format"), _PIECES),
    **dict.fromkeys(("now", "today"), _PRESENT),
}
_ORDERS = ("_<_", "_<=_", "_>_", "_>=_")
_OPERANDS = {
    **dict.fromkeys(("_*_", "_/_", "_%_"), "Only + and - are available."),
    "_&&_": "Both sides must be conditions, such as x == y.",
    "_||_": "Both sides must be conditions, such as x == y.",
    "!_": "Only a condition can be negated; write !(x in [...]) with brackets around all of it.",
    "_[_]": "Write x.name for a field; a list is asked with exists, all, filter or 'in', never by position.",
    "-_": "Leave the sign out and swap the sides; a difference is a - b.",
    "contains": "Write x in list to look into a list.",
    "size": "Only texts and lists have a size.",
    "duration": "A parameter such as '8h' is a duration already: p.name.",
}
_MEMBERS = {
    "View": "Write approvals.exists(a, a.id == x) to look for a field of the elements.",
    "list(list(": "A list holds no lists; join the conditions with ||.",
    "list(": "The elements of the list have another type.",
}
_TYPES = (
    (("null_type", "list"), "Write has(x.list) or !has(x.list) for a list that may be missing."),
    (("null_type",), "Only a field that may be missing can be compared with null."),
    (("list(",), "A list is asked with exists, all, filter, 'in' or size."),
    (("timestamp", "string"), 'Write instants as timestamp("2026-01-01T00:00:00Z").'),
    (("timestamp", "duration"), "The difference of two instants is a duration: a.ended_at - a.started_at < p.name."),
    (("duration", "string"), 'Write durations as duration("8h"), or as a parameter such as 8h.'),
    (("duration", "int"), 'Write durations as duration("8h"), or as a parameter such as 8h.'),
    (("int", "double"), "Write 1.0 for a number with a fraction."),
    (("View",), "Compare their fields, such as their ids."),
)
_SAME = "Both sides must have the same type."

MACROS = (
    "Use exists, all, or filter and size; exists_one(v, c) is size(x.filter(v, c)) == 1, "
    "and y in x.map(v, v.id) is x.exists(v, v.id == y)."
)
_OTHER_CLOCKS = ("getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfYear", "getMinutes", "getSeconds")
_CONVERSIONS = ("string", "int", "uint", "double", "bool", "bytes", "dyn", "type")
REFUSED = {
    **dict.fromkeys(_OTHER_CLOCKS, "Of an instant, only getHours() and getDayOfWeek() are asked; compare it as it is."),
    **dict.fromkeys(_CONVERSIONS, "Values are compared as they are, each with one of its own type."),
    "matches": "Regular expressions differ between engines; use startsWith, endsWith, contains or 'in'.",
    "-_": "Write a negative number as a literal, or 0 - x.",
    "_[_]": "A list is asked with exists, all, filter or 'in', never by position.",
    "_*_": "Only + and - are available.",
    "_/_": "Only + and - are available.",
    "_%_": "Only + and - are available.",
}
"""Functions that CEL has and the language does not, to what to write instead."""


def complaint(text: str, source: str, view: ViewType, parameters: Mapping[str, Parameter]) -> CelError:
    """Return what is wrong with an expression.

    Args:
        text: the message of Google's checker; of several, the first counts.
        source: the expression.
        view: the row.
        parameters: what ``p`` has.
    """
    found = [(int(line), int(column), message) for line, column, message in _NATIVE.findall(text)]
    if "recursion depth" in text:
        return CelError("the expression is nested too deeply", hint="Nest fewer brackets, or split the test.")
    if not found:
        return CelError("the expression cannot be read", hint="Look for an unclosed bracket or quote.")
    if function := _unknown_function(found, source):
        return function
    line, column, message = found[0]
    message = message.replace(" [INVALID_ARGUMENT]", "")
    message = _WRAPPER.sub(r"\1", _WELL_KNOWN.sub(lambda name: name[1].lower(), message.replace(f"{PACKAGE}.", "")))
    what, hint = _in_our_words(message, view, parameters)
    return CelError(what, line, column, hint)


def _unknown_function(found: list[tuple[int, int, str]], source: str) -> CelError | None:
    """Return the complaint about a function that is not known; its arguments are complained about before it."""
    lines = source.split("\n")
    for line, column, message in found:
        name = _UNDECLARED.match(message)
        if name and lines[line - 1][column - 1 : column] == "(":
            hint = _FUNCTIONS.get(name[1].lower(), LANGUAGE)
            what = "needs a variable and a condition" if hint is _MACRO else "is not part of the language"
            return CelError(f"'{name[1]}()' {what}", line, column, hint)
    return None


def _in_our_words(message: str, view: ViewType, parameters: Mapping[str, Parameter]) -> tuple[str, str]:
    if found := _UNDECLARED.match(message):
        word = found[1].split(".")[0]
        hint = _WORDS.get(word.lower()) or _nearest(word, [*view.fields, PARAMETERS])
        return f"there is no '{word}' in this row", hint
    if found := _UNDEFINED.match(message):
        known = _fields_of(found[2], view, parameters)
        what = "there is no parameter" if found[2] == "Parameters" else f"{found[2]} has no field"
        return f"{what} '{found[1]}'", _nearest(found[1], known)
    if found := _OVERLOAD.match(message):
        name = "? :" if found[1] == "_?_:_" else found[1].strip("_@")
        what = f"'{name}' is not available for {found[2].replace('null_type', 'null')}"
        return what, _overload_hint(found[1], found[2])
    if found := _NO_VIEW.match(message):
        hint = "Ask its elements, approvals.exists(a, a.id != ''), or count them, size(approvals)."
        return f"{found[1]} has no fields", hint if found[1].startswith("list") else "Compare the value itself."
    what = _EXPECTING.sub("", message)[:200].replace("'<EOF>'", "the end")
    return what[:1].lower() + what[1:], _syntax_hint(message)


def _syntax_hint(message: str) -> str:
    if message.startswith("has() argument"):
        return "Write has(x.y) of a field, and x != null of what the row itself has."
    if message.startswith("unsupported syntax '.?'"):
        return _PRESENCE
    word = message.removeprefix("reserved identifier: ")
    if found := _UNEXPECTED.search(message):
        word = (found[1] or found[2] or "").strip()
    return _WORDS.get(word.lower(), _SYNTAX)


def _overload_hint(function: str, operands: str) -> str:
    if function == "@in":
        return next((hint for part, hint in _MEMBERS.items() if part in operands), _LIST)
    if function in _ORDERS and operands.startswith("(bool, "):
        return "Write a < b && b < c."
    missing = "null_type" in operands
    if function in _OPERANDS and not missing:
        return _OPERANDS[function]
    return next((hint for parts, hint in _TYPES if all(part in operands for part in parts)), _SAME)


def _nearest(word: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f"Did you mean '{close[0]}'?" if close else f"Known here: {', '.join(known) or 'nothing'}."


def _fields_of(name: str, view: ViewType, parameters: Mapping[str, Parameter]) -> list[str]:
    if name == "Parameters":
        return list(parameters)
    return next((list(known.fields) for known in _views(view) if known.name == name), [])


def _views(view: ViewType) -> Iterator[ViewType]:
    yield view
    for field in view.fields.values():
        inner = field.type.element if isinstance(field.type, ListType) else field.type
        if isinstance(inner, ViewType):
            yield from _views(inner)
