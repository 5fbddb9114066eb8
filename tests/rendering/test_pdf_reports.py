# SPDX-License-Identifier: Apache-2.0

"""The PDFs: archival and accessible by their own claim, only our fonts, the same bytes anywhere, nothing spilt."""

import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from app.errors import ProofroomError
from app.rendering.html import fill
from app.rendering.job import RenderReply
from app.rendering.pdf import render_document, render_pdf
from app.rendering.worker import coverage, within
from app.resources import shipped

FONTS = shipped("report_templates") / "_shared" / "fonts"
TEMPLATES = ["evidence_pack", "gap_report"]
FACE = "@font-face { font-family: 'IBM Plex Sans'; src: url('shipped:///fonts/IBMPlexSans-Regular.woff2') }"
HEAD = f'<!doctype html><html lang="en"><head><title>T</title><style>{FACE}</style></head><body>'
Sample = Callable[[str], dict[str, Any]]
Rendered = dict[str, RenderReply]


@pytest.mark.parametrize("template", TEMPLATES)
def test_weasyprint_has_nothing_to_say(template: str, rendered: Rendered) -> None:
    assert rendered[template].warnings == ()


@pytest.mark.parametrize("template", TEMPLATES)
def test_it_claims_pdf_a_3a_and_pdf_ua_1(template: str, rendered: Rendered) -> None:
    with _open(rendered[template]) as pdf:
        xmp = pdf.Root.Metadata.read_bytes().decode()
        assert 'pdfaid:part="3"' in xmp
        assert 'pdfaid:conformance="A"' in xmp
        assert "<pdfuaid:part>1</pdfuaid:part>" in xmp
        assert xmp.count("</rdf:RDF>") == 1
        assert pdf.Root.MarkInfo.Marked
        assert str(pdf.Root.Lang) == "en"
        assert str(pdf.docinfo.Title) == f"Sample of {template}"
        assert str(pdf.docinfo.CreationDate) == "D:20260702061044Z"


@pytest.mark.parametrize("template", TEMPLATES)
def test_all_fonts_are_embedded_and_ours(template: str, rendered: Rendered) -> None:
    with _open(rendered[template]) as pdf:
        fonts = [item for item in _dictionaries(pdf) if item.get("/Type") == "/FontDescriptor"]
        assert fonts
        for font in fonts:
            assert str(font.FontName).split("+")[1].startswith("IBM-Plex-")
            assert "/FontFile2" in font or "/FontFile3" in font


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_link_is_tagged_as_one(template: str, rendered: Rendered) -> None:
    with _open(rendered[template]) as pdf:
        numbers = list(pdf.Root.StructTreeRoot.ParentTree.Nums)
        parents = {int(number): element for number, element in zip(numbers[::2], numbers[1::2], strict=True)}
        links = [note for page in pdf.pages for note in page.get("/Annots", []) if note.Subtype == "/Link"]
        assert links
        assert {str(parents[int(link.StructParent)].S) for link in links} == {"/Link"}


def test_headers_have_a_scope_and_attachments_are_listed_once(rendered: Rendered) -> None:
    with _open(rendered["evidence_pack"]) as pdf:
        scopes = {str(item.A.get("/Scope")) for item in _dictionaries(pdf) if item.get("/S") == "/TH"}
        assert scopes == {"/Row", "/Column"}
        assert len(pdf.Root.AF) == 1
        assert str(pdf.Root.AF[0].AFRelationship) == "/Data"
        assert pdf.attachments["content-manifest.json"].get_file().read_bytes() == b'{"files":[]}'


def test_it_has_bookmarks(rendered: Rendered) -> None:
    with _open(rendered["evidence_pack"]) as pdf, pdf.open_outline() as outline:
        titles = [entry.title for entry in outline.root]
        assert titles[1:4] == ["1 Summary", "2 Controls", "3 Tests and results"]
        assert titles[-1] == "Annex: deviations, item by item"


_RENDER = """
import hashlib, sys, msgspec
from pathlib import Path
from app.rendering import render_pdf
from app.resources import shipped
context = msgspec.json.decode((shipped("report_templates") / "gap_report" / "sample.json").read_bytes())
files = [("a.json", b"{}", "Data"), ("b.csv", b"1", "Supplement")]
pdf = render_pdf("gap_report", context, title="Same", created=1782972644999, attachments=files)
print(hashlib.sha256(pdf).hexdigest())
"""


def test_equal_inputs_give_equal_bytes_in_any_environment(tmp_path: Path) -> None:
    digests = {_digest_elsewhere(tmp_path, variables) for variables in _ENVIRONMENTS}
    assert len(digests) == 1


_ENVIRONMENTS: list[dict[str, str]] = [
    {"TZ": "UTC", "PYTHONHASHSEED": "1", "LANG": "C", "HOME": "/nonexistent"},
    {"TZ": "Pacific/Auckland", "PYTHONHASHSEED": "77", "LANG": "tr_TR.UTF-8", "SOURCE_DATE_EPOCH": "1"},
]


