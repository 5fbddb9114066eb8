# SPDX-License-Identifier: Apache-2.0

"""The shapes of the YAML under ``controls/``; the JSON Schemas for editors are generated from them.

Every document says its ``kind``. Unknown keys are refused, so a misspelt key cannot switch a rule off.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Severity = Literal["critical", "high", "medium", "low"]
Each = Literal["text", "command", "statement"]
ParameterValue = bool | int | float | str | tuple[str, ...]
"""A string such as ``60s``, ``15m``, ``8h`` or ``90d`` is a duration; any other string is a string."""
Looser = Literal["longer", "shorter", "higher", "lower", "more", "fewer", "on", "off", "either"]
"""In which direction a value asks less. ``either``, or nothing said: any other value may ask less."""
ExpectedOutcome = Literal["pass", "fail", "no_evidence", "not_applicable", "waived", "error"]


class _Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class CatalogControl(_Document, frozen=True, kw_only=True):
    """One requirement of a framework. ``text`` is only for catalogues whose text is in the public domain."""

    id: str
    label: str
    summary: str
    text: str | None = None
    designation: Literal["standard", "required", "addressable"] | None = None
    aliases: tuple[str, ...] = ()
    not_tested_because: str | None = None


class Catalog(_Document, frozen=True, kw_only=True, tag_field="kind", tag="Catalog"):
    """A framework: its ids and our own words, or quoted text where the law allows."""

    id: str
    title: str
    edition: str
    short_names: tuple[str, ...] = ()
    text_licence: Literal["public-domain", "own-words", "user-supplied"]
    source_url: str
    controls: tuple[CatalogControl, ...]


class Requires(_Document, frozen=True, kw_only=True):
    """What must be there before the assertion may be asked.

    Attributes:
        records: record types that a collected source must cover at the item's instant.
        fields: nullable fields, such as ``grant.starts_at``; an item where one is missing is ``no_evidence``.
        complete: further record types whose collection must be complete for the test to pass as a whole.
    """

    records: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    complete: tuple[str, ...] = ()


class Meaning(_Document, frozen=True, kw_only=True):
    """What each outcome means for this test, in words a reader can use."""

    passes: Annotated[str, Meta(description="an item passes when ...")] = ""
    fails: str
    no_evidence: str
    not_applicable: str


class Example(_Document, frozen=True, kw_only=True):
    """A partial row and the outcome it must get. Missing parts are filled from the population's blank row."""

    name: str
    given: dict[str, Any]
    expect: ExpectedOutcome
    parameters: dict[str, ParameterValue] = {}


class ControlTest(_Document, frozen=True, kw_only=True):
    """One yes-or-no question asked of every item of a population. Its title is a claim that should be true.

    For one item the questions come in this order, and the first that answers decides: ``applies_when`` (false:
    not_applicable), ``requires.records`` and ``requires.fields`` (missing: no_evidence), ``no_evidence_when`` (true:
    no_evidence), ``assert``. An expression that errs makes the item ``error``.

    Attributes:
        frame: where the population comes from, and how it is shown to be complete.
        reverse: tests that go the other way, such as from the items that this one asks for back to its own.
        no_evidence_when: CEL; says of an item whose evidence is there but cannot tell, such as a session that could
            belong to several grants. It may read what ``requires.fields`` names.
        looser: parameter to the direction in which its value asks less: ``longer`` or ``shorter`` durations, ``higher``
            or ``lower`` numbers, lists with ``more`` or ``fewer`` entries, a switch that is ``on`` or ``off``. A change
            to a looser value needs a reason and an approver; where nothing is said, any change does.
    """

    id: Annotated[str, Meta(pattern="^[A-Z][A-Z0-9]{1,9}-[0-9]{2,3}$")]
    title: str
    intent: str
    population: str
    frame: str = ""
    reverse: tuple[str, ...] = ()
    applies_when: str = "true"
    requires: Requires = Requires()
    no_evidence_when: str = "false"
    assertion: str = msgspec.field(name="assert")
    parameters: dict[str, ParameterValue] = {}
    looser: dict[str, Looser] = {}
    severity: Severity
    meaning: Meaning
    columns: tuple[str, ...]
    cause: Annotated[str, Meta(description="what usually makes it fail")]
    effect: Annotated[str, Meta(description="what can happen because of it")]
    remediation: str
    examples: tuple[Example, ...]


class ControlTests(_Document, frozen=True, kw_only=True, tag_field="kind", tag="ControlTests"):
    """A file of tests on one subject."""

    title: str
    tests: tuple[ControlTest, ...]


class MappingEntry(_Document, frozen=True, kw_only=True):
    """Why a test says something about a control."""

    control: str
    test: str
    relation: Literal["supports", "partially_supports", "addresses_risk"]
    strength: Literal["primary", "partial"]
    basis: Literal["direct", "derived"]
    rationale: str


class Mapping(_Document, frozen=True, kw_only=True, tag_field="kind", tag="Mapping"):
    """The tests that bear on one framework."""

    framework: str
    entries: tuple[MappingEntry, ...]


class RiskRule(_Document, frozen=True, kw_only=True):
    """What a risky command or query looks like.

    A text is flagged when one of ``select`` is found in a reading of it and none of ``unless`` is found in that
    reading. All are RE2 with the flags ``(?is)``.

    Attributes:
        why: what can happen, and why a second person should look.
        each: what is read: the whole text; each command of it (between ``;``, ``&&``, ``||`` and line ends) by
            itself; or each SQL statement by itself, with its literals emptied.
        hits: texts that the rule must flag. misses: honest texts that it must not.
    """

    id: Annotated[str, Meta(pattern=r"^[a-z][a-z_]{1,29}\.[a-z][a-z0-9_]{1,39}$")]
    title: str
    severity: Severity
    why: str
    each: Each = "text"
    select: tuple[str, ...]
    unless: tuple[str, ...] = ()
    hits: tuple[str, ...]
    misses: tuple[str, ...]

    @property
    def family(self) -> str:
        """Return the part of the id before the dot."""
        return self.id.partition(".")[0]


class RiskRules(_Document, frozen=True, kw_only=True, tag_field="kind", tag="RiskRules"):
    """A file of rules of one family."""

    title: str
    rules: tuple[RiskRule, ...]
