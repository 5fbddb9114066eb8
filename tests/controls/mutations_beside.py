# SPDX-License-Identifier: Apache-2.0

"""Mistakes in what stands beside the tests: risk rules, metrics, an organisation's overlays; see ``mutations.py``."""

from tests.controls.mutations import MARK as M
from tests.controls.mutations import Edit, Mutation, also, new_file, swap

RULES, METRICS = "rules/database.yaml", "metrics/governance.yaml"
OVERLAY, BUNDLE = "overlays/house.yaml", "parameters/house.yaml"

RISK_RULES = (
    Mutation(
        "a pattern that looks ahead",
        RULES,
        swap("- '\\bDROP\\s+(", f"- {M}'(?!x)\\bDROP\\s+("),
        "RE2 does not take this pattern",
        "RE2 has no look-around; say the exception in 'unless'",
    ),
    Mutation(
        "a pattern that looks back",
        RULES,
        swap("- '\\bDROP\\s+(", f"- {M}'(?<=x)\\bDROP\\s+("),
        "RE2 does not take this pattern",
        "RE2 has no look-around",
    ),
    Mutation(
        "a pattern with a bracket too few",
        RULES,
        swap("- '\\bDROP\\s+(", f"- {M}'\\bDROP\\s+(("),
        "RE2 does not take this pattern",
        "Patterns are RE2",
    ),
    Mutation(
        "a pattern that finds everything",
        RULES,
        swap("- '\\bDROP\\s+(", f"- {M}'x*|\\bDROP\\s+("),
        "the pattern is found in every text",
        "Leave out what may be missing",
    ),
    Mutation(
        "a pattern that is too long",
        RULES,
        swap("- '\\bDROP\\s+(", f"- {M}'{'x' * 500}|\\bDROP\\s+("),
        "more than 500 characters",
        "Make several patterns",
    ),
    Mutation(
        "a sample that the rule does not flag",
        RULES,
        swap("- DROP TABLE customers;", f"- {M}SELECT id FROM customers WHERE id = 1"),
        "database.destructive does not flag this",
        "move the text to 'misses'",
    ),
    Mutation(
        "a sample that the rule must not flag and does",
        RULES,
        swap("- truncate -s 10M disk.img", f"- {M}DROP TABLE customers"),
        "database.destructive flags this",
        "move the text to 'hits'",
    ),
    Mutation(
        "a rule without enough samples",
        RULES,
        swap(
            "    misses:\n      - systemctl status postgresql\n      - pip show psycopg\n"
            "      - ls /etc/mysql-backup\n",
            f"    {M}misses:\n      - ls\n",
        ),
        "database.client has 1 misses",
        "Give at least 2",
    ),
    Mutation(
        "a rule twice",
        RULES,
        swap("id: database.destructive", f"id: {M}database.client"),
        "the rule 'database.client' is here a second time",
        f"the first is at {RULES}:5",
    ),
    Mutation(
        "a key that no rule has", RULES, swap("    why:", f"    {M}reason:"), "no key 'reason' here", "Known here:"
    ),
    Mutation(
        "a rule of a severity that does not exist",
        RULES,
        swap("severity: low", f"severity: {M}lw"),
        "'lw'",
        "Did you mean 'low'",
    ),
)

METRIC = (
    Mutation(
        "a metric over an unknown population",
        METRICS,
        swap("population: session\n", f"population: {M}sesion\n"),
        "there is no population 'sesion'",
        "Did you mean 'session'",
    ),
    Mutation(
        "a metric of an unknown test",
        METRICS,
        swap("test: APR-01", f"test: {M}APR-99"),
        "there is no test 'APR-99'",
        "Did you mean 'APR-0",
        alone=False,
    ),
    Mutation(
        "a metric of a test about another population",
        METRICS,
        swap("population: grant\n    test", f"population: {M}session\n    test"),
        "the test 'APR-01' is about another population",
        "Write 'population: grant'",
        alone=False,
    ),
    Mutation(
        "a metric by a field that does not exist",
        METRICS,
        swap("by: [workflow.name, grant.basis]", f"by: [{M}workflow.nam, grant.basis]"),
        "the population 'grant' has no 'workflow.nam'",
        "Did you mean 'name'",
    ),
    Mutation(
        "a measure that does not exist",
        METRICS,
        swap("measure: outcome_ratio", f"measure: {M}outcome_ration"),
        "'outcome_ration'",
        "Did you mean 'outcome_ratio'",
    ),
    Mutation(
        "a measure without what it needs",
        METRICS,
        also(swap("    counted: [pass]\n", ""), swap("measure: outcome_ratio", f"measure: {M}outcome_ratio")),
        "the measure 'outcome_ratio' needs 'counted'",
        "Write 'counted:'",
    ),
    Mutation(
        "a condition of a metric that is not CEL",
        METRICS,
        swap('each.decision == "approved" &&', f'each{M}.decison == "approved" &&'),
        "has no field 'decison'",
        "Did you mean 'decision'",
    ),
    Mutation(
        "a metric twice",
        METRICS,
        swap("id: MG-02", f"id: {M}MG-01"),
        "the metric 'MG-01' is here a second time",
        f"{METRICS}:5",
    ),
)


