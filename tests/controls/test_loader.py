# SPDX-License-Identifier: Apache-2.0

"""The loader names every mistake by file, line and hint, survives hostile YAML, and hides no file behind another."""

import textwrap
from pathlib import Path

import pytest

from app.controls.document import MAX_BYTES
from app.controls.loader import Controls, load, load_bytes
from app.errors import ControlsInvalid, InvalidInput, NotFound

CATALOG = """\
kind: Catalog
id: house-rules
title: House rules
edition: "1"
short_names: [house]
text_licence: own-words
source_url: https://rules.example
controls:
  - id: H.1
    label: Rights have names
    summary: Each right has a name.
    aliases: [OLD.1]
  - id: H.2
    label: Doors
    summary: Doors are shut.
    not_tested_because: Doors leave no trace.
"""
MAPPING = """\
kind: Mapping
framework: house-rules
entries:
  - control: H.1
    test: ABC-01
    relation: supports
    strength: primary
    basis: direct
    rationale: The test looks at the name.
"""
TESTS = """\
kind: ControlTests
title: Names
tests:
  - id: ABC-01
    title: Grant has a named role
    intent: Names.
    population: grant
    applies_when: grant.privileged
    requires:
      records: [grant]
      fields: [grant.role]
    assert: |-
      size(grant.role)
        >= p.min_chars
    parameters:
      min_chars: 3
    severity: low
    columns: [grant.id, grant.role]
    meaning:
      fails: it has none.
      no_evidence: it is not told.
      not_applicable: it is not privileged.
    cause: Numbers.
    effect: Doubt.
    remediation: Names.
    examples:
      - {name: named, given: {grant: {privileged: true, role: reader}}, expect: pass}
      - {name: not named, given: {grant: {privileged: true, role: ""}}, expect: fail}
      - {name: not told, given: {grant: {privileged: true}}, expect: no_evidence}
"""


def files(**changed: str) -> dict[str, bytes]:
    texts = {"catalog": CATALOG, "mappings": MAPPING, "tests": TESTS} | changed
    return {f"{folder}/house.yaml": text.encode() for folder, text in texts.items()}


def problems(given: dict[str, bytes]) -> list[str]:
    with pytest.raises(ControlsInvalid) as caught:
        load_bytes(given)
    return caught.value.problems


def test_a_small_set_of_controls_loads() -> None:
    controls = load_bytes(files())
    assert list(controls.tests) == ["ABC-01"]
    assert controls.resolve_framework("house").id == "house-rules"
    assert controls.resolve_control("house", "OLD.1").id == "H.1"
    assert [test.id for test in controls.tests_for("house-rules")] == ["ABC-01"]
    assert [test.id for test in controls.tests_of("house-rules", "H.1")] == ["ABC-01"]
    assert controls.tests_of("house-rules", "H.2") == ()
    assert len(controls.catalogs["house-rules"].controls) == 2
    assert controls.mappings["house-rules"].entries[0].test == "ABC-01"


def test_names_that_do_not_exist_get_a_hint() -> None:
    controls = load_bytes(files())
    with pytest.raises(NotFound, match="Did you mean 'house-rules'"):
        controls.resolve_framework("house-rule")
    with pytest.raises(NotFound, match=r"no control 'H\.9'"):
        controls.resolve_control("house", "H.9")


