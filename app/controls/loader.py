# SPDX-License-Identifier: Apache-2.0

"""Load the controls: the YAML of a directory, or of a pack, in; one immutable ``Controls`` out, or every problem.

A problem reads ``file:line:column: message. hint``. All files are read before anything is reported, so a broken file
never hides another's mistakes. Nothing is skipped: a file that would not be read is itself a problem.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Final

import msgspec

from app.controls.checks import problems_of, struct_bytes
from app.controls.convert import Loaded, convert
from app.controls.document import MAX_BYTES, read_document
from app.controls.metrics import Metric
from app.controls.model import Catalog, CatalogControl, ControlTest, MappingEntry, ParameterValue, RiskRule
from app.controls.model import Mapping as ControlMapping
from app.controls.problems import Position, Problem, ProblemFound, nearest
from app.controls.rules import RuleSet
from app.errors import ControlsInvalid, InvalidInput, NotFound

FOLDERS: Final = ("catalog", "tests", "mappings", "metrics", "rules")
MAX_FILES: Final = 1000


@dataclass(frozen=True, kw_only=True)
class Controls:
    """Everything under ``controls/``, checked. Never changes after loading.

    Attributes:
        tests: test id to test, in order of id.
        catalogs: framework id to catalogue; first the frameworks that most tests bear on.
        mappings: framework id to mapping; a framework without one has no entry.
        files: file name below ``controls/`` to its exact bytes.
        metrics: metric id to metric, in the order of the files.
        rules: rule id to risk rule, in order of id.
    """

    tests: Mapping[str, ControlTest]
    catalogs: Mapping[str, Catalog]
    mappings: Mapping[str, ControlMapping]
    files: Mapping[str, bytes]
    metrics: Mapping[str, Metric] = field(default_factory=lambda: MappingProxyType({}))
    rules: Mapping[str, RiskRule] = field(default_factory=lambda: MappingProxyType({}))

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

    def definition_sha256(self, test: ControlTest, parameters: Mapping[str, ParameterValue] | None = None) -> str:
        """Return the digest of a test with the parameter values it runs with; its examples are no part of it."""
        effective = {**test.parameters, **(parameters or {})}
        definition = msgspec.structs.replace(test, parameters=effective, examples=())
        return hashlib.sha256(struct_bytes(definition)).hexdigest()


def load(directory: Path) -> Controls:
    """Load the YAML below a directory: ``catalog/``, ``tests/``, ``mappings/``, ``metrics/``, ``rules/``.

    Raises:
        InvalidInput: there is no such directory.
        ControlsInvalid: something in it does not load; ``problems`` lists everything.
    """
    if not directory.is_dir():
        raise InvalidInput("this is not a directory", where=str(directory), hint="Name a folder of controls.")
    files: dict[str, bytes] = {}
    problems: list[Problem] = []
    for path in sorted(path for folder in FOLDERS for path in (directory / folder).rglob("*")):
        name = path.relative_to(directory).as_posix()
        if path.is_dir() or path.name.startswith("."):
            continue
        if path.suffix != ".yaml":
            problems.append(_at_start(name, "this file is not read", "Name it '*.yaml', or move it away."))
            continue
        with path.open("rb") as stream:
            files[name] = stream.read(MAX_BYTES + 1)
    return _load(files, problems)


def load_bytes(files: Mapping[str, bytes]) -> Controls:
    """Load controls from file names below ``controls/`` and their bytes, as a pack holds them.

    Raises:
        ControlsInvalid: something does not load; ``problems`` lists everything.
    """
    return _load(dict(sorted(files.items())), [])


def _load(files: dict[str, bytes], problems: list[Problem]) -> Controls:
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
    rules = {placed.item.id: placed.item for placed in loaded.rules}
    bearing = Counter({name: len({entry.test for entry in mapping.entries}) for name, mapping in mappings.items()})
    return Controls(
        tests=MappingProxyType(dict(sorted(tests.items()))),
        catalogs=MappingProxyType(dict(sorted(catalogs.items(), key=lambda item: (-bearing[item[0]], item[0])))),
        mappings=MappingProxyType(mappings),
        files=MappingProxyType(files),
        metrics=MappingProxyType({placed.item.id: placed.item for placed in loaded.metrics}),
        rules=MappingProxyType(dict(sorted(rules.items()))),
    )
