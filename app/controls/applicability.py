# SPDX-License-Identifier: Apache-2.0

"""Check Statements of Applicability and licensed texts: they speak of controls that exist, once each, with a reason.

Pure: converted documents in, problems out. Where a text lies decides whether it may be there: only below ``own/``.
"""

from collections.abc import Iterator, Mapping

from app.controls.convert import Loaded, Placed
from app.controls.model import CatalogControl
from app.controls.problems import Problem, nearest
from app.controls.statements import Applicability, CatalogText, StatementOfApplicability

OWN = "own/"
"""File names of an organisation's own folder begin with this, so that they never collide with shipped ones."""


def statement_problems(loaded: Loaded) -> Iterator[Problem]:
    """Yield what is wrong with the Statements of Applicability and the licensed texts."""
    for statement in loaded.statements:
        yield from _framework(loaded, statement)
    for framework, entries in loaded.stated.items():
        for entry in entries:
            yield from _entry(entry, _controls(loaded, framework), loaded)
    for text in loaded.texts:
        yield from _text(loaded, text)


def _framework(loaded: Loaded, placed: Placed[StatementOfApplicability] | Placed[CatalogText]) -> Iterator[Problem]:
    catalogs = [catalog.item.id for catalog in loaded.catalogs]
    if placed.item.framework not in catalogs and not loaded.broken:
        hint = catalogue_hint(loaded, placed.item.framework)
        yield placed.problem(("framework",), f"there is no catalogue '{placed.item.framework}'", hint)


def catalogue_hint(loaded: Loaded, framework: str) -> str:
    """Return what to write where there is no catalogue of that id; commands take short names, files do not."""
    owner = next((each.item.id for each in loaded.catalogs if framework in each.item.short_names), None)
    if owner:
        return f"It is a short name; write '{owner}'."
    known = [each.item.id for each in loaded.catalogs]
    return nearest(framework, known, f"Known here: {', '.join(known) or 'none; lay this folder over what ships'}.")


def _controls(loaded: Loaded, framework: str) -> Mapping[str, CatalogControl]:
    return {control.item.id: control.item for control in loaded.controls.get(framework, ())}


def _entry(entry: Placed[Applicability], controls: Mapping[str, CatalogControl], loaded: Loaded) -> Iterator[Problem]:
    yield from _known(entry, ("control",), entry.item.control, controls, loaded)
    if not entry.item.reason.strip():
        hint = "Say why it applies, or why it does not: ISO/IEC 27001, 6.1.3 d, asks for both."
        yield entry.problem(("reason",), "the reason is empty", hint)


def _known(
    placed: Placed[Applicability] | Placed[CatalogText],
    below: tuple[str, ...],
    control: str,
    controls: Mapping[str, CatalogControl],
    loaded: Loaded,
) -> Iterator[Problem]:
    if control in controls or control in loaded.claimed or not controls or loaded.broken:
        return
    owner = next((name for name, known in controls.items() if control in known.aliases), None)
    hint = f"It is an alias; write '{owner}'." if owner else nearest(control, controls, "Ids are as in the catalogue.")
    what = f"there is no control '{control}' in this framework"
    yield placed.problem(below, what, hint, key=isinstance(placed.item, CatalogText))


def _text(loaded: Loaded, text: Placed[CatalogText]) -> Iterator[Problem]:
    if not text.document.name.startswith(OWN):
        hint = "Keep it in your own folder of controls, 'controls/texts/' of the data directory."
        yield text.problem(("kind",), "licensed text is never shipped and never in a pack", hint)
        return
    yield from _framework(loaded, text)
    if not text.item.licence_note.strip():
        yield text.problem(("licence_note",), "the licence note is empty", "Say who may read the text, and why.")
    controls = _controls(loaded, text.item.framework)
    for control in text.item.texts:
        yield from _known(text, ("texts", control), control, controls, loaded)
