# SPDX-License-Identifier: Apache-2.0

"""Overlays and bundles: which values count on which days, in which order, for which items."""

from app.controls.loader import load_bytes
from tests.controls.house import BUNDLE, OVERLAY, TESTS, files, problems

DAY = 86_400_000
FEBRUARY = 1_769_904_000_000
"""2026-02-01."""


def test_slices_come_in_order_with_their_days_and_their_words() -> None:
    controls = load_bytes(files(overlays=OVERLAY))
    first, second = controls.slices["ABC-01"]
    assert (first.parameters, first.bundle, first.where, first.end) == (
        {"most": "4h", "least": 2},
        "Strict (Ours)",
        "true",
        None,
    )
    assert (second.parameters, second.start, second.end) == ({"most": "2h"}, FEBRUARY, FEBRUARY + 28 * DAY)
    assert [
        len(controls.slices_in("ABC-01", FEBRUARY + n * DAY, FEBRUARY + (n + 1) * DAY)) for n in (-1, 0, 27, 28)
    ] == [
        1,
        2,
        2,
        1,
    ]
    assert controls.slices_in("XYZ-01", 0, FEBRUARY) == ()
    assert controls.overlays["mine"].changes[0].parameters == {"most": "2h"}


def test_a_change_is_part_of_the_definition_and_of_the_digest_of_all() -> None:
    plain, changed = load_bytes(files()), load_bytes(files(overlays=OVERLAY))
    other = load_bytes(files(overlays=OVERLAY.replace("2h}", "3h}")))
    digests = {c.definition_sha256(c.tests["ABC-01"], c.slices.get("ABC-01", ())) for c in (plain, changed, other)}
    assert len(digests) == len({plain.sha256, changed.sha256, other.sha256}) == 3
    assert changed.definition_sha256(changed.tests["ABC-01"]) == plain.definition_sha256(plain.tests["ABC-01"])


def overlay(name: str, *, extends: str = "", value: str = "4h", days: str = "from: 2026-01-01") -> bytes:
    base = f"extends: [{extends}]\n" if extends else ""
    text = f"kind: Overlay\nid: {name}\ntitle: {name}\n{base}changes:\n"
    return f"{text}  - {{test: ABC-01, parameters: {{most: {value}}}, {days}}}\n".encode()


def test_overlays_come_in_the_order_of_their_files_and_after_those_they_extend() -> None:
    given = files() | {
        "own/overlays/1.yaml": overlay("last", extends="first, middle"),
        "own/overlays/2.yaml": overlay("middle", extends="first"),
        "own/overlays/3.yaml": overlay("first"),
    }
    assert [each.overlay for each in load_bytes(given).slices["ABC-01"]] == ["first", "middle", "last"]


def test_two_overlays_that_set_the_same_must_not_hide_each_other() -> None:
    given = files() | {"own/overlays/1.yaml": overlay("one"), "own/overlays/2.yaml": overlay("two", value="3h")}
    (found,) = problems(given)
    assert found.startswith("own/overlays/2.yaml:5:33: most of ABC-01 is set twice for the same items and days.")
    assert "own/overlays/1.yaml:5" in found
    given["own/overlays/2.yaml"] = overlay("two", value="3h", extends="one")
    assert len(load_bytes(given).slices["ABC-01"]) == 2
    given["own/overlays/1.yaml"] = overlay("one", days="from: 2026-01-01, until: 2026-01-31")
    given["own/overlays/2.yaml"] = overlay("two", days="from: 2026-02-01")
    assert len(load_bytes(given).slices["ABC-01"]) == 2
    given["own/overlays/2.yaml"] = overlay("two", days="from: 2026-01-31")
    assert "set twice" in problems(given)[0]


def test_a_circle_of_overlays_is_named_once_with_its_steps() -> None:
    given = files() | {
        "own/overlays/1.yaml": overlay("one", extends="two", days="from: 2026-01-01, until: 2026-01-01"),
        "own/overlays/2.yaml": overlay("two", extends="three", days="from: 2026-01-02, until: 2026-01-02"),
        "own/overlays/3.yaml": overlay("three", extends="one", days="from: 2026-01-03"),
    }
    (found,) = problems(given)
    what = "overlays extend each other in a circle: one -> two -> three -> one"
    assert found == f"own/overlays/1.yaml:4:10: {what}. Remove one of the steps."


def test_a_scope_is_checked_for_each_test_of_a_bundle() -> None:
    other = """\
  - id: ABC-02
    title: Session is short
    intent: Short.
    population: session
    requires: {records: [session], fields: [session.ended_at, session.started_at]}
    assert: session.ended_at - session.started_at <= p.most
    parameters: {most: 8h}
    looser: {most: longer}
    severity: low
    columns: [session.id]
    meaning: {fails: it is long., no_evidence: it is not told., not_applicable: never.}
    cause: Haste.
    effect: Doubt.
    remediation: End it.
    examples:
      - name: short
        given: {session: {started_at: "2026-01-02T00:00:00Z", ended_at: "2026-01-02T01:00:00Z"}}
        expect: pass
      - name: long
        given: {session: {started_at: "2026-01-02T00:00:00Z", ended_at: "2026-01-03T01:00:00Z"}}
        expect: fail
      - {name: not told, given: {}, expect: no_evidence}
"""
    scoped = OVERLAY.replace("    from: 2026-01-01\n", "    from: 2026-01-01\n    where: size(approvals) > 0\n", 1)
    given = files(overlays=scoped) | {
        "tests/house.yaml": (TESTS + other).encode(),
        "parameters/strict.yaml": f"{BUNDLE}  ABC-02: {{most: 4h}}\n".encode(),
    }
    assert len(load_bytes(given).slices["ABC-02"]) == 1
    given["own/overlays/x.yaml"] = scoped.replace("size(approvals) > 0", "grant.privileged").encode()
    (found,) = problems(given)
    assert found.startswith("own/overlays/x.yaml:7:17: where, for ABC-02 of population session: 'grant' may be missing")
