# SPDX-License-Identifier: Apache-2.0

"""Overlays, bundles, applicability and licensed text: what loads, in which order it counts, what is refused where."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.controls.coverage import coverage
from app.controls.loader import Controls, load, load_bytes
from app.controls.overlays import is_looser
from app.errors import ControlsInvalid, InvalidInput
from app.resources import shipped

CATALOG = """\
kind: Catalog
id: house-rules
title: House rules
edition: "1"
short_names: [house]
text_licence: own-words
source_url: https://rules.example
controls:
  - {id: H.1, label: Rights end, summary: Each right ends., aliases: [OLD.1]}
  - {id: H.2, label: Doors, summary: Doors are shut., not_tested_because: Doors leave no trace.}
"""
MAPPING = """\
kind: Mapping
framework: house-rules
entries:
  - {control: H.1, test: ABC-01, relation: supports, strength: primary, basis: direct, rationale: It ends.}
"""
TESTS = """\
kind: ControlTests
title: Ends
tests:
  - id: ABC-01
    title: Grant is short
    intent: Short.
    population: grant
    requires: {records: [grant], fields: [grant.starts_at, grant.expires_at]}
    assert: |-
      grant.expires_at - grant.starts_at <= p.most && size(approvals) >= p.least
      && !(grant.basis in p.refused) && (grant.privileged || !p.only_privileged)
    parameters: {most: 8h, least: 1, refused: [standing], only_privileged: true}
    looser: {most: longer, least: lower, refused: fewer, only_privileged: "off"}
    severity: low
    columns: [grant.id]
    meaning: {fails: it is long., no_evidence: it is not told., not_applicable: never.}
    cause: Haste.
    effect: Doubt.
    remediation: End it.
    examples:
      - name: short
        given:
          grant: {privileged: true, starts_at: "2026-01-02T00:00:00Z", expires_at: "2026-01-02T01:00:00Z"}
          approvals: [{}]
        expect: pass
      - name: long
        given: {grant: {privileged: true, starts_at: "2026-01-02T00:00:00Z", expires_at: "2026-01-03T01:00:00Z"}}
        expect: fail
      - {name: not told, given: {}, expect: no_evidence}
"""
BUNDLE = """\
kind: ParameterBundle
id: strict
title: Strict
source: Ours
values:
  ABC-01: {most: 4h, least: 2}
"""
OVERLAY = """\
kind: Overlay
id: mine
title: Mine
use:
  - bundle: strict
    from: 2026-01-01
changes:
  - test: ABC-01
    parameters: {most: 2h}
    where: workflow != null && workflow.id == "x"
    from: 2026-02-01
    until: 2026-02-28
"""
LOOSER = """\
kind: Overlay
id: mine
title: Mine
changes:
  - test: ABC-01
    parameters:
      most: 12h
    from: 2026-02-01
    reason: The move
    requested_by: Ann Lee
    approved_by: Bo
    approved_on: 2026-01-31
"""
STATEMENT = """\
kind: StatementOfApplicability
framework: house-rules
entries:
  - {control: H.1, applicable: false, reason: Nobody holds rights here.}
"""
TEXT = """\
kind: CatalogText
framework: house-rules
licence_note: Ours alone.
texts:
  H.1: The owner's own words.