def overlay(*changes: str, extends: str = "[]", key: str = "", name: str = "house") -> Edit:
    """Return the edit that writes an overlay with these changes, in flow style, or with one that is in order."""
    lines = "".join(f"  - {{{change}}}\n" for change in changes or (IN_ORDER,))
    return new_file(f"kind: Overlay\nid: {name}\ntitle: House rules\nextends: {extends}\n{key}changes:\n{lines}")


LOOSE = "from: 2026-01-01, reason: Longer shifts, requested_by: ben, approved_by: eva, approved_on: 2025-12-20"
IN_ORDER = "test: GRT-03, from: 2026-01-01, parameters: {max_lag: 10m}"
STRICT = "test: GRT-01, from: 2026-01-01"

OVERLAYS = (
    Mutation(
        "an overlay that extends itself over another",
        "overlays/floor.yaml",
        overlay(extends=f"{M}[house]", name="floor"),
        "overlays extend each other in a circle: floor -> house -> floor",
        "Remove one of the steps",
        alone=False,
    ),
    Mutation(
        "a looser value without anybody's word",
        OVERLAY,
        overlay(f"{STRICT}, parameters: {{max_duration: {M}24h}}"),
        "GRT-01: 'max_duration: 24h' is looser than the test's own 8h, without reason",
        "Add reason, requested_by, approved_by, approved_on",
        alone=False,
    ),
    Mutation(
        "a looser value approved by who asked for it",
        OVERLAY,
        overlay(f"test: GRT-01, {LOOSE.replace('eva', M + 'Ben')}, parameters: {{max_duration: 24h}}"),
        "GRT-01 would ask less, and who requested that approved it",
        "Somebody else must approve",
        alone=False,
    ),
    Mutation(
        "a looser value approved after the fact",
        OVERLAY,
        overlay(f"test: GRT-01, {LOOSE.replace('2025-12-20', M + '2026-02-20')}, parameters: {{max_duration: 24h}}"),
        "GRT-01 would ask less from 2026-01-01 on, but that was approved on 2026-02-20",
        "Begin on the day of the approval",
        alone=False,
    ),
    Mutation(
        "one parameter set twice",
        OVERLAY,
        overlay(
            f"{STRICT}, parameters: {{max_duration: 4h}}",
            f"{STRICT}, parameters: {{{M}max_duration: 2h}}",
        ),
        "max_duration of GRT-01 is set twice for the same items and days",
        f"The first is at {OVERLAY}:6",
        alone=False,
    ),
    Mutation(
        "a change of a test that does not exist",
        OVERLAY,
        overlay(f"test: {M}GRT-99, from: 2026-01-01, parameters: {{max_duration: 4h}}"),
        "there is no test 'GRT-99'",
        "Did you mean 'GRT-0",
        alone=False,
    ),
    Mutation(
        "a change of a parameter that does not exist",
        OVERLAY,
        overlay(f"{STRICT}, parameters: {{{M}max_duraton: 4h}}"),
        "GRT-01 has no parameter 'max_duraton'",
        "Did you mean 'max_duration'",
        alone=False,
    ),
    Mutation(
        "a change to a value of another type",
        OVERLAY,
        overlay(f"{STRICT}, parameters: {{max_duration: {M}4}}"),
        "'max_duration' of GRT-01 has another type",
        "Write it as the test does: 8h",
        alone=False,
    ),
    Mutation(
        "a change for items by a field that does not exist",
        OVERLAY,
        overlay(f"{STRICT}, where: 'grant{M}.rle == \"dba\"', parameters: {{max_duration: 4h}}"),
        "GrantView has no field 'rle'",
        "Did you mean 'role'",
        alone=False,
    ),
    Mutation(
        "a change that ends before it begins",
        OVERLAY,
        overlay(f"{STRICT}, until: {M}2025-12-01, parameters: {{max_duration: 4h}}"),
        "the change ends before it begins",
        "It begins on 2026-01-01",
    ),
    Mutation(
        "an overlay that extends one that does not exist",
        OVERLAY,
        overlay(extends=f"[{M}flor]"),
        "there is no overlay 'flor'",
        "Did you mean 'floor'",
        alone=False,
    ),
    Mutation(
        "a key that no overlay has",
        OVERLAY,
        overlay(key=f"{M}scope: all\n"),
        "there is no key 'scope' here",
        "Known here:",
    ),
    Mutation(
        "a bundle with a parameter that does not exist",
        BUNDLE,
        new_file(
            "kind: ParameterBundle\nid: pci\ntitle: Times\nsource: a standard\n"
            f"values:\n  SES-03: {{{M}max_idel: 15m}}\n"
        ),
        "SES-03 has no parameter 'max_idel'",
        "Did you mean 'max_idle'",
        alone=False,
    ),
)

OWN = {
    "overlays/house.yaml": overlay(extends="[floor]")("").encode(),
    "overlays/floor.yaml": overlay("test: SES-03, from: 2026-01-01, parameters: {max_session: 4h}", name="floor")(
        ""
    ).encode(),
}
"""Two overlays in order, the one laid over the other."""

BESIDE = (*RISK_RULES, *METRIC, *OVERLAYS)
