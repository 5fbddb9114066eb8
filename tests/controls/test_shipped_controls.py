# SPDX-License-Identifier: Apache-2.0

"""The controls that ship: they load, every framework is whole, and what is generated from them is current."""

import re
from collections import Counter
from pathlib import Path

import jsonschema
import pytest
import yaml

from app.controls.document import read_document
from app.controls.loader import Controls, load
from app.controls.paths import look_up
from app.controls.reference import reference_page
from app.controls.schema import schema_files
from app.trails.populations import POPULATIONS

ROOT = Path(__file__).parents[2]
CONTROLS = ROOT / "controls"


@pytest.fixture(scope="module")
def controls() -> Controls:
    return load(CONTROLS)


def test_there_are_tests_for_every_population(controls: Controls) -> None:
    assert len(controls.tests) >= 50
    assert {test.population for test in controls.tests.values()} == set(POPULATIONS)


def test_every_test_says_where_its_population_comes_from(controls: Controls) -> None:
    for test in controls.tests.values():
        assert test.frame, test.id
        assert set(test.looser) == set(test.parameters), test.id


def test_rules_that_a_test_names_exist(controls: Controls) -> None:
    rules = set(controls.rules)
    families = {name.split(".")[0] for name in rules}
    for test in controls.tests.values():
        for parameter, known in (("rules", rules), ("right_rules", rules), ("families", families)):
            assert set(test.parameters.get(parameter, ())) <= known, test.id
        assert set(test.parameters.get("tamper_families", ())) <= families, test.id


def test_rules_and_families_that_an_expression_names_exist(controls: Controls) -> None:
    rules = set(controls.rules)
    known = {"rule": rules, "family": {name.split(".")[0] for name in rules}}
    asked = {test.id: (test.applies_when, test.no_evidence_when, test.assertion) for test in controls.tests.values()}
    asked |= {metric.id: (metric.where, metric.of or "") for metric in controls.metrics.values()}
    named = [
        (id_, field, name)
        for id_, expressions in asked.items()
        for field, name in re.findall(r'\bf\.(rule|family) == "([^"]+)"', " ".join(expressions))
    ]
    assert {id_ for id_, _, _ in named} >= {"MR-03", "MR-05", "MR-12"}
    assert [each for each in named if each[2] not in known[each[1]]] == []


def test_a_control_without_a_test_says_what_is_needed_and_from_whom(controls: Controls) -> None:
    for catalog in controls.catalogs.values():
        for control in catalog.controls:
            reason = control.not_tested_because
            assert reason is None or re.search(r"Needed(, if [^:]+)?: .+, from .+\.", reason), control.id


SIZES = {
    "soc2": 61,
    "iso27001": 93,
    "hipaa": 71,
    "800-53": 71,
    "csf": 106,
    "nhi": 10,
    "ai-rmf": 72,
    "pci": 69,
    "gdpr": 20,
    "nis2": 16,
    "dora": 19,
}


def test_every_catalogue_has_its_size_written_down(controls: Controls) -> None:
    assert {controls.resolve_framework(name).id for name in SIZES} == set(controls.catalogs)


@pytest.mark.parametrize(("name", "count"), SIZES.items())
def test_a_framework_is_whole(controls: Controls, name: str, count: int) -> None:
    catalog = controls.resolve_framework(name)
    assert len(catalog.controls) == count
    tested = {entry.control for entry in controls.entries_for(name)}
    for control in catalog.controls:
        assert (control.not_tested_because is None) == (control.id in tested), control.id


def test_the_common_criteria_and_annex_a_have_no_hole(controls: Controls) -> None:
    criteria = {1: 5, 2: 3, 3: 4, 4: 2, 5: 3, 6: 8, 7: 5, 8: 1, 9: 2}
    wanted = {f"CC{group}.{number}" for group, last in criteria.items() for number in range(1, last + 1)}
    assert wanted <= {control.id for control in controls.resolve_framework("soc2").controls}
    themes = {5: 37, 6: 8, 7: 14, 8: 34}
    wanted = {f"A.{theme}.{number}" for theme, last in themes.items() for number in range(1, last + 1)}
    assert wanted == {control.id for control in controls.resolve_framework("iso27001").controls}


def test_old_iso_numbers_lead_to_the_new_ones(controls: Controls) -> None:
    assert controls.resolve_control("iso27001", "A.9.2.3").id == "A.8.2"
    assert controls.resolve_control("iso27001", "A.12.4.1").id == "A.8.15"


