# SPDX-License-Identifier: Apache-2.0

"""A mistake in an overlay or a bundle is named with its place and the way out."""

import pytest

from tests.controls.house import BUNDLE, LOOSER, OVERLAY, files, problems

MARK = "\N{BLACK RIGHT-POINTING TRIANGLE}"
"""Stands before the place that a problem must name, and is taken out of the text."""
M = MARK


def change(parameters: str, days: str = "from: 2026-01-01") -> str:
    """Return an overlay with one change of ABC-01."""
    return f"kind: Overlay\nid: mine\ntitle: Mine\nchanges:\n  - {{test: ABC-01, parameters: {parameters}, {days}}}\n"


def marked(text: str) -> tuple[str, str]:
    """Return a text without its mark, and the line and column of that."""
    assert text.count(MARK) == 1
    before = text.partition(MARK)[0]
    return text.replace(MARK, ""), f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"


def where(scope: str) -> str:
    return change("{most: 4h}", f"from: 2026-01-01, where: {scope}")


AGAIN = OVERLAY[OVERLAY.index("  - test") :].replace("02-28", "02-15").replace("most", f"{M}most")
TITLE = "title: Mine\n"
CASES = [
    ("no such test", change("{most: 4h}").replace("ABC-01", f"{M}ABC-02"), "no test 'ABC-02'", "'ABC-01'"),
    ("no such parameter", change(f"{{{M}mst: 4h}}"), "no parameter 'mst'", "'most'"),
    ("another type", change(f"{{most: {M}4}}"), "another type", "8h"),
    ("no duration", change(f"{{most: {M}long}}"), "another type", "8h"),
    ("too long a duration", change(f"{{most: {M}99999d}}"), "100 years", "36500d"),
    ("a text for a list", change(f"{{refused: {M}jit}}"), "another type", "[standing]"),
    ("nothing", change(f"{M}{{}}"), "changes nothing", "Name a parameter"),
    ("no first day", change("{most: 4h}", "until: 2026-01-01").replace("{test", f"{M}{{test"), "'from' is", "'from:'"),
    ("no day", change("{most: 4h}", f"from: {M}soon"), "invalid day", "2026-07-01"),
    ("backwards", change("{most: 4h}", f"from: 2026-02-01, until: {M}2026-01-31"), "ends before", "2026-02-01"),
    ("an unknown key", change("{most: 4h}", f"from: 2026-01-01, {M}were: x"), "'were'", "'where'"),
    ("a scope that may be missing", where(f'workflow{M}.id == "x"'), "may be missing", "Write workflow != null && ..."),
    ("a scope of another population", where(f"session{M}.mfa"), "no 'session' in this row", "'sessions'"),
    ("a scope that is no condition", where(f"{M}grant.id"), "true or false", "Compare"),
    ("a scope with a parameter", where("grant.id == p.most").replace("p.most", f"p{M}.most"), "parameter 'most'", ""),
    (
        "looser, unsaid",
        change(f"{{most: {M}9h}}"),
        "'most: 9h' is looser than the test's own 8h, without reason",
        "Add",
    ),
    ("fewer approvals", change(f"{{least: {M}0}}"), "looser", "Add reason, requested_by, approved_by, approved_on"),
    ("a shorter list", change(f"{{refused: {M}[]}}"), "looser", "Add"),
    ("a switch off", change(f"{{only_privileged: {M}false}}"), "looser", "Add"),
    ("no reason", LOOSER.replace("The move", "' '").replace("12h", f"{M}12h"), "without reason", "Add reason"),
    (
        "no approver",
        LOOSER.replace("    approved_by: Bo\n", "").replace("12h", f"{M}12h"),
        "without approved_by",
        "Add",
    ),
    (
        "no day of approval",
        LOOSER.replace("    approved_on: 2026-01-31\n", "").replace("12h", f"{M}12h"),
        "without",
        "Add",
    ),
    ("approved by who asked", LOOSER.replace("Bo", f"{M}ann  LEE"), "who requested that approved it", "Somebody else"),
    ("approved afterwards", LOOSER.replace("2026-01-31", f"{M}2026-02-02"), "on 2026-02-02", "Begin on the day"),
    ("no such bundle", OVERLAY.replace("bundle: strict", f"bundle: {M}strikt"), "no bundle 'strikt'", "'strict'"),
    ("no such overlay", OVERLAY.replace(TITLE, f"{TITLE}extends: [{M}mini]\n"), "no overlay 'mini'", "'mine'"),
    ("itself", OVERLAY.replace(TITLE, f"{TITLE}extends: {M}[mine]\n"), "in a circle: mine -> mine", "Remove"),
    ("nothing at all", f"{M}kind: Overlay\nid: mine\ntitle: Mine\n", "'changes' must be a list", "'- test: ...'"),
    ("no use", f"kind: Overlay\nid: mine\ntitle: Mine\n{M}use: []\n", "'use' must be a list", "'- bundle: ...'"),
    ("twice", OVERLAY + AGAIN, "most of ABC-01 is set twice", "x.yaml:8"),
    ("no list", f"kind: Overlay\nid: mine\ntitle: Mine\n{M}changes: 5\n", "'changes' must be a list", "changes:"),
]


@pytest.mark.parametrize(("name", "text", "message", "hint"), CASES, ids=[case[0] for case in CASES])
def test_a_mistake_in_an_overlay_is_named_with_place_and_hint(name, text, message, hint) -> None:
    plain, place = marked(text)
    (found,) = problems(files(overlays=plain))
    assert found.startswith(f"own/overlays/x.yaml:{place}: "), (name, found)
    assert message in found
    assert hint in found.partition(message)[2]


BUNDLES = [
    ("no such test", BUNDLE.replace("ABC-01", "ABC-02"), "6:3", "no test 'ABC-02'", "'ABC-01'"),
    ("no such parameter", BUNDLE.replace("most", "mots"), "6:12", "no parameter 'mots'", "'most'"),
    ("another type", BUNDLE.replace("least: 2", "least: 2.0"), "6:29", "another type", "1"),
    ("no source", BUNDLE.replace("source: Ours\n", ""), "1:1", "'source' is missing", "source:"),
]


@pytest.mark.parametrize(("name", "text", "place", "message", "hint"), BUNDLES, ids=[case[0] for case in BUNDLES])
def test_a_mistake_in_a_bundle_is_named_though_nobody_uses_it(name, text, place, message, hint) -> None:
    (found,) = problems(files() | {"parameters/strict.yaml": text.encode()})
    assert found.startswith(f"parameters/strict.yaml:{place}: "), (name, found)
    assert message in found
    assert hint in found.partition(message)[2]
