# SPDX-License-Identifier: Apache-2.0

"""Names that lead nowhere, controls that nobody tests, and files that are hostile; see ``mutations.py``."""

from app.controls.document import MAX_BYTES
from tests.controls.mutations import (
    DATA,
    ISO_MAP,
    LAUGHS,
    NHI_MAP,
    SOC2,
    SOC2_MAP,
    WORKFLOW,
    Mutation,
    also,
    new_file,
    swap,
)
from tests.controls.mutations import MARK as M

UNKNOWN_NAMES = (
    Mutation(
        "an unknown population",
        WORKFLOW,
        swap("population: workflow", f"population: {M}workflws"),
        "there is no population 'workflws'",
        "Did you mean 'workflow'",
        alone=False,
        besides="the test 'GOV-01' is about another population",
    ),
    Mutation(
        "an unknown record type",
        WORKFLOW,
        swap("[workflow, identity]", f"[workflow, {M}identities]"),
        "there is no record type 'identities'",
        "Did you mean 'identity'",
    ),
    Mutation(
        "an unknown field that is required",
        DATA,
        swap("[collected.covered_until]", f"[{M}collected.covered_unti]"),
        "the population 'source' has no 'collected.covered_unti'",
        "Did you mean 'covered_until'",
        alone=False,
        besides="'collected.covered_until' may be missing",
    ),
    Mutation(
        "an unknown column",
        WORKFLOW,
        swap("- workflow.name", f"- {M}workflow.nme"),
        "has no 'workflow.nme'",
        "Did you mean 'name'",
    ),
    Mutation("an unknown severity", WORKFLOW, swap("severity: high", f"severity: {M}hihg"), "'hihg'", "mean 'high'"),
    Mutation(
        "an id of another shape",
        WORKFLOW,
        swap("id: GOV-01", f"id: {M}GOV1"),
        "not an id of a test",
        "APR-01",
        alone=False,
        besides="no (other )?test 'GOV-01'",
    ),
    Mutation(
        "a wrong kind",
        WORKFLOW,
        swap("kind: C", f"kind: {M}Kontroll C"),
        "no kind 'Kontroll ControlTests'",
        "'ControlTests'",
    ),
    Mutation(
        "a control that does not exist",
        SOC2_MAP,
        swap("control: CC1.3", f"control: {M}CC11.3"),
        "there is no control 'CC11.3' in this framework",
        "Did you mean 'CC1.3'",
        alone=False,
    ),
    Mutation(
        "an alias of a control",
        ISO_MAP,
        swap("control: A.8.2\n", f"control: {M}A.9.2.3\n"),
        "there is no control 'A.9.2.3' in this framework",
        "It is an alias; write 'A.8.2'",
        alone=False,
    ),
    Mutation(
        "a test that does not exist",
        SOC2_MAP,
        swap("test: APR-03", f"test: {M}APR-99"),
        "there is no test 'APR-99'",
        "Did you mean 'APR-0",
        alone=False,
    ),
    Mutation(
        "a framework that does not exist",
        NHI_MAP,
        swap("framework: owasp-nhi-2025", f"framework: {M}owasp-nhi-2052"),
        "there is no catalogue 'owasp-nhi-2052'",
        "Did you mean 'owasp-nhi-2025'",
        alone=False,
        besides=r"^catalog/owasp-nhi-2025\.yaml:.* no test is mapped to control 'NHI",
    ),
)

COVERAGE = (
    Mutation(
        "a control that is neither tested nor explained",
        SOC2,
        swap(
            "- id: CC1.1\n    label: Integrity and ethics\n"
            "    summary: The organisation shows by its conduct that honesty and ethical values matter to it.\n"
            "    not_tested_because: >-\n      It is about conduct and values."
            " Needed: the code of conduct and its confirmations, from human resources.\n",
            f"- id: {M}CC1.1\n    label: Integrity and ethics\n"
            "    summary: The organisation shows by its conduct that honesty and ethical values matter to it.\n",
        ),
        "no test is mapped to control 'CC1.1', and nothing says why",
        "not_tested_because",
        alone=False,
    ),
    Mutation(
        "a control that is tested, and says why not",
        SOC2,
        swap("    summary:", f"    {M}not_tested_because: Nobody looked.\n    summary:", after="- id: CC1.3"),
        "control 'CC1.3' is tested, but says why not",
        "Remove the reason, or the mapping",
        alone=False,
    ),
    Mutation(
        "text of an owner who does not allow it",
        SOC2,
        swap("    summary:", f"    {M}text: COSO Principle 1.\n    summary:", after="- id: CC1.1"),
        "this catalogue must not quote text",
        "Say it in your own words",
    ),
)

HOSTILE = (
    Mutation(
        "an anchor", WORKFLOW, swap("title: W", f"title: {M}&a W"), "anchors are not allowed", "Write the value out"
    ),
    Mutation(
        "an alias",
        WORKFLOW,
        swap("title: Workflows", f"title: {M}*a"),
        "aliases are not allowed",
        "Write the value out",
    ),
    Mutation(
        "a tag",
        WORKFLOW,
        swap("title: W", f"title: {M}!!python/name:os.system W"),
        "tags are not allowed",
        "starts with '!'",
    ),
    Mutation("a merge key", WORKFLOW, swap("title: W", f"{M}<<: {{}}\ntitle: W"), "merge keys", "Write the keys out"),
    Mutation(
        "a billion laughs", "tests/laughs.yaml", new_file(LAUGHS), "anchors are not allowed", "Write the value out"
    ),
    Mutation(
        "a key twice",
        WORKFLOW,
        also(
            swap("    severity:", "    effect: x\n    severity:"),
            swap("    effect:", f"    {M}effect:", after="cause:"),
        ),
        "'effect' is here twice",
        "Keep one of the two",
    ),
    Mutation("a tab", WORKFLOW, swap("    intent:", f"{M}\tintent:"), "this is not YAML", "no tabs"),
    Mutation(
        "values too deep",
        WORKFLOW,
        swap("given:\n", f"given: {'[' * 15}{M}[{']' * 16}\n        was:\n"),
        "nested more than 20 deep",
        "Flatten",
    ),
    Mutation(
        "a file that is too large",
        "tests/large.yaml",
        new_file(f"{M}#{'#' * MAX_BYTES}"),
        "more than 1048576 bytes",
        "Split",
    ),
    Mutation(
        "bytes that are not UTF-8",
        WORKFLOW,
        swap("title: Workfl", f"{M}title: \udcff"),
        "not UTF-8",
        "Save it as UTF-8",
    ),
    Mutation(
        "a control character",
        WORKFLOW,
        lambda text: f"{M}{text}".replace("title: W", "title: \x07W", 1),
        "not YAML",
        "control char",
    ),
    Mutation(
        "a file that is not YAML", "tests/a.yaml", new_file(f"%PDF-1{M}.7\n%âãÏÓ\n"), "this is not YAML", "quotes"
    ),
    Mutation(
        "plain words", "tests/words.yaml", new_file(f"{M}just some words\n"), "must be a mapping", "Start with 'kind:'"
    ),
    Mutation(
        "an empty file", "tests/empty.yaml", new_file(f"{M}"), "must be a mapping with a 'kind'", "Start with 'kind:'"
    ),
    Mutation("no kind", "tests/none.yaml", new_file(f"{M}title: x\n"), "the file has no 'kind'", "ControlTests"),
    Mutation("two documents", WORKFLOW, lambda text: f"{text}{M}---\n{text}", "second document", "file of its own"),
)

BETWEEN = (*UNKNOWN_NAMES, *COVERAGE, *HOSTILE)
