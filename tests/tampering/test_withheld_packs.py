# SPDX-License-Identifier: Apache-2.0

"""Packs that withhold fields, each forged in one named way by the trusted signer, who makes everything else fit.

The pack is made again from the forged populations and claims, so digests, samples, listings and signatures are right;
the step that must be the first to see the lie is asserted. What only a disclosure can show is asserted with one.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.evaluation.claims import Claims
from app.evaluation.model import ItemOutcome
from app.evaluation.service import evaluate
from app.packs.assemble import Draft, Ingredients, draft_pack, sign_pack, write_pack
from app.packs.model import Withholding
from app.packs.report import Folders
from app.packs.withholding.apply import Withheld, WithholdingRequest
from app.packs.withholding.columns import Change
from app.packs.withholding.conceal import copy_others, rewrite
from app.packs.withholding.disclosures import Disclosure
from app.signing.keys import SigningIdentity
from app.trails.populations import POPULATIONS
from app.trails.segments import segment_digests
from app.verification.reader import Reader
from app.verification.report import StepState, VerificationReport
from app.verification.verifier import verify
from tests.packs.small import SIGNED_AT, plain_render, read_members, write_members
from tests.packs.withheld import PLANTED, REQUEST, disclosures, withheld_parts

replace = msgspec.structs.replace
FILES = "every file is the one that was signed"
ENGINE = "every test gives the same on every item"
STATED = "what is withheld is what the report says"
DISCLOSED = "disclosed values are those that were withheld"
EVENT = "broker/session_event/e1"
OTHER = "withheld:" + "A" * 43
NAMES = replace(REQUEST, fields=("identity.display",))


class Made(msgspec.Struct):
    """What a forger starts from: everything the pack is made from, and a folder of its own."""

    parts: Ingredients
    found: Withheld
    folder: Path

    def stated(self, change: Callable[[Withholding], Withholding | None]) -> None:
        """Change what the pack says it withholds."""
        assert self.parts.facts.withheld is not None
        facts = replace(self.parts.facts, withheld=change(self.parts.facts.withheld))
        self.parts = replace(self.parts, facts=facts)

    def cells(self, population: str, path: str, change: Change) -> None:
        """Change texts in the populations."""
        forged = self.folder / "forged"
        for name in POPULATIONS:
            changes = {path: change} if name == population else {}
            rewrite(self.parts.folders.populations, forged, name, changes)
        copy_others(self.parts.folders.populations, forged)
        self.parts = replace(
            self.parts,
            folders=Folders(populations=forged, results=self.parts.folders.results),
            evaluation=replace(self.parts.evaluation, segments=segment_digests(forged)),
        )

    def outcomes(self, population: str, test: str, code: int) -> None:
        """Change every outcome of a test."""
        path = self.parts.folders.results / f"{population}.parquet"
        table = pq.read_table(path)
        place = table.column_names.index(test)
        column = pa.array([code] * table.num_rows, table.schema.types[place])
        pq.write_table(table.set_column(place, table.schema.field(place), column), path)


def draft_of(made: Made) -> Draft:
    return draft_pack(made.parts, plain_render, Path(tempfile.mkdtemp(dir=made.folder)))


def a_value_smuggled_back(made: Made) -> None:
    made.cells("session_event", "event.text", lambda item, _, cell: PLANTED if item == EVENT else cell)


def a_withheld_value_shown_as_not_stated(made: Made) -> None:
    made.cells("session_event", "event.text", lambda item, _, cell: None if item == EVENT else cell)


def the_digest_of_a_withheld_text_shown(made: Made) -> None:
    made.cells("session", "events.text_sha256", lambda *_: "0" * 64)


def a_field_left_out_of_the_list(made: Made) -> None:
    def shorter(stated: Withholding) -> Withholding:
        fields = ("event.text", "session.client_address")
        return replace(stated, fields=fields, parts=tuple(part for part in stated.parts if part.field in fields))

    made.stated(shorter)


def a_place_left_out_of_the_list(made: Made) -> None:
    made.stated(lambda stated: replace(stated, parts=stated.parts[:-1]))


def fewer_values_than_are_withheld(made: Made) -> None:
    def fewer(stated: Withholding) -> Withholding:
        first, *others = stated.parts
        return replace(stated, parts=(replace(first, values=first.values - 1), *others))

    made.stated(fewer)


def a_field_that_is_shown_called_withheld(made: Made) -> None:
    """Nobody could run the tests of a field that is only said to be withheld."""
    made.stated(lambda stated: replace(stated, fields=(*stated.fields, "session.subject"), tests=("IDN-05", "SES-01")))


def a_field_that_cannot_be_withheld(made: Made) -> None:
    made.stated(lambda stated: replace(stated, fields=(*stated.fields, "session.status")))


def a_test_not_named_as_a_claim(made: Made) -> None:
    made.stated(lambda stated: replace(stated, tests=stated.tests[1:]))


def a_test_named_as_a_claim_that_is_none(made: Made) -> None:
    made.stated(lambda stated: replace(stated, tests=(*stated.tests, "SES-01")))


def a_metric_not_named(made: Made) -> None:
    made.stated(lambda stated: replace(stated, metrics=()))


def no_reason(made: Made) -> None:
    made.stated(lambda stated: replace(stated, reason=" "))


def a_claimed_outcome_that_is_none(made: Made) -> None:
    made.outcomes("session_event", "RSK-03", 9)


def claimed_outcomes_without_their_counts(made: Made) -> None:
    made.outcomes("session_event", "RSK-03", 2)


def another_outcome_of_a_test_that_reads_nothing_withheld(made: Made) -> None:
    made.outcomes("session_event", "RSK-01", 1)


FORGED = {
    a_value_smuggled_back: STATED,
    a_withheld_value_shown_as_not_stated: STATED,
    the_digest_of_a_withheld_text_shown: STATED,
    a_field_left_out_of_the_list: STATED,
    a_place_left_out_of_the_list: STATED,
    fewer_values_than_are_withheld: STATED,
    a_field_that_is_shown_called_withheld: STATED,
    a_field_that_cannot_be_withheld: STATED,
    a_test_not_named_as_a_claim: STATED,
    a_test_named_as_a_claim_that_is_none: STATED,
    a_metric_not_named: STATED,
    no_reason: STATED,
    a_claimed_outcome_that_is_none: ENGINE,
    claimed_outcomes_without_their_counts: ENGINE,
    another_outcome_of_a_test_that_reads_nothing_withheld: ENGINE,
}


def made_in(folder: Path, identity: SigningIdentity, request: WithholdingRequest = REQUEST) -> Made:
    parts, found = withheld_parts(folder, identity, request)
    return Made(parts, found, folder)


def verified(made: Made, identity: SigningIdentity, *opened: bytes) -> tuple[VerificationReport, list[str]]:
    """Sign and write what was forged; return the report, and the names of the steps that fail."""
    path = made.folder / "pack.zip"
    write_pack(sign_pack(draft_of(made), identity, SIGNED_AT), path)
    given = tuple(("disclosed", data) for data in opened)
    report = verify(path, identity.certificate_der, reader=Reader(disclosed=given))
    return report, [step.name for step in report.steps if step.state is StepState.FAILED]


@pytest.mark.parametrize(("forge", "step"), FORGED.items(), ids=lambda one: getattr(one, "__name__", ""))
def test_the_signer_is_caught(
    tmp_path: Path, identity: SigningIdentity, forge: Callable[[Made], None], step: str
) -> None:
    made = made_in(tmp_path, identity)
    forge(made)
    report, failed = verified(made, identity)
    assert not report.holds
    assert failed[:1] == [step], [(one.name, one.problems) for one in report.steps if one.problems]


def test_a_list_that_was_emptied_is_seen(tmp_path: Path, identity: SigningIdentity) -> None:
    made = made_in(tmp_path, identity, NAMES)
    made.stated(lambda _: None)
    report, failed = verified(made, identity)
    assert failed == [STATED]
    assert any(
        "identity.display of session is withheld, and the report does not say so" in problem
        for step in report.steps
        for problem in step.problems
    )


def test_a_text_that_only_looks_withheld_is_a_note(tmp_path: Path, identity: SigningIdentity) -> None:
    """Anybody can type such a command; it must not keep a pack from verifying."""
    made = made_in(tmp_path, identity, NAMES)
    made.cells("session_event", "event.text", lambda item, _, cell: OTHER if item == EVENT else cell)
    report, failed = verified(made, identity)
    assert failed == []
    assert any("1 values look like withheld ones" in caution for caution in report.cautions)


def test_a_commitment_changed_in_the_file_is_seen(tmp_path: Path, identity: SigningIdentity) -> None:
    made = made_in(tmp_path, identity)
    path = tmp_path / "pack.zip"
    write_pack(sign_pack(draft_of(made), identity, SIGNED_AT), path)
    members = read_members(path)
    name = "populations/session_event.csv"
    at = members[name].index(b"withheld:")
    members[name] = members[name][: at + 9] + b"B" + members[name][at + 10 :]
    write_members(members, path)
    report = verify(path, identity.certificate_der)
    assert next(step.name for step in report.steps if step.state is StepState.FAILED) == FILES


def test_a_commitment_that_the_signer_changed_opens_no_more(tmp_path: Path, identity: SigningIdentity) -> None:
    made = made_in(tmp_path, identity)
    made.cells("session_event", "event.text", lambda item, _, cell: OTHER if item == EVENT else cell)
    assert verified(made, identity)[1] == []  # Nobody can tell before it is disclosed.
    opened = disclosures(made.found, draft_of(made), made.folder).read_bytes()
    report, failed = verified(made, identity, opened)
    assert failed == [DISCLOSED]
    problems = [problem for step in report.steps for problem in step.problems]
    assert problems == [
        f"event.text of {EVENT} (session_event event.text): the value or the salt is not what the pack commits to"
    ]


def test_values_that_were_swapped_open_nothing(tmp_path: Path, identity: SigningIdentity) -> None:
    made = made_in(tmp_path, identity)
    draft = draft_of(made)
    header, *lines = disclosures(made.found, draft, made.folder).read_bytes().splitlines()
    found = [msgspec.json.decode(line, type=Disclosure) for line in lines]
    first, second = [one for one in found if one.path == "event.text"][:2]
    swapped = [replace(first, value=second.value, salt=second.salt), replace(second, value=first.value)]
    path = tmp_path / "pack.zip"
    write_pack(sign_pack(draft, identity, SIGNED_AT), path)
    data = b"\n".join([header, *map(msgspec.json.encode, swapped)])
    report = verify(path, identity.certificate_der, reader=Reader(disclosed=(("swapped", data),)))
    (failed,) = (step for step in report.steps if step.state is StepState.FAILED)
    assert failed.name == DISCLOSED
    assert {problem.split(" (")[0] for problem in failed.problems} == {
        f"event.text of {one.item_id}" for one in (first, second)
    }


def test_a_claim_that_a_disclosure_refutes_is_seen(tmp_path: Path, identity: SigningIdentity) -> None:
    """The signer lies about a test that nobody can run again, everywhere alike; then shows the values."""
    made = made_in(tmp_path, identity)
    before, stated = made.parts.evaluation, made.found.stated
    made.outcomes("session_event", "RSK-03", int(ItemOutcome.FAIL))
    claimed = {made.parts.controls.tests[test].population: (test,) for test in stated.tests}
    lie = evaluate(
        controls=made.parts.controls,
        catalog=made.parts.controls.resolve_framework(before.framework),
        period=before.period,
        as_of=before.as_of,
        ledger_size=before.ledger_size,
        segments=made.parts.folders.populations,
        results=tmp_path / "again",
        claims=Claims(tests=claimed, recorded=made.parts.folders.results),
    )
    assert lie != before
    made.parts = replace(made.parts, evaluation=lie)
    report, failed = verified(made, identity)
    assert failed == []
    assert "RSK-03" in report.not_reperformed
    report, failed = verified(made, identity, disclosures(made.found, draft_of(made), tmp_path).read_bytes())
    assert failed == [DISCLOSED]
    assert f"RSK-03 on {EVENT}: the disclosed values give another outcome" in report.steps[-1].problems