@pytest.mark.parametrize(
    ("framework", "said", "meant"),
    [
        ("csf", "PR.AC-4", "PR.AA-05"),
        ("csf", "DE.CM-7", "DE.CM-03"),
        ("csf", "GV.RM-1", "GV.RR-02"),
        ("nhi", "NHI-05", "NHI5:2025"),
        ("nhi", "NHI-07", "NHI7:2025"),
        ("800-53", "AC-06(05)", "AC-6(5)"),
    ],
)
def test_old_and_mistaken_ids_lead_somewhere(controls: Controls, framework: str, said: str, meant: str) -> None:
    control = controls.resolve_control(framework, said)
    assert control.id == meant
    assert framework == "800-53" or said in control.summary


def test_an_alias_leads_to_one_control(controls: Controls) -> None:
    for catalog in controls.catalogs.values():
        names = Counter(name for control in catalog.controls for name in (control.id, *control.aliases))
        assert [name for name, count in names.items() if count > 1] == [], catalog.id


def test_a_derived_link_names_the_hub_control_it_goes_through(controls: Controls) -> None:
    hub = {(entry.test, entry.control) for entry in controls.entries_for("800-53")}
    derived = [each for mapping in controls.mappings.values() for each in mapping.entries if each.basis == "derived"]
    assert derived
    for entry in derived:
        named = re.match(r"Through ([A-Z]{2}-[0-9]+(\([0-9]+\))?): ", entry.rationale)
        assert named, entry
        assert (entry.test, named[1]) in hub, entry


def test_a_list_of_risks_has_nothing_to_support(controls: Controls) -> None:
    assert {entry.relation for entry in controls.entries_for("nhi")} == {"addresses_risk"}


def test_the_frameworks_that_most_tests_bear_on_come_first(controls: Controls) -> None:
    counts = [len(controls.tests_for(name)) for name in controls.catalogs]
    assert counts == sorted(counts, reverse=True)


def test_only_public_law_is_quoted(controls: Controls) -> None:
    quoting = {catalog.id for catalog in controls.catalogs.values() if any(each.text for each in catalog.controls)}
    assert quoting == {"hipaa-security"}


@pytest.mark.parametrize("name", ["soc2", "iso27001", "hipaa", "800-53", "csf"])
def test_every_test_bears_on_the_broad_frameworks(controls: Controls, name: str) -> None:
    assert {entry.test for entry in controls.entries_for(name)} == set(controls.tests)


def test_rationales_are_specific(controls: Controls) -> None:
    for catalog in controls.catalogs.values():
        counts = Counter(entry.rationale for entry in controls.entries_for(catalog.id))
        assert [text for text, count in counts.items() if count > 1] == []


def test_no_word_of_conclusion_is_used() -> None:
    for path in CONTROLS.rglob("*.yaml"):
        for word in ("compliant", "certified", "satisfies", "complies"):
            assert word not in path.read_text().lower(), f"{path.name}: {word}"


def test_every_instant_in_examples_says_its_zone(controls: Controls) -> None:
    for test in controls.tests.values():
        for example in test.examples:
            for path, value in leaves(example.given):
                extra = look_up(POPULATIONS[test.population], path).type
                assert not (isinstance(value, str) and value[:2] == "20" and extra is int) or value.endswith("Z"), path


def leaves(value: object, path: str = ""):
    match value:
        case dict():
            for key, part in value.items():
                yield from leaves(part, f"{path}.{key}".lstrip("."))
        case list():
            for part in value:
                yield from leaves(part, path)
        case _:
            yield path, value


@pytest.mark.parametrize("name", sorted(schema_files()))
def test_schemas_are_current(name: str) -> None:
    assert (CONTROLS / "schema" / name).read_text() == schema_files()[name], "run 'make docs'"


def test_every_file_names_its_schema_and_fits_it() -> None:
    kinds = {"Catalog": "catalog", "ControlTests": "control-tests", "Mapping": "mapping", "Metrics": "metrics"}
    kinds |= {"RiskRules": "risk-rules", "Overlay": "overlay", "ParameterBundle": "parameter-bundle"}
    kinds |= {"StatementOfApplicability": "statement-of-applicability", "CatalogText": "catalog-text"}
    kinds["SamplingPlan"] = "sampling-plan"
    schemas = {
        path.name: jsonschema.Draft202012Validator(yaml.safe_load(path.read_text()))
        for path in (CONTROLS / "schema").iterdir()
    }
    examples = ROOT / "docs" / "examples"
    for path in [*CONTROLS.rglob("*.yaml"), *examples.rglob("*.yaml")]:
        document = read_document(path.name, path.read_bytes()).value
        assert isinstance(document, dict)
        schema = f"{kinds[document['kind']]}.schema.json"
        named = path.read_text().partition("\n")[0].removeprefix("# yaml-language-server: $schema=")
        assert (path.parent / named).resolve() == CONTROLS / "schema" / schema, path.name
        schemas[schema].validate(document)


def test_the_reference_page_is_current(controls: Controls) -> None:
    page = (ROOT / "docs" / "reference" / "control-tests.md").read_text()
    assert page == reference_page(controls), "run 'make docs'"