"""
DAY = 86_400_000
FEBRUARY = 1_769_904_000_000
"""2026-02-01."""


def files(**own: str) -> dict[str, bytes]:
    """Return a small set of controls; the keywords are own files: folder to text."""
    base = {
        "catalog/house.yaml": CATALOG,
        "mappings/house.yaml": MAPPING,
        "tests/house.yaml": TESTS,
        "parameters/strict.yaml": BUNDLE,
    }
    return {name: text.encode() for name, text in (base | {f"own/{n}/x.yaml": text for n, text in own.items()}).items()}


def problems(given: dict[str, bytes]) -> list[str]:
    with pytest.raises(ControlsInvalid) as caught:
        load_bytes(given)
    return caught.value.problems


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


def test_an_approved_looser_value_loads_and_says_so() -> None:
    (each,) = load_bytes(files(overlays=LOOSER)).slices["ABC-01"]
    assert each.looser == ("most",)
    assert (each.reason, each.requested_by, each.approved_by, each.approved_on) == (
        "The move",
        "Ann Lee",
        "Bo",
        "2026-01-31",
    )


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


def test_a_bundle_that_is_looser_is_refused_where_it_is_used() -> None:
    given = files(overlays=OVERLAY) | {"parameters/strict.yaml": BUNDLE.replace("4h", "24h").encode()}
    (found,) = problems(given)
    assert found.startswith("own/overlays/x.yaml:5:13: ABC-01: 'most: 24h' is looser than the test's own 8h, without ")
    given["own/overlays/x.yaml"] = OVERLAY[: OVERLAY.index("changes:")].encode() + (
        b"    reason: All move\n    requested_by: a\n    approved_by: b\n    approved_on: 2026-01-01\n"
    )
    assert load_bytes(given).slices["ABC-01"][0].looser == ("most",)


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


DIRECTIONS = [
    ("no such parameter", ("most: longer", "mst: longer"), "11:14", "no parameter 'mst'"),
    ("a list cannot be longer", ("refused: fewer", "refused: longer"), "11:51", "no direction for 'refused'"),
    ("a duration cannot be on", ("most: longer", "most: 'on'"), "11:20", "no direction for 'most'"),
    ("no such word", ("most: longer", "most: bigger"), "11:20", "'bigger'"),
]


@pytest.mark.parametrize(("name", "swap", "place", "message"), DIRECTIONS, ids=[case[0] for case in DIRECTIONS])
def test_a_direction_fits_its_parameter(name, swap, place, message) -> None:
    lines = TESTS.splitlines()
    number = next(n for n, line in enumerate(lines, 1) if "looser:" in line)
    found = problems(files() | {"tests/house.yaml": TESTS.replace(*swap).encode()})
    assert any(line.startswith(f"tests/house.yaml:{number}:{place.partition(':')[2]}: ") for line in found), (
        name,
        found,
    )
    assert message in found[0]


@pytest.mark.parametrize(
    ("direction", "own", "value", "looser"),
    [
        ("longer", "8h", "480m", True),  # Not the same text: a change, and it cannot be called stricter.
        ("longer", "8h", "481m", True),
        ("longer", "8h", "1h", False),
        ("shorter", "8h", "1h", True),
        ("lower", 2, 1, True),
        ("lower", 2, 3, False),
        ("higher", 0.5, 0.6, True),
        ("fewer", 2, 1, True),
        ("more", ("a",), ("a", "b"), True),
        ("more", ("a", "b"), ("a",), False),
        ("more", ("a", "b"), ("b", "c"), True),
        ("fewer", ("a", "b"), ("a", "b", "c"), False),
        ("fewer", ("a", "b"), ("b",), True),
        ("either", ("a", "b"), ("b",), True),
        ("either", 1, 1, False),
        ("on", False, True, True),
        ("off", False, True, False),
        ("either", False, True, True),
        ("either", "eu", "us", True),
        ("longer", "eu", "us", True),
    ],
)
def test_which_values_ask_less(direction, own, value, looser) -> None:
    if (own, value) == ("8h", "480m"):
        looser = False  # Equally long asks as much.
    assert is_looser(direction, own, value) is looser


@given(st.integers(-5, 5), st.integers(-5, 5), st.sampled_from(["higher", "lower"]))
def test_of_two_different_numbers_one_direction_is_looser(own, value, direction) -> None:
    other = {"higher": "lower", "lower": "higher"}[direction]
    assert is_looser(direction, own, value) + is_looser(other, own, value) == (own != value)


def test_no_overlay_ships_and_no_shipped_bundle_loosens_anything() -> None:
    controls = load(shipped("controls"))
    assert not controls.overlays
    assert {"pci-dss-4.0.1", "strict", "hipaa-nprm-2025"} <= set(controls.bundles)
    assert [bundle.id for bundle in controls.bundles.values() if bundle.proposed] == ["hipaa-nprm-2025"]
    text = "kind: Overlay\nid: all\ntitle: All\nuse:\n"
    for number, bundle in enumerate(controls.bundles):
        text += f"  - {{bundle: {bundle}, from: 202{number}-01-01, until: 202{number}-12-31}}\n"
    used = load_bytes(dict(controls.files) | {"own/overlays/all.yaml": text.encode()})
    assert not [each for slices in used.slices.values() for each in slices if each.looser]
    assert any("proposed, not in force" in (each.bundle or "") for each in used.slices["IDN-01"])


# The own folder.


def put(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "x.yaml").write_text(text, encoding="utf-8")
    return folder


def whole(folder: Path) -> Path:
    for name, data in files().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def laid_over(tmp_path: Path, **texts: str) -> Controls:
    return load(whole(tmp_path / "shipped"), put(tmp_path / "mine", **texts))


OWN_TEST = TESTS.replace("ABC-01", "OWN-01")
OWN_MAPPING = MAPPING.replace("ABC-01", "OWN-01")


def test_an_own_folder_adds_tests_mappings_and_overlays_under_its_own_names(tmp_path: Path) -> None:
    controls = laid_over(tmp_path, tests=OWN_TEST, mappings=OWN_MAPPING, overlays=OVERLAY)
    assert [test.id for test in controls.tests_of("house", "H.1")] == ["ABC-01", "OWN-01"]
    assert {name for name in controls.files if name.startswith("own/")} == {
        "own/tests/x.yaml",
        "own/mappings/x.yaml",
        "own/overlays/x.yaml",
    }
    again = load_bytes(controls.files)
    assert (again.sha256, again.slices, again.mappings) == (controls.sha256, controls.slices, controls.mappings)


def test_an_own_mapping_may_test_what_the_shipped_catalogue_does_not(tmp_path: Path) -> None:
    controls = laid_over(tmp_path, mappings=MAPPING.replace("H.1", "H.2"))
    row = next(row for row in coverage(controls, "house").controls if row.control_id == "H.2")
    assert (row.status.value, row.not_tested_because) == ("tested", None)


def test_a_shipped_id_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(ControlsInvalid) as caught:
        laid_over(tmp_path, tests=TESTS)
    (found,) = caught.value.problems
    assert found.startswith(
        "own/tests/x.yaml:4:9: the test 'ABC-01' is here a second time. It is shipped, at tests/house.yaml:4"
    )
    assert "change it with an overlay" in found


def test_a_pair_that_is_mapped_already_names_both_places(tmp_path: Path) -> None:
    with pytest.raises(ControlsInvalid) as caught:
        laid_over(tmp_path, mappings=MAPPING)
    (found,) = caught.value.problems
    assert found.startswith("own/mappings/x.yaml:4:5: the mapping from 'H.1 to ABC-01' is here a second time")
    assert "mappings/house.yaml:4" in found


@pytest.mark.parametrize("name", ["overlay/x.yaml", "x.yaml", "schema/x.yml"])
def test_yaml_where_nobody_looks_is_a_problem(tmp_path: Path, name: str) -> None:
    path = tmp_path / "mine" / name
    path.parent.mkdir(parents=True)
    path.write_text(OVERLAY, encoding="utf-8")
    with pytest.raises(ControlsInvalid) as caught:
        load(whole(tmp_path / "shipped"), tmp_path / "mine")
    (found,) = caught.value.problems
    assert found.startswith(f"own/{name}:1:1: this file is not read. Move it into one of ")


def test_an_own_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        load(whole(tmp_path / "shipped"), tmp_path / "mine")


# Applicability and text.


def test_a_statement_stands_beside_a_control_and_changes_no_status(tmp_path: Path) -> None:
    controls = laid_over(tmp_path, applicability=STATEMENT)
    found = coverage(controls, "house")
    assert found.is_stated
    assert [(row.status.value, row.applicability and row.applicability.applicable) for row in found.controls] == [
        ("tested", False),
        ("not_tested", None),
    ]


STATEMENTS = [
    ("no such control", ("H.1", "H.3"), "4:15", "no control 'H.3'", "'H.2'"),
    ("an alias", ("H.1", "OLD.1"), "4:15", "no control 'OLD.1'", "write 'H.1'"),
    ("no such framework", ("house-rules", "hose-rules"), "2:12", "no catalogue 'hose-rules'", "'house-rules'"),
    ("no reason", ("Nobody holds rights here.", "' '"), "4:47", "reason is empty", "ISO/IEC 27001"),
    ("no such word", ("false,", "false, implemented: mostly,"), "4:52", "'mostly'", "partly"),
    ("not said", ("applicable: false, ", ""), "4:5", "'applicable' is missing", "applicable:"),
]


@pytest.mark.parametrize(("name", "swap", "place", "message", "hint"), STATEMENTS, ids=[case[0] for case in STATEMENTS])
def test_a_mistake_in_a_statement_is_named(name, swap, place, message, hint) -> None:
    (found,) = problems(files(applicability=STATEMENT.replace(*swap)))
    assert found.startswith(f"own/applicability/x.yaml:{place}: "), (name, found)
    assert message in found
    assert hint in found.partition(message)[2]


def test_a_control_is_stated_once() -> None:
    given = files(applicability=STATEMENT) | {"own/applicability/y.yaml": STATEMENT.encode()}
    (found,) = problems(given)
    assert found.startswith("own/applicability/y.yaml:4:15: the statement on control 'H.1' is here a second time.")
    assert "own/applicability/x.yaml:4" in found


def test_licensed_text_is_shown_only_when_asked_for_and_is_in_no_file_of_a_pack(tmp_path: Path) -> None:
    controls = laid_over(tmp_path, texts=TEXT)
    assert not [name for name, data in controls.files.items() if b"own words" in data]
    assert controls.sha256 == load(tmp_path / "shipped").sha256
    assert [row.text for row in coverage(controls, "house").controls] == [None, None]
    assert [row.text for row in coverage(controls, "house", with_text=True).controls] == [
        "The owner's own words.",
        None,
    ]


def test_licensed_text_is_refused_where_it_would_be_passed_on(tmp_path: Path) -> None:
    put(whole(tmp_path / "shipped"), catalog=TEXT)
    with pytest.raises(ControlsInvalid, match=r"catalog/x.yaml:1:7: licensed text is never shipped"):
        load(tmp_path / "shipped")
    assert "licensed text is in a pack" in problems(files(texts=TEXT))[0]
    with pytest.raises(ControlsInvalid, match="licence note is empty"):
        laid_over(tmp_path / "b", texts=TEXT.replace("Ours alone.", "''"))
    with pytest.raises(ControlsInvalid, match=r"no control 'H\.9'"):
        laid_over(tmp_path / "c", texts=TEXT.replace("H.1", "H.9"))
