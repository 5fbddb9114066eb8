# SPDX-License-Identifier: Apache-2.0

"""The step about values that were withheld and disclosed later: each opens its commitment, and what they allow is done.

In:  files of disclosures, the populations with their commitments, the recorded outcomes, the controls.
Out: how many values fit, and which tests were run again on them; or the value, salt or item that does not fit.
A disclosed value is believed only where the pack holds the commitment that it opens.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec

from app.controls.loader import Controls
from app.evaluation.definition import Definition
from app.evaluation.engine import judge, outcomes_of
from app.evaluation.model import ItemOutcome
from app.evaluation.oracle import judge as interpret
from app.packs.layout import CONTENT_MANIFEST
from app.packs.model import Withholding
from app.packs.report import Folders
from app.packs.rows import select_rows
from app.packs.withholding.commitments import Place
from app.packs.withholding.conceal import copy_others, rewrite
from app.packs.withholding.disclosures import Disclosure, read_header, read_lines
from app.packs.withholding.fields import all_paths
from app.packs.withholding.reads import definitions_of, paths_read
from app.trails.flags import Flags
from app.trails.populations import POPULATIONS, SessionEventRow
from app.verification.case import Case, need
from app.verification.outcome import Failed, NotDone, fail_if_any, require
from app.verification.second_engine import WHOLE_UP_TO

_MAX_PROBLEMS = 20
_INDEX = re.compile(r"\[\d+\]")


class _Done(NamedTuple):
    """On how many items a test was run again, of how many; of ``beyond`` the lists are too long for the interpreter."""

    asked: int
    items: int
    beyond: int


class _Opened(msgspec.Struct):
    """What the disclosures open, and what stays closed.

    Attributes:
        given: what was disclosed, by place. fitting: places whose value opens the commitment there.
        closed: population and path to the items with a value there that is still withheld.
    """

    given: dict[Place, Disclosure]
    fitting: set[Place] = msgspec.field(default_factory=set)
    closed: dict[tuple[str, str], set[str]] = msgspec.field(default_factory=lambda: defaultdict(set))
    problems: list[str] = msgspec.field(default_factory=list)

    def look(self, population: str, item_id: str, where: str, cell: str | None) -> str | None:
        """Return the disclosed value if it opens the commitment in a cell, and else what the cell shows."""
        place = Place(population, item_id, where)
        opened = self.given.get(place)
        if opened is None or opened.mark != cell:
            self.closed[population, _INDEX.sub("", where)].add(item_id)
            if opened is not None:
                self.problems.append(f"{_name(opened)}: the value or the salt is not what the pack commits to")
            return cell
        self.fitting.add(place)
        return opened.value


def check(case: Case) -> str:
    """Open what was disclosed, and run again what can be run again with it."""
    if not case.reader.disclosed:
        raise NotDone("no disclosure was given (--disclosed)")
    controls, folders = need(case.controls, 13), need(case.reperformed, 15)
    if case.withheld is None:
        raise Failed(["something is disclosed, and the pack withholds nothing"])
    opened = _Opened(given=_given(case))
    shown = case.work / "disclosed"
    _open(opened, folders.populations, shown, case.withheld)
    problems = [*opened.problems, *_left_over(opened)]
    fail_if_any(problems[:_MAX_PROBLEMS])
    revealed = Folders(populations=shown, results=folders.results)
    every = definitions_of(controls, case.report().evaluation)
    definitions = [each for each in every if each.id in case.not_reperformed]
    done = _again(definitions, opened, revealed, case.work / "results again")
    whole = [name for name, each in done.items() if each.asked == each.items]
    case.not_reperformed = tuple(name for name in case.not_reperformed if name not in whole)
    texts = _flags_again(controls, opened, revealed)
    if not opened.closed["session_event", "event.text"]:
        case.caution_about_flags = None
    told = ", ".join(f"{name} on {each.asked:,} of {each.items:,} items" for name, each in done.items() if each.asked)
    beyond = sum(each.beyond for each in done.values())
    if beyond:
        told += f", but for {beyond:,} outcomes by the SQL engine only, as the interpreter cannot read lists so long"
    return f"{len(opened.fitting):,} values fit; run again on them: {told or 'no test'}; rules on {texts:,} texts"


def _given(case: Case) -> dict[Place, Disclosure]:
    given: dict[Place, Disclosure] = {}
    digest = need(case.digests.get(CONTENT_MANIFEST), 6)
    for name, data in case.reader.disclosed:
        first, *lines = data.split(b"\n")
        header = read_header(first, where=name)
        require(header.content_manifest_sha256 == digest, f"{name} is about another pack")
        for disclosure in read_lines(filter(None, lines), where=name):
            known = given.setdefault(disclosure.place, disclosure)
            require(known == disclosure, f"{_name(disclosure)}: two different values are disclosed")
    return given


def _open(opened: _Opened, populations: Path, output: Path, stated: Withholding) -> None:
    for population in POPULATIONS:
        paths = [part.path for part in stated.parts if part.population == population]
        rewrite(populations, output, population, {path: partial(opened.look, population) for path in paths})
    copy_others(populations, output)


def _left_over(opened: _Opened) -> list[str]:
    """Return what is disclosed of places where nothing is withheld, or under the name of another field."""
    problems = []
    for place, disclosure in opened.given.items():
        known = all_paths(place.population) if place.population in POPULATIONS else {}
        if known.get(_INDEX.sub("", place.path)) != disclosure.field:
            problems.append(f"{_name(disclosure)}: there is no such field in that place")
        elif place not in opened.fitting and not any(_name(disclosure) in problem for problem in opened.problems):
            problems.append(f"{_name(disclosure)}: the pack withholds nothing in that place")
    return problems


def _again(definitions: Sequence[Definition], opened: _Opened, folders: Folders, results: Path) -> dict[str, _Done]:
    """Run tests again on the items that show everything a test reads; return how often, by test.

    Raises:
        Failed: an outcome is another one.
    """
    judge(definitions, folders.populations, results)
    done: dict[str, _Done] = {}
    problems: list[str] = []
    for definition in definitions:
        recorded = outcomes_of(folders.results, definition.population, definition.id)
        found = outcomes_of(results, definition.population, definition.id)
        closed = {item for path in paths_read(definition) for item in opened.closed[definition.population, path]}
        eligible = {item: outcome for item, outcome in recorded.items() if item not in closed}
        other = sorted(item for item, outcome in eligible.items() if found[item] != outcome)
        differing, beyond = _interpreted(definition, eligible, folders)
        other += differing
        problems += [f"{definition.id} on {item}: the disclosed values give another outcome" for item in other]
        done[definition.id] = _Done(len(eligible), len(recorded), beyond)
    fail_if_any(problems[:_MAX_PROBLEMS])
    return done


def _interpreted(
    definition: Definition, eligible: Mapping[str, ItemOutcome], folders: Folders
) -> tuple[list[str], int]:
    """Return the items of which the second engine says something else, and of how many it says nothing.

    It is asked of the first by id.
    """
    wanted = sorted(eligible)[:WHOLE_UP_TO]
    rows = select_rows(folders.populations, definition.population, wanted)
    said = {row.item_id: interpret([definition], row).get(definition.id) for row in rows}
    other = [item for item, outcome in said.items() if outcome not in {None, eligible[item]}]
    return other, list(said.values()).count(None)


def _flags_again(controls: Controls, opened: _Opened, folders: Folders) -> int:
    """Match the rules on every text that was disclosed; return how many texts that were."""
    flags = Flags(controls.rule_set)
    wanted = {place.item_id for place in opened.fitting if place.path == "event.text"}
    problems = [
        f"the flags of {row.item_id} are not those that the rules give"
        for row in select_rows(folders.populations, "session_event", wanted)
        if isinstance(row, SessionEventRow) and flags.of(row.event.text) != row.event.flags
    ]
    fail_if_any(problems[:_MAX_PROBLEMS])
    return len(wanted)


def _name(disclosure: Disclosure) -> str:
    return f"{disclosure.field} of {disclosure.item_id} ({disclosure.population} {disclosure.path})"
