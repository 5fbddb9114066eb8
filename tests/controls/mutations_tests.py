# SPDX-License-Identifier: Apache-2.0

"""Mistakes inside tests, catalogues and mappings: keys, duplicates, examples and expressions; see ``mutations.py``."""

from tests.controls.mutations import (
    ACTIVE,
    DATA,
    NHI_MAP,
    ONE_TEST,
    SOC2,
    SOC2_MAP,
    WAIVER,
    WORKFLOW,
    Mutation,
    also,
    copied,
    new_file,
    no_example,
    swap,
)
from tests.controls.mutations import MARK as M

UNKNOWN_KEYS = (
    Mutation(
        "a key that no file of tests has",
        WORKFLOW,
        swap("title:", f"{M}titel:"),
        "no key 'titel'",
        "Did you mean 'title'",
    ),
    Mutation(
        "a key that no test has", WORKFLOW, swap("    severity:", f"    {M}severty:"), "'severty'", "mean 'severity'"
    ),
    Mutation(
        "a key that 'requires' does not have",
        WORKFLOW,
        swap("records: [w", f"{M}record: [w"),
        "no key 'record' here",
        "Did you mean 'records'",
    ),
    Mutation(
        "a key that 'meaning' does not have",
        WAIVER,
        swap("      not_applicable:", f"      {M}na:"),
        "no key 'na' here",
        "not_applicable",
    ),
    Mutation(
        "a key that no example has",
        WORKFLOW,
        swap("        expect:", f"        {M}expects:"),
        "'expects'",
        "mean 'expect'",
    ),
    Mutation(
        "a part of the row that the population does not have",
        WORKFLOW,
        swap("workflow: {id: wf", f"{M}workflows: {{id: wf", after="examples:"),
        "the population 'workflow' has no 'workflows' here",
        "Did you mean 'workflow'",
    ),
    Mutation(
        "a field of the row that the population does not have",
        WORKFLOW,
        swap("owner_kind: human", f"{M}owner_knd: human", after="examples:"),
        "has no 'owner_knd' here",
        "Did you mean 'owner_kind'",
    ),
    Mutation(
        "a key that no catalogue has", SOC2, swap("edition:", f"{M}editon:"), "'editon'", "Did you mean 'edition'"
    ),
    Mutation(
        "a key that no control has",
        SOC2,
        swap("    label:", f"    {M}lable:", after="- id: CC2.1"),
        "'lable'",
        "Did you mean 'label'",
    ),
    Mutation(
        "a key that no mapping has",
        SOC2_MAP,
        swap("framework:", f"{M}standard: x\nframework:"),
        "'standard'",
        "framework",
    ),
    Mutation(
        "a key that no link has",
        SOC2_MAP,
        swap("    strength:", f"    {M}strenght:"),
        "no key 'strenght' here",
        "Did you mean 'strength'",
    ),
)

TWICE = (
    Mutation(
        "a test twice in one file", WORKFLOW, copied("GOV-01"), "the test 'GOV-01' is here a second", f"at {WORKFLOW}:6"
    ),
    Mutation(
        "two tests of one name in two files",
        "tests/zz.yaml",
        new_file(ONE_TEST.replace("id: ", f"id: {M}", 1)),
        "the test 'GOV-03' is here a second time",
        "the first is at tests/retention.yaml:",
        alone=False,
    ),
    Mutation(
        "a control twice",
        SOC2,
        swap("  - id: CC1.2\n", f"  - id: {M}CC1.1\n"),
        "the control 'CC1.1' is here a second time",
        f"Rename or remove one; the first is at {SOC2}:",
    ),
    Mutation(
        "a link twice",
        SOC2_MAP,
        also(swap("test: GOV-01", "test: APR-03"), swap("control: CC1.3", f"{M}control: CC1.3", after="authority.")),
        "the mapping from 'CC1.3 to APR-03' is here a second time",
        f"{SOC2_MAP}:5",
    ),
    Mutation(
        "a link in two files of one framework",
        "mappings/soc2-more.yaml",
        new_file(
            "kind: Mapping\nframework: owasp-nhi-2025\nentries:\n"
            f"  - {M}{{control: 'NHI1:2025', test: GRT-03, relation: addresses_risk, strength: partial,\n"
            "     basis: direct, rationale: Rights end by themselves.}\n"
        ),
        "the mapping from 'NHI1:2025 to GRT-03' is here a second time",
        f"the first is at {NHI_MAP}:5",
        alone=False,
    ),
    Mutation(
        "a short name of another framework",
        SOC2,
        swap("short_names: [soc2]", f"short_names: {M}[soc2, pci]"),
        "the name 'pci' already belongs to 'pci-dss-4.0.1'",
        "Choose another short name",
        alone=False,
    ),
    Mutation(
        "two examples of one name",
        DATA,
        swap("name: counted and whole", f"name: {M}one item rejected"),
        "two examples have this name",
        "Say what is special",
        alone=False,
        besides="two examples have this name",
    ),
)