CASES = [
    ("an unknown key", "tests", ("severity: low", "severty: low"), "17:5", "'severty'", "'severity'"),
    ("a missing key", "tests", ("    cause: Numbers.\n", ""), "4:5", "'cause' is missing", "controls/README.md"),
    ("a wrong type", "tests", ("columns: [grant.id, grant.role]", "columns: grant.id"), "18:14", "a list", "[a, b]"),
    ("no such choice", "tests", ("severity: low", "severity: lowest"), "17:15", "'lowest'", "'low'"),
    ("a bad id", "tests", ("id: ABC-01", "id: abc"), "4:9", "not an id", "APR-01"),
    ("a mapping as parameter", "tests", ("min_chars: 3", "min_chars: {a: 3}"), "16:18", "got a mapping", "[a, b]"),
    ("an unused parameter", "tests", ("min_chars: 3", "min_chars: 3\n      other: 60s"), "17:7", "'other'", "p.other"),
    ("a parameter's name", "tests", ("min_chars: 3", "min_chars: 3\n      Big-One: 1"), "17:7", "'Big-One'", "lower"),
    ("no such population", "tests", ("population: grant", "population: grants"), "7:17", "'grants'", "'grant'"),
    ("no such record type", "tests", ("records: [grant]", "records: [grnt]"), "10:17", "'grnt'", "'grant'"),
    ("no such field", "tests", ("[grant.role]", "[grant.rle]"), "11:16", "'grant.rle'", "'role'"),
    ("never missing", "tests", ("[grant.role]", "[grant.role, grant.id]"), "11:28", "never missing", "Leave it out"),
    ("no such column", "tests", ("[grant.id, g", "[grant.idd, g"), "18:15", "'grant.idd'", "'id'"),
    ("not a single value", "tests", ("[grant.id, grant.role]", "[approvals]"), "18:15", "single value", "approvals.id"),
    ("an unguarded read", "tests", ("fields: [grant.role]", "fields: []"), "13:17", "grant.role", "grant.role"),
    ("a wrong type in CEL", "tests", (">= p.min_chars", '>= "three"'), "14:9", "assert:", ""),
    ("no such variable", "tests", (">= p.min_chars", ">= p.min_charz + p.min_chars"), "14:13", "min_charz", ""),
    ("not CEL", "tests", ("applies_when: grant.privileged", "applies_when: grant."), "8:25", "applies_when:", ""),
    ("no example of no evidence", "tests", ("expect: no_evidence", "expect: fail"), "26:5", "no_evidence", "Add one"),
    ("an example's key", "tests", ("role: reader", "rolle: reader"), "27:57", "'rolle'", "'role'"),
    ("two examples' name", "tests", ("{name: not told", "{name: named"), "27:16", "have this name", "special"),
    (
        "a parameter of an example",
        "tests",
        ("expect: pass}", "expect: pass, parameters: {mn_chars: 1}}"),
        "27:100",
        "'mn_chars'",
        "'min_chars'",
    ),
    (
        "its type",
        "tests",
        ("expect: pass}", 'expect: pass, parameters: {min_chars: "1"}}'),
        "27:111",
        "another type",
        "same",
    ),
    ("a kind", "tests", ("kind: ControlTests", "kind: ControlTest"), "1:7", "'ControlTest'", "'ControlTests'"),
    ("no kind", "tests", ("kind: ControlTests\n", ""), "1:1", "no 'kind'", "Catalog"),
    ("no tests", "tests", (TESTS[TESTS.index("tests:") :], "tests: []\n"), "3:1", "at least one", "tests:"),
    ("no such test", "mappings", ("test: ABC-01", "test: ABC-02"), "5:11", "'ABC-02'", "'ABC-01'"),
    ("no such control", "mappings", ("control: H.1", "control: H.3"), "4:14", "'H.3'", "'H.2'"),
    ("an alias", "mappings", ("control: H.1", "control: OLD.1"), "4:14", "'OLD.1'", "write 'H.1'"),
    (
        "no such catalogue",
        "mappings",
        ("framework: house-rules", "framework: hose-rules"),
        "2:12",
        "'hose-rules'",
        "'house-rules'",
    ),
    (
        "a short name",
        "mappings",
        ("framework: house-rules", "framework: house"),
        "2:12",
        "'house'",
        "write 'house-rules'",
    ),
    ("tested, but says why not", "mappings", ("control: H.1", "control: H.2"), "16:5", "'H.2' is tested", "Remove"),
    (
        "not tested, no reason",
        "catalog",
        ("    not_tested_because: Doors leave no trace.\n", ""),
        "13:9",
        "'H.2'",
        "not_tested_because",
    ),
    (
        "a control twice",
        "catalog",
        ("id: H.2", "id: H.1"),
        "13:9",
        "control 'H.1' is here a second",
        "catalog/house.yaml:9",
    ),
    (
        "copied text",
        "catalog",
        ("label: Doors", "label: Doors\n    text: The owner says."),
        "15:5",
        "not quote",
        "own words",
    ),
]


