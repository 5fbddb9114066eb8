# SPDX-License-Identifier: Apache-2.0

"""What an organisation lays over the shipped controls: its own files, applicability and licensed text."""

from pathlib import Path

import pytest

from app.controls.coverage import coverage
from app.controls.loader import Controls, load, load_bytes
from app.errors import ControlsInvalid, InvalidInput
from tests.controls.house import MAPPING, OVERLAY, TESTS, files, problems

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
OWN_TEST = TESTS.replace("ABC-01", "OWN-01")
OWN_MAPPING = MAPPING.replace("ABC-01", "OWN-01")


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
