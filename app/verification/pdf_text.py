# SPDX-License-Identifier: Apache-2.0

"""Take the text out of a PDF, well enough to find a printed digest in it.

In:  an opened PDF.
Out: the text of its pages in the order it is drawn.
It knows what our renderer writes, fonts with a ToUnicode map and codes of two bytes (ISO 32000-2 section 9.10.3), and
simple fonts in their standard encoding, as far as that is ASCII.
"""

import re
import sys

import pikepdf

MAX_PAGES = 5_000
_MAX_CODES = 65_536
_BLOCK = re.compile(rb"begin(bfchar|bfrange)(.*?)endbf", re.DOTALL)
_HEX = re.compile(rb"<([0-9A-Fa-f]*)>|\[|\]")
_Map = dict[int, str] | None
"""Code to text; None for a simple font, whose codes are ASCII."""
_SHOWING = {"Tj", "TJ", "'", '"'}


def text_of(document: pikepdf.Pdf) -> str:
    """Return the text of a document's pages; fonts that cannot be read give nothing."""
    return "\n".join(_page_text(page) for page in document.pages[:MAX_PAGES])


def _page_text(page: pikepdf.Page) -> str:
    fonts = page.resources.get("/Font")
    named = fonts.items() if isinstance(fonts, pikepdf.Dictionary) else ()
    maps = {str(name): _unicode_map(font) for name, font in named}
    current: _Map = {}
    parts: list[str] = []
    for instruction in pikepdf.parse_content_stream(page):
        name = str(instruction.operator)
        if name == "Tf":
            current = maps.get(str(instruction.operands[0]), {})
        elif name in _SHOWING:
            parts += [_decode(bytes(text), current) for text in _strings(instruction.operands)]
    return "".join(parts)


def _strings(operands: object) -> list[pikepdf.String]:
    found: list[pikepdf.String] = []
    for operand in operands:  # type: ignore[attr-defined]  # The library's operands are an untyped list.
        if isinstance(operand, pikepdf.Array):
            found += [item for item in operand if isinstance(item, pikepdf.String)]
        elif isinstance(operand, pikepdf.String):
            found.append(operand)
    return found


def _decode(codes: bytes, mapping: _Map) -> str:
    if mapping is None:
        return codes.decode("ascii", errors="replace")
    pairs = zip(codes[::2], codes[1::2], strict=False)
    return "".join(mapping.get(high << 8 | low, "") for high, low in pairs)


def _unicode_map(font: pikepdf.Object) -> _Map:
    stream = font.get("/ToUnicode")
    if not isinstance(stream, pikepdf.Stream):
        return {} if font.get("/Subtype") == "/Type0" else None
    mapping: dict[int, str] = {}
    for kind, body in _BLOCK.findall(stream.read_bytes()):
        values = [match for match in _HEX.findall(body) if match]
        if kind == b"bfchar":
            mapping |= {int(code, 16): _text(target) for code, target in zip(values[::2], values[1::2], strict=False)}
        else:
            mapping |= _ranges(values)
    return mapping


def _ranges(values: list[bytes]) -> dict[int, str]:
    mapping: dict[int, str] = {}
    for first, last, target in zip(values[::3], values[1::3], values[2::3], strict=False):
        start = int(target, 16)
        for step in range(min(int(last, 16) - int(first, 16) + 1, _MAX_CODES)):
            mapping[int(first, 16) + step] = chr(min(start + step, sys.maxunicode))
    return mapping


def _text(target: bytes) -> str:
    return bytes.fromhex(target.decode()).decode("utf-16-be", errors="replace")