@pytest.mark.parametrize(
    ("name", "folder", "change", "place", "message", "hint"), CASES, ids=[case[0] for case in CASES]
)
def test_a_mistake_is_named_with_place_and_hint(name, folder, change, place, message, hint) -> None:
    text = {"catalog": CATALOG, "mappings": MAPPING, "tests": TESTS}[folder]
    assert change[0] in text, name
    found = problems(files(**{folder: text.replace(change[0], change[1], 1)}))
    where = "catalog" if name == "tested, but says why not" else folder
    at_place = [line for line in found if line.startswith(f"{where}/house.yaml:{place}: ")]
    assert len(at_place) == 1, found
    assert message in at_place[0]
    assert hint in at_place[0].partition(message)[2]


HOSTILE = [
    ("an anchor", "kind: &a ControlTests\ntitle: *a\n", "1:7", "anchors", "Write the value out"),
    ("an alias", "kind: ControlTests\ntitle: *a\n", "2:8", "aliases", "Write the value out"),
    ("a tag", "kind: !!python/object/apply:os.system ['true']\n", "1:7", "tags", "'!'"),
    ("a merge key", "kind: ControlTests\n<<: {title: x}\n", "2:1", "merge", "Write the keys out"),
    ("a key twice", "kind: ControlTests\ntitle: a\ntitle: b\n", "3:1", "'title' is here twice", "Keep one"),
    ("a list as key", "? [a, b]\n: c\n", "1:3", "key must be a text", "Quote"),
    ("two documents", "kind: ControlTests\n---\nkind: Catalog\n", "2:1", "second document", "file of its own"),
    ("broken YAML", "kind: ControlTests\ntests: [a, b\n", "3:1", "not YAML", "indentation"),
    ("a tab", "kind: ControlTests\n\ttitle: x\n", "2:1", "not YAML", "no tabs"),
    ("not UTF-8", b"kind: ControlTests\ntitle: \xff\n", "2:1", "UTF-8", "Save"),
    ("a control character", "kind: \x07\n", "1:1", "not YAML", "control characters"),
    ("too deep", "a: " + "[" * 30 + "]" * 30, "1:23", "20 deep", "Flatten"),
    ("very deep", "a: " + "[" * 100_000, "1:23", "20 deep", "Flatten"),
    ("too many values", "a: [" + "x," * 200_000 + "]", "1:", "50000 values", "Split"),
    ("too big", "#" * (MAX_BYTES + 1), "1:1", "bytes", "Split"),
    ("empty", "", "1:1", "mapping", "kind:"),
    ("a text", "just words\n", "1:1", "mapping", "kind:"),
]


@pytest.mark.parametrize(("name", "text", "place", "message", "hint"), HOSTILE, ids=[case[0] for case in HOSTILE])
def test_hostile_yaml_is_refused_at_its_place(name, text, place, message, hint) -> None:
    data = text if isinstance(text, bytes) else text.encode()
    found = problems({"tests/evil.yaml": data})
    assert found[0].startswith(f"tests/evil.yaml:{place}"), found
    assert message in found[0]
    assert hint in found[0]


def test_a_billion_laughs_stay_unheard() -> None:
    lines = ['a0: &a0 ["lol", "lol"]'] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    found = problems({"tests/evil.yaml": "\n".join(lines).encode()})
    assert found == ["tests/evil.yaml:1:5: anchors are not allowed. Write the value out where it is used."]


def test_two_bad_files_are_both_reported_in_order() -> None:
    second = TESTS.replace("ABC-01", "ABC-02").replace("severity: low", "severity: 7")
    given = files(tests=TESTS.replace("title: Names", "titel: Names")) | {"tests/second.yaml": second.encode()}
    found = problems(given)
    assert [line.partition(": ")[0] for line in found] == ["tests/house.yaml:2:1", "tests/second.yaml:17:15"]


def test_two_bad_tests_of_one_file_are_both_reported() -> None:
    one = TESTS[TESTS.index("  - id") :]
    text = TESTS.replace("severity: low", "severity: 7") + one.replace("ABC-01", "ABC-02").replace("effect:", "efect:")
    found = problems(files(tests=text))
    assert [line.partition(": ")[0] for line in found] == ["tests/house.yaml:17:15", "tests/house.yaml:50:5"]


def test_a_broken_test_is_not_also_an_unknown_one() -> None:
    found = problems(files(tests=TESTS.replace("severity: low", "severity: 7")))
    assert len(found) == 1, found


