# SPDX-License-Identifier: Apache-2.0

"""A table of mistakes that people make in the shipped YAML, and of the problem that each must be answered with.

An edit writes a mark before the place that the problem must name; the mark is taken out again before anything is
loaded. So line and column are expected from the text itself, and stay right when other parts of the files change.
"""

from collections.abc import Callable
from dataclasses import dataclass

from app.controls.document import MAX_BYTES

MARK = "\N{BLACK RIGHT-POINTING TRIANGLE}"

Edit = Callable[[str], str]


@dataclass(frozen=True)
class Mutation:
    """One mistake.

    Attributes:
        name: what somebody did.
        file: name below ``controls/``; one that does not exist is new, and the edit gets an empty text.
        edit: old text to new, with ``MARK`` before the place of the problem.
        says: words that the reason must hold.
        hint: words that the hint must hold.
        alone: the problem is seen without any other file, so a second broken file cannot hide it.
        besides: what the other problems must read like, a regular expression; empty = there must be no other.
    """

    name: str
    file: str
    edit: Edit
    says: str
    hint: str
    alone: bool = True
    besides: str = ""

    def __str__(self) -> str:
        return self.name

    def apply(self, files: dict[str, bytes]) -> tuple[dict[str, bytes], str]:
        """Return the files with the mistake in them, and the expected ``file:line:column``."""
        marked = self.edit(files.get(self.file, b"").decode())
        assert marked.count(MARK) == 1, "mark one place"
        before = marked.partition(MARK)[0]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        text = marked.replace(MARK, "").encode(errors="surrogateescape")
        assert text != files.get(self.file), "the edit changes nothing"
        return files | {self.file: text}, f"{self.file}:{line}:{column}"


def swap(old: str, new: str, *, after: str = "") -> Edit:
    """Return the edit that replaces the first ``old`` behind the first ``after``; both must occur."""

    def edit(text: str) -> str:
        start = text.index(after)
        at = text.index(old, start)
        return text[:at] + new + text[at + len(old) :]

    return edit


def also(*edits: Edit) -> Edit:
    """Return the edits one after the other."""

    def edit(text: str) -> str:
        for each in edits:
            text = each(text)
        return text

    return edit


def new_file(content: str) -> Edit:
    """Return the edit that writes a new file."""
    return lambda _: content


def no_example(outcome: str, instead: str) -> Edit:
    """Return the edit after which no example of the first test of a file expects ``outcome``."""

    def edit(text: str) -> str:
        head, examples, rest = text.partition("    examples:\n")
        mine, following, others = rest.partition("\n  - id: ")
        assert f"expect: {outcome}" in mine
        mine = mine.replace(f"expect: {outcome}", f"expect: {instead}")
        return head + examples.replace("examples", f"{MARK}examples") + mine + following + others

    return edit


def copied(test_id: str) -> Edit:
    """Return the edit that puts the first test of a file there a second time, at its end."""

    def edit(text: str) -> str:
        start = text.index(f"  - id: {test_id}")
        end = text.find("\n  - id: ", start)
        test = text[start : None if end < 0 else end].rstrip("\n")
        return f"{text.rstrip()}\n\n{test.replace(f'- id: {test_id}', f'- id: {MARK}{test_id}')}\n"

    return edit


LAUGHS = "\n".join(
    [f'a0: {MARK}&a0 ["lol", "lol"]'] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
)

ONE_TEST = """\
kind: ControlTests
title: One more
tests:
  - id: GOV-03
    title: Workflow has a name
    intent: Names.
    population: workflow
    applies_when: workflow.active
    requires: {fields: [workflow.owner_status]}
    assert: workflow.owner_status == "active"
    severity: low
    columns: [workflow.id]
    meaning: {fails: it has none., no_evidence: it is not told., not_applicable: it is not active.}
    cause: Numbers.
    effect: Doubt.
    remediation: Names.
    examples:
      - {name: named, given: {workflow: {active: true, owner_status: active}}, expect: pass}
      - {name: not named, given: {workflow: {active: true, owner_status: terminated}}, expect: fail}
      - {name: not told, given: {workflow: {active: true}}, expect: no_evidence}
"""

WORKFLOW, WAIVER, DATA = "tests/workflow.yaml", "tests/waiver.yaml", "tests/data.yaml"
SOC2, SOC2_MAP = "catalog/soc2-tsc-2017.yaml", "mappings/soc2-tsc-2017.yaml"
ISO_MAP, NHI, NHI_MAP = "mappings/iso27001-2022.yaml", "catalog/owasp-nhi-2025.yaml", "mappings/owasp-nhi-2025.yaml"

ACTIVE = "applies_when: workflow.active"
M = MARK

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
    Mutation("a tab", WORKFLOW, swap("    intent:", f"{M}\tintent:"), "this is not YAML", "indentation"),
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

MUTATIONS = (*UNKNOWN_KEYS, *TWICE, *EXAMPLES, *EXPRESSIONS, *UNKNOWN_NAMES, *COVERAGE, *HOSTILE)
