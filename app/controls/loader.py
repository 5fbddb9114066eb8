# SPDX-License-Identifier: Apache-2.0

"""Load the controls: the YAML of a directory, or of a pack, in; one immutable ``Controls`` out, or every problem.

A problem reads ``file:line:column: message. hint``. All files are read before anything is reported, so a broken file
never hides another's mistakes. Nothing is skipped: a file that would not be read is itself a problem.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Final

import msgspec

from app.controls.applicability import OWN
from app.controls.changes import Overlay, ParameterBundle
from app.controls.checks import problems_of
from app.controls.convert import Loaded, PlacedOverlay, convert
from app.controls.document import MAX_BYTES, read_document
from app.controls.metrics import Metric
from app.controls.model import Catalog, CatalogControl, ControlTest, MappingEntry, RiskRule
from app.controls.model import Mapping as ControlMapping
from app.controls.overlays import Slice, definition_bytes, slices_of, struct_bytes
from app.controls.problems import Position, Problem, ProblemFound, nearest
from app.controls.rules import RuleSet
from app.controls.sampling import FLAT, SamplingPlan
from app.controls.sampling_checks import plan_in_force
from app.controls.statements import Applicability, CatalogText
from app.errors import ControlsInvalid, InvalidInput, NotFound

_SHIPPED: Final = ("catalog", "tests", "mappings", "metrics", "rules", "sampling")
FOLDERS: Final = (*_SHIPPED, "overlays", "parameters", "applicability")
OWN_FOLDERS: Final = (*FOLDERS, "texts")
MAX_FILES: Final = 1000


@dataclass(frozen=True, kw_only=True)
class Controls:
    """Everything under ``controls/``, checked. Never changes after loading.

    Attributes:
        tests: test id to test, in order of id.
        catalogs: framework id to catalogue; first the frameworks that most tests bear on.
        mappings: framework id to mapping; a framework without one has no entry.
        files: file name below ``controls/`` to its exact bytes; those of an organisation's own folder begin with
            ``own/``. Licensed text is not among them.
        metrics: metric id to metric, in the order of the files.
        rules: rule id to risk rule, in order of id.
        bundles, overlays: by id. slices: test id to what overlays change of it, in the order in which it counts.
        applicability: framework id to control to what the organisation states of it.
        texts: framework id to control to text that is only for those who hold a licence.
        sampling: how auditor's samples are drawn.
    """

    tests: Mapping[str, ControlTest]
    catalogs: Mapping[str, Catalog]
    mappings: Mapping[str, ControlMapping]
    files: Mapping[str, bytes]
    metrics: Mapping[str, Metric] = field(default_factory=lambda: MappingProxyType({}))
    rules: Mapping[str, RiskRule] = field(default_factory=lambda: MappingProxyType({}))
    bundles: Mapping[str, ParameterBundle] = field(default_factory=lambda: MappingProxyType({}))
    overlays: Mapping[str, Overlay] = field(default_factory=lambda: MappingProxyType({}))
    slices: Mapping[str, tuple[Slice, ...]] = field(default_factory=lambda: MappingProxyType({}))
    applicability: Mapping[str, Mapping[str, Applicability]] = field(default_factory=lambda: MappingProxyType({}))
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType({}))
    sampling: SamplingPlan = FLAT

    @cached_property
    def sha256(self) -> str:
        """Return the digest over all files: SHA-256 of the canonical JSON of file name to SHA-256."""
        digests = {name: hashlib.sha256(data).hexdigest() for name, data in self.files.items()}
        return hashlib.sha256(struct_bytes(digests)).hexdigest()

    @cached_property
    def rule_set(self) -> RuleSet:
        """Return the risk rules, compiled to match texts."""
        return RuleSet(self.rules.values())

    def resolve_framework(self, name: str) -> Catalog:
        """Return the catalogue with this id or short name.

        Raises:
            NotFound: there is none.
        """
        for catalog in self.catalogs.values():
            if name == catalog.id or name in catalog.short_names:
                return catalog
        hint = nearest(name, self.catalogs, f"Known: {', '.join(self.catalogs)}.")
        raise NotFound(f"there is no framework '{name[:60]}'", where="--framework", hint=hint)

    def resolve_control(self, framework: str, name: str) -> CatalogControl:
        """Return the control with this id or alias.

        Raises:
            NotFound: the framework has none.
        """
        catalog = self.resolve_framework(framework)
        for control in catalog.controls:
            if name == control.id or name in control.aliases:
                return control
        hint = nearest(name, (control.id for control in catalog.controls), "Ids are as in the catalogue.")
        raise NotFound(f"{catalog.id} has no control '{name[:60]}'", hint=hint)

    def entries_for(self, framework: str, control_id: str | None = None) -> tuple[MappingEntry, ...]:
        """Return the mapping entries of a framework (id or short name), or of one of its controls."""
        mapping = self.mappings.get(self.resolve_framework(framework).id)
        entries = mapping.entries if mapping else ()
        return tuple(entry for entry in entries if control_id is None or entry.control == control_id)

    def tests_of(self, framework: str, control_id: str) -> tuple[ControlTest, ...]:
        """Return the tests mapped to one control, in order of id."""
        wanted = {entry.test for entry in self.entries_for(framework, control_id)}
        return tuple(test for test in self.tests.values() if test.id in wanted)

    def tests_for(self, framework: str) -> tuple[ControlTest, ...]:
        """Return the tests that bear on a framework (id or short name), in order of id."""
        wanted = {entry.test for entry in self.entries_for(framework)}
        return tuple(test for test in self.tests.values() if test.id in wanted)

    def slices_in(self, test_id: str, start: int, end: int) -> tuple[Slice, ...]:
        """Return what overlays change of a test at any instant from ``start`` until before ``end``, in order."""
        return tuple(each for each in self.slices.get(test_id, ()) if each.touches(start, end))

    def definition_sha256(self, test: ControlTest, slices: Sequence[Slice] = ()) -> str:
        """Return the digest of a test with what is changed of it; its examples are no part of it."""
        return hashlib.sha256(definition_bytes(test, slices)).hexdigest()


def load(directory: Path, own: Path | None = None) -> Controls:
    """Load the YAML in the folders of a directory (``FOLDERS``), and an organisation's own folder over it.

    Args:
        directory: a whole folder of controls.
        own: a folder of further ones, with the same folders in it and ``texts``; its files are named ``own/...``.

    Raises:
        InvalidInput: there is no such directory.
        ControlsInvalid: something in it does not load; ``problems`` lists everything.
    """
    for folder in [directory, own] if own else [directory]:
        if not folder.is_dir():
            raise InvalidInput("this is not a directory", where=str(folder), hint="Name a folder of controls.")
    files, problems = _read(directory, FOLDERS, "")
    if own is not None:
        mine, more = _read(own, OWN_FOLDERS, OWN)
        files, problems = files | mine, problems + more + _misplaced(own)
    return _load(files, problems)


def _read(directory: Path, folders: Sequence[str], prefix: str) -> tuple[dict[str, bytes], list[Problem]]:
    files: dict[str, bytes] = {}
    problems: list[Problem] = []
    for path in sorted(path for folder in folders for path in (directory / folder).rglob("*")):
        name = prefix + path.relative_to(directory).as_posix()
        if path.is_dir() or path.name.startswith("."):
            continue
        if path.suffix != ".yaml":
            problems.append(_at_start(name, "this file is not read", "Name it '*.yaml', or move it away."))
            continue
        with path.open("rb") as stream:
            files[name] = stream.read(MAX_BYTES + 1)
    return files, problems


def _misplaced(own: Path) -> list[Problem]:
    """Return the YAML of an own folder that lies where nobody looks: a misspelt folder must not hide an overlay."""
    names = [path.relative_to(own) for path in sorted(own.rglob("*.y*ml")) if path.is_file()]
    hint = f"Move it into one of {', '.join(f'{folder}/' for folder in OWN_FOLDERS)}."
    lost = [name for name in names if name.parts[0] not in OWN_FOLDERS or len(name.parts) == 1]
    return [_at_start(OWN + name.as_posix(), "this file is not read", hint) for name in lost]


def load_bytes(files: Mapping[str, bytes]) -> Controls:
    """Load controls from file names below ``controls/`` and their bytes, as a pack holds them.

    Raises:
        ControlsInvalid: something does not load; ``problems`` lists everything.
    """
    return _load(dict(sorted(files.items(), key=lambda item: (item[0].startswith(OWN), item[0]))), [], packed=True)


def _load(files: dict[str, bytes], problems: list[Problem], *, packed: bool = False) -> Controls:
    loaded = Loaded()
    if not files:
        problems.append(_at_start("controls", "there is no YAML file here", "Add tests/, catalog/ and mappings/."))
    if len(files) > MAX_FILES:
        problems.append(_at_start("controls", f"there are more than {MAX_FILES} files", "Join files by subject."))
        files = {}
    for name, data in files.items():
        try:
            problems += convert(read_document(name, data), loaded)
        except ProblemFound as found:
            problems.append(found.problem)
            loaded.broken = True
    problems += problems_of(loaded)
    if packed:
        problems += [text.problem(("kind",), "licensed text is in a pack", "Leave it out.") for text in loaded.texts]
    if problems:
        ordered = sorted(set(problems), key=lambda problem: (problem.file, problem.position, problem.message))
        raise ControlsInvalid([str(problem) for problem in ordered])
    return _controls(loaded, files)


def _at_start(name: str, message: str, hint: str) -> Problem:
    return Problem(file=name, position=Position(line=1, column=1), message=message, hint=hint)


def _controls(loaded: Loaded, files: dict[str, bytes]) -> Controls:
    catalogs = {
        placed.item.id: msgspec.structs.replace(
            placed.item, controls=tuple(control.item for control in loaded.controls[placed.item.id])
        )
        for placed in loaded.catalogs
    }
    mappings = {
        placed.item.framework: msgspec.structs.replace(
            placed.item, entries=tuple(entry.item for entry in loaded.entries[placed.item.framework])
        )
        for placed in loaded.mappings
    }
    tests = {placed.item.id: placed.item for placed in loaded.tests}
    licensed = {placed.document.name for placed in loaded.texts}
    rules = {placed.item.id: placed.item for placed in loaded.rules}
    bearing = Counter({name: len({entry.test for entry in mapping.entries}) for name, mapping in mappings.items()})
    return Controls(
        tests=MappingProxyType(dict(sorted(tests.items()))),
        catalogs=MappingProxyType(dict(sorted(catalogs.items(), key=lambda item: (-bearing[item[0]], item[0])))),
        mappings=MappingProxyType(mappings),
        files=MappingProxyType({name: data for name, data in files.items() if name not in licensed}),
        metrics=MappingProxyType({placed.item.id: placed.item for placed in loaded.metrics}),
        rules=MappingProxyType(dict(sorted(rules.items()))),
        bundles=MappingProxyType({placed.item.id: placed.item for placed in loaded.bundles}),
        overlays=MappingProxyType({placed.overlay.item.id: _whole(placed) for placed in loaded.overlays}),
        slices=MappingProxyType(slices_of(loaded)),
        applicability=MappingProxyType(
            {name: {entry.item.control: entry.item for entry in stated} for name, stated in loaded.stated.items()}
        ),
        texts=MappingProxyType(_texts([placed.item for placed in loaded.texts])),
        sampling=plan_in_force(loaded.plans),
    )


def _whole(placed: PlacedOverlay) -> Overlay:
    uses, changes = (tuple(part.item for part in parts) for parts in (placed.uses, placed.changes))
    return msgspec.structs.replace(placed.overlay.item, use=uses, changes=changes)


def _texts(documents: Sequence[CatalogText]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for document in documents:
        found.setdefault(document.framework, {}).update(document.texts)
    return found
