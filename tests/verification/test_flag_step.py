# SPDX-License-Identifier: Apache-2.0

"""The step that matches every text again names the item whose flags are not those of the rules."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from app.controls.loader import load_bytes
from app.packs.report import Folders
from app.trails.example import example_row
from app.trails.segments import freeze
from app.verification import flags
from app.verification.case import Case
from app.verification.outcome import Failed, NotDone
from app.verification.reader import Reader

RULES = b"""\
kind: RiskRules
title: Small
rules:
  - id: small.remove
    title: Files go
    severity: high
    why: W.
    select: ['\\brm\\s']
    hits: [rm a, rm b, rm c]
    misses: [a, b]
  - id: small.list
    title: Files are listed
    severity: low
    why: W.
    select: ['\\bls\\b']
    hits: [ls, ls a, ls b]
    misses: [a, b]
"""
REMOVE = {"rule": "small.remove", "family": "small", "severity": "high"}
LIST = {"rule": "small.list", "family": "small", "severity": "low"}
AT = "2026-03-10T10:00:00Z"


def event(name: str, text: str | None, *found: Mapping[str, str]) -> dict[str, object]:
    return {"id": name, "at": AT, "text": text, "text_sha256": f"digest of {name}", "flags": list(found)}


def case_of(folder: Path, events: list[dict[str, object]], shown: list[dict[str, object]]) -> Case:
    """Return a case whose populations hold these events, and one session that shows some of them."""
    rows = [
        example_row("session_event", {"item_id": f"s/session_event/{each['id']}", "at": AT, "event": each})
        for each in events
    ]
    refs = [{key: value for key, value in each.items() if key != "text"} for each in shown]
    session = example_row("session", {"item_id": "s/session/1", "at": AT, "events": refs})
    freeze({"session_event": rows, "session": [session]}, folder / "populations")
    case = Case(folder / "pack.zip", None, folder, Reader(), 0)
    case.controls = load_bytes({"rules/small.yaml": RULES})
    case._folders = Folders(populations=folder / "populations", results=folder / "results")
    return case


def test_flags_that_follow_hold(tmp_path: Path) -> None:
    events = [event("a", "ls; rm x", LIST, REMOVE), event("b", "pwd"), event("c", None)]
    outside = event("z", "rm x", REMOVE)
    assert flags.again(case_of(tmp_path, events, events)) == "2 texts, 1 flagged"
    shown = flags.again(case_of(tmp_path, events, [*events, outside]))
    assert shown == "2 texts, 1 flagged; 1 events of sessions are outside the period, without a text"


def test_a_text_that_many_items_have_is_counted_for_each(tmp_path: Path) -> None:
    events = [event(name, text, *found) for name in "ab" for text, *found in (("rm x", REMOVE), ("ls", LIST), ("",))]
    events = [{**each, "id": f"{each['id']}{place}"} for place, each in enumerate(events)]
    assert flags.again(case_of(tmp_path, events, events)) == "6 texts, 4 flagged"


def test_a_text_that_has_its_flags_elsewhere_is_named_where_it_has_not(tmp_path: Path) -> None:
    with pytest.raises(Failed) as caught:
        flags.again(case_of(tmp_path, [event("a", "rm x", REMOVE), event("b", "rm x"), event("c", "rm x")], []))
    assert caught.value.problems == ("the flags of s/session_event/b are not those that the rules give",)


LIES = {
    "a flag left out": event("a", "rm x"),
    "a flag added": event("a", "pwd", REMOVE),
    "a flag on nothing": event("a", None, REMOVE),
    "another severity": event("a", "rm x", {**REMOVE, "severity": "low"}),
    "another family": event("a", "rm x", {**REMOVE, "family": "other"}),
    "a rule that the pack does not have": event("a", "pwd", {**REMOVE, "rule": "small.other"}),
    "another order": event("a", "ls; rm x", REMOVE, LIST),
    "a flag twice": event("a", "rm x", REMOVE, REMOVE),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_a_lie_about_flags_names_the_event(tmp_path: Path, lie: dict[str, object]) -> None:
    with pytest.raises(Failed) as caught:
        flags.again(case_of(tmp_path, [lie, event("b", "ls", LIST)], []))
    assert caught.value.problems == ("the flags of s/session_event/a are not those that the rules give",)


def test_a_session_that_shows_other_flags_is_named(tmp_path: Path) -> None:
    with pytest.raises(Failed) as caught:
        flags.again(case_of(tmp_path, [event("a", "rm x", REMOVE)], [event("a", "rm x")]))
    assert caught.value.problems == ("s/session/1 shows other flags of event a than the event has",)


def test_without_controls_it_is_not_done(tmp_path: Path) -> None:
    case = case_of(tmp_path, [], [])
    case.controls = None
    with pytest.raises(NotDone):
        flags.again(case)