def _digest_elsewhere(folder: Path, variables: dict[str, str]) -> str:
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    root = str(Path(__file__).parent.parent.parent)
    environment = kept | {"HOME": str(folder), "PYTHONPATH": root} | variables
    done = subprocess.run(
        [sys.executable, "-c", _RENDER], env=environment, cwd=folder, capture_output=True, check=True, text=True
    )
    return done.stdout.strip()


def test_another_instant_gives_other_bytes(sample: Sample) -> None:
    context = sample("gap_report")
    first, second = (render_pdf("gap_report", context, title="T", created=created) for created in (1000, 2000))
    assert first != second


@pytest.mark.parametrize(
    "markup",
    [
        '<img alt="x" src="http://192.0.2.1/x.png">',
        '<img alt="x" src="file:///etc/hostname">',
        '<img alt="x" src="shipped:///fonts/../../base.html">',
        '<img alt="x" src="data:image/png;base64,AAAA">',
        "<style>@import url(https://192.0.2.1/a.css);</style>",
        '<link rel="attachment" href="file:///etc/passwd">',
    ],
)
def test_a_document_that_reaches_out_is_not_rendered(markup: str) -> None:
    with pytest.raises(ProofroomError, match="the document asks for"):
        render_document(f"{HEAD}{markup}<p>a</p>", created=0)


def test_letters_without_a_font_are_spelled() -> None:
    drawable = coverage(FONTS)
    assert within("Łódź Ωμέγα Жанна ✓ 张 \U0001f600", drawable) == "Łódź Ωμέγα Жанна ✓ [U+5F20] [U+1F600]"
    assert not any("\u0590" <= letter <= "\u08ff" for letter in drawable), "a right-to-left letter could reorder text"


@pytest.mark.filterwarnings("ignore:No fonts configured")
def test_nothing_spills_over_the_page(sample: Sample) -> None:
    context = sample("evidence_pack")
    report = context["report"]
    token = "W" * 10_000
    table = report["deviations"][0]
    width = len(table["columns"])
    table["rows"] = [[token] * width, ["\u202e" + token, "fail", *[token] * (width - 2)]]
    table["rows"] += [[f"a/b/{n}", "fail", *["value"] * (width - 2)] for n in range(298)]
    table["total"] = 300
    report["organisation"] = report["checkpoint"] = report["signer"]["subject"] = token
    report["evaluation"]["framework_title"] = report["evaluation"]["tests"][0]["title"] = token
    report["gaps"][0]["condition"] = report["gaps"][0]["items"][0] = report["gaps"][0]["title"] = token
    report["collections"][0]["query"] = report["collections"][0]["source"] = token
    report["collections"][0]["inputs"][0]["name"] = report["samples"][0]["items"][0] = token
    html = fill("evidence_pack", context, title="T", language="en", medium="print", created="2026-07-02T06:10:44Z")
    spilt = [box for box in _text_boxes(html) if box[0] < box[1] or box[2] > box[3] + 0.5]
    assert spilt == []


@pytest.mark.filterwarnings("ignore:No fonts configured")
def test_an_endless_word_breaks_even_uncut() -> None:
    css = (FONTS.parent / "report.css").read_text(encoding="utf-8") + (FONTS.parent / "print.css").read_text(
        encoding="utf-8"
    )
    body = f"<table><tbody><tr><td>{'W' * 10_000}</td><td>x</td></tr></tbody></table><p>{'W' * 10_000}</p>"
    html = f'<!doctype html><html lang="en"><head><title>T</title><style>{css}</style></head><body>{body}'
    boxes = list(_text_boxes(html))
    assert len(boxes) > 100
    assert all(right <= limit + 0.5 for _, _, right, limit in boxes)


def _text_boxes(html: str) -> Iterator[tuple[float, float, float, float]]:
    """Yield left edge, left margin, right edge and right margin of every line of text, in CSS pixels."""
    import weasyprint  # noqa: PLC0415  # Half a second that only these tests need.
    from weasyprint.formatting_structure.boxes import TextBox  # noqa: PLC0415

    from app.rendering.fetching import SHIPPED, ShippedFetcher  # noqa: PLC0415

    document = weasyprint.HTML(
        string=within(html, coverage(FONTS)), base_url=SHIPPED, url_fetcher=ShippedFetcher(FONTS)
    ).render()
    for page in document.pages:
        box = page._page_box
        left, right = box.content_box_x(), box.content_box_x() + box.width
        for inner in box.descendants():
            if isinstance(inner, TextBox) and inner.text.strip() and inner.style["visibility"] == "visible":
                yield inner.position_x, left - 0.5, inner.position_x + inner.width, right


def _open(reply: RenderReply) -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(reply.pdf))


def _dictionaries(pdf: pikepdf.Pdf) -> Iterator[pikepdf.Dictionary]:
    return (item for item in pdf.objects if isinstance(item, pikepdf.Dictionary))