def test_the_same_test_in_two_files_names_both() -> None:
    found = problems(files() | {"tests/more.yaml": TESTS.encode()})
    assert len(found) == 1
    assert found[0].startswith("tests/more.yaml:4:9: the test 'ABC-01' is here a second time.")
    assert "tests/house.yaml:4" in found[0]


def test_two_frameworks_cannot_share_a_name() -> None:
    other = CATALOG.replace("id: house-rules", "id: other").replace(
        "    aliases: [OLD.1]\n", "    not_tested_because: x\n"
    )
    found = problems(files() | {"catalog/other.yaml": other.encode()})
    assert [line for line in found if line.startswith("catalog/other.yaml:5:14: the name 'house' already belongs")]


def test_text_from_a_file_cannot_steer_a_terminal() -> None:
    found = problems(files(tests=TESTS.replace("severity: low", 'severity: "\\e[2Jlow"')))
    assert "\x1b" not in found[0]


@pytest.mark.parametrize("style", ["|-", ">-", "|", ">"])
def test_places_in_block_texts_are_exact(style: str) -> None:
    text = TESTS.replace("assert: |-", f"assert: {style}").replace("        >= p.min", "      >= p.mni")
    found = problems(files(tests=text))
    assert found[0].startswith("tests/house.yaml:14:11: assert:"), found


@pytest.mark.parametrize("quoted", ['"size(grant.rol) > 0"', "'size(grant.rol) > 0'"])
def test_places_in_quoted_texts_are_exact(quoted: str) -> None:
    text = TESTS.replace("      size(grant.role)\n        >= p.min_chars\n", "").replace("|-", quoted)
    found = problems(files(tests=text))
    assert [line for line in found if line.startswith("tests/house.yaml:12:24: assert:")], found


def test_plain_words_stay_texts() -> None:
    text = TESTS.replace("title: Names", "title: no").replace("name: named,", "name: 2026-01-01,")
    controls = load_bytes(files(tests=text))
    assert controls.tests["ABC-01"].examples[0].name == "2026-01-01"


def test_a_directory_loads_as_its_bytes_do(tmp_path: Path) -> None:
    write(tmp_path, files())
    (tmp_path / "README.md").write_text("Not read.")
    (tmp_path / "tests" / ".house.yaml.swp").write_text("Not read.")
    from_directory, from_bytes = load(tmp_path), load_bytes(files())
    assert from_directory == from_bytes
    assert from_directory.sha256 == from_bytes.sha256
    assert dict(from_directory.files) == files()


def test_a_file_that_would_not_be_read_is_a_problem(tmp_path: Path) -> None:
    write(tmp_path, files())
    (tmp_path / "tests" / "more.yml").write_text(TESTS)
    with pytest.raises(ControlsInvalid, match=r"tests/more\.yml:1:1: this file is not read\. Name it '\*\.yaml'"):
        load(tmp_path)


def test_a_directory_without_controls_does_not_load(tmp_path: Path) -> None:
    with pytest.raises(ControlsInvalid, match="no YAML file"):
        load(tmp_path)
    with pytest.raises(InvalidInput, match="not a directory"):
        load(tmp_path / "nothing")


def test_digests_follow_files_definitions_and_parameters() -> None:
    controls = load_bytes(files())
    assert load_bytes(files(tests=TESTS + "# a comment\n")).sha256 != controls.sha256
    assert digest(load_bytes(files(tests=TESTS + "# a comment\n"))) == digest(controls)
    assert digest(load_bytes(files(tests=TESTS.replace("Doubt", "Fear")))) != digest(controls)
    assert digest(load_bytes(files(tests=TESTS.replace("min_chars: 3", "min_chars: 4")))) != digest(controls)


def digest(controls: Controls) -> str:
    return controls.definition_sha256(controls.tests["ABC-01"])


def write(directory: Path, given: dict[str, bytes]) -> None:
    for name, data in given.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def test_the_readme_example_loads_and_its_hints_hold() -> None:
    readme = (Path(__file__).parents[2] / "controls" / "README.md").read_text()
    example = readme.partition("```yaml\n")[2].partition("```")[0]
    given = {"tests/example.yaml": f"kind: ControlTests\ntitle: Example\ntests:\n{example}".encode()}
    assert list(load_bytes(given).tests) == ["GRT-09"], textwrap.shorten(example, 200)