EXAMPLES = (
    Mutation("no example that passes", WORKFLOW, no_example("pass", "fail"), "expects pass", "Add one of each"),
    Mutation("no example that fails", WORKFLOW, no_example("fail", "pass"), "expects fail", "Add one of each"),
    Mutation(
        "no example without evidence",
        WORKFLOW,
        no_example("no_evidence", "fail"),
        "expects no_evidence",
        "Add one of each",
    ),
    Mutation(
        "an outcome that does not exist",
        WORKFLOW,
        swap("expect: pass", f"expect: {M}passed"),
        "invalid enum value 'passed'",
        "Did you mean 'pass'",
    ),
    Mutation(
        "an example's parameter that the test does not have",
        WORKFLOW,
        swap("expect: pass", f"expect: pass\n        parameters: {{{M}confirm_evry: 1d}}"),
        "the test has no parameter 'confirm_evry'",
        "Did you mean 'confirm_every'",
    ),
    Mutation(
        "an example's parameter of another type",
        WORKFLOW,
        swap("expect: pass", f"expect: pass\n        parameters: {{confirm_every: {M}365}}"),
        "the parameter 'confirm_every' has another type here",
        "same type",
    ),
)

EXPRESSIONS = (
    Mutation(
        "an expression cut off", WORKFLOW, swap(ACTIVE, f"applies_when: workflow.{M}"), "applies_when:", "the brackets"
    ),
    Mutation(
        "a bracket that is never closed",
        WORKFLOW,
        swap(ACTIVE, f"applies_when: (workflow.active{M}"),
        "applies_when: syntax error",
        "Check the spelling and the brackets",
    ),
    Mutation(
        "a text compared with true or false",
        WORKFLOW,
        swap(ACTIVE, f'applies_when: workflow.active {M}== "yes"'),
        "'==' is not available for",
        "Both sides must have the same type",
    ),
    Mutation(
        "an expression that is neither true nor false",
        WORKFLOW,
        swap(ACTIVE, f"applies_when: {M}workflow.name"),
        "does not come to true or false",
        "Compare the value",
    ),
    Mutation(
        "a field that the view does not have",
        WORKFLOW,
        swap(ACTIVE, f"applies_when: workflow{M}.activ"),
        "WorkflowView has no field 'activ'",
        "Did you mean 'active'",
    ),
    Mutation(
        "a view that the population does not have",
        WORKFLOW,
        swap(ACTIVE, f"applies_when: grant{M}.privileged"),
        "there is no 'grant' in this row",
        "Known here:",
    ),
    Mutation(
        "a field that may be missing, read without a look",
        WORKFLOW,
        swap(
            "workflow.owner_status != null && workflow.owner_status ==", f"workflow{M}.owner_status ==", after="assert:"
        ),
        "'workflow.owner_status' may be missing",
        "Write has(workflow.owner_status)",
    ),
    Mutation(
        "a required field read before it is required",
        DATA,
        swap(
            "    requires:",
            f"    applies_when: collected{M}.covered_until > period.start\n    requires:",
            after="id: DAT-02",
        ),
        "applies_when: 'collected.covered_until' may be missing",
        "before it",
    ),
    Mutation(
        "a parameter of another type",
        WORKFLOW,
        also(swap("confirm_every: 8760h", "confirm_every: 8760"), swap("<= p.confirm", f"{M}<= p.confirm")),
        "assert: '<=' is not available for",
        "Write durations as",
        alone=False,
        besides="'longer' is no direction for 'confirm_every'",
    ),
    Mutation(
        "a parameter that is never used",
        WORKFLOW,
        swap("confirm_every: 8760h", f"confirm_every: 8760h\n      {M}grace: 60s"),
        "the parameter 'grace' is never used",
        "Use it as 'p.grace'",
    ),
    Mutation(
        "a parameter that is not declared",
        WORKFLOW,
        swap(ACTIVE, f"applies_when: workflow.active && p{M}.confirm_ever > duration('1s')"),
        "there is no parameter 'confirm_ever'",
        "Did you mean 'confirm_every'",
    ),
    Mutation(
        "an expression that is too long",
        WORKFLOW,
        swap(ACTIVE, f"applies_when: {M}workflow.active{' || workflow.active' * 300}"),
        "longer than 4000 characters",
        "Split the test",
    ),
    Mutation(
        "an expression that is too deep",
        WORKFLOW,
        swap(ACTIVE, f"applies_when: {'(' * 40}{M}(workflow.active{')' * 41}"),
        "nested too deeply",
        "Stay below 40 levels",
    ),
    Mutation(
        "a function that is not in the language",
        WORKFLOW,
        swap(ACTIVE, f"applies_when: workflow.name.matches{M}('a')"),
        "applies_when:",
        "",
    ),
)

INSIDE = (*UNKNOWN_KEYS, *TWICE, *EXAMPLES, *EXPRESSIONS)
