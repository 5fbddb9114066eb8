# SPDX-License-Identifier: Apache-2.0

"""The list of steps, in order. What is printed, what docs/verification.md explains and what is run is this list."""

from app.verification import (
    content,
    disclosed,
    flags,
    form,
    ledger,
    metrics,
    reperformance,
    second_engine,
    sign_offs,
    signatures,
    stamps,
    timing,
    withheld,
    witnesses,
)
from app.verification.step import Step

STEPS: tuple[Step, ...] = (
    Step(
        number=1,
        name="the container is a plain archive",
        rule="Names are unique, relative and plain; nothing is compressed, encrypted, linked, hidden or appended; "
        "written again from its members, the archive has the same bytes.",
        source="PKWARE APPNOTE 6.3.10, 4.3 to 4.5",
        check=form.container,
    ),
    Step(
        number=2,
        name="the statement is well formed",
        rule="manifest.json is an in-toto Statement v1 about an evidence pack, in its one canonical spelling.",
        source="in-toto Statement v1; RFC 8785",
        check=form.statement,
    ),
    Step(
        number=3,
        name="the statement is signed",
        rule="manifest.sigstore.json signs exactly the bytes of manifest.json with the key of its certificate.",
        source="DSSE protocol v1; Sigstore bundle v0.3; FIPS 186-5, 6.4",
        check=signatures.bundle,
    ),
    Step(
        number=4,
        name="the second signature agrees",
        rule="manifest.json.p7s signs the same bytes with the same certificate, at the recorded time, and brings the "
        "issuers along that the statement names.",
        source="RFC 5652, 5.4 and 5.6; RFC 5035",
        check=signatures.cms,
    ),
    Step(
        number=5,
        name="the signer is the one you trust",
        rule="The certificate may sign, was valid and not revoked when it did, and is, or leads to, a trust anchor "
        "that you gave; the time is the proven one if there is one, and else the one it states.",
        source="RFC 5280, 4.1.2.5, 4.2.1, 6.1 and 6.3",
        check=signatures.signer,
        required=False,
    ),
    Step(
        number=6,
        name="every file is the one that was signed",
        rule="Each file has the digest that the statement names; none is missing and none was added.",
        source="in-toto Statement v1, subject; FIPS 180-4",
        check=form.files,
    ),
    Step(
        number=7,
        name="the content manifest is complete",
        rule="content-manifest.json and SHA256SUMS list every file but the PDF and the signatures, correctly.",
        source="docs/verification.md",
        check=form.content_manifest,
    ),
    Step(
        number=8,
        name="the PDF is signed and is about these files",
        rule="One certification signature by the same certificate covers the whole document, but for one time stamp "
        "over it; the unsigned document is its recorded beginning; it prints the content manifest's digest and has "
        "the manifest and report.json attached.",
        source="ETSI EN 319 142-1, 6.3; ISO 32000-2, 12.8",
        check=signatures.pdf,
    ),
    Step(
        number=9,
        name="the ledger's checkpoint is signed",
        rule="The checkpoint is signed by the key that the statement names, with the recorded size and root.",
        source="C2SP tlog-checkpoint and signed-note",
        check=ledger.checkpoint,
    ),
    Step(
        number=10,
        name="every item rests on proven ledger entries",
        rule="One proof leads from all listed entries to the checkpoint's root; every row but a source's refers to "
        "entries, and to no others.",
        source="RFC 9162, 2.1",
        check=ledger.entries,
    ),
    Step(
        number=11,
        name="the ledger only grew",
        rule="The previous pack's ledger is a prefix of this one, or the pack states that there is no previous pack.",
        source="RFC 9162, 2.1.4",
        check=ledger.growth,
    ),
    Step(
        number=12,
        name="completeness boxes are those of the ledger",
        rule="Each box has the digest that its ledger entry states and adds up; every source of an entry has a box; "
        "the report shows exactly these.",
        source="PCAOB AS 1105.10; AICPA AT-C 205",
        check=ledger.completeness,
    ),
    Step(
        number=13,
        name="the controls are those of the report",
        rule="The controls load, every expression is typed and safe for missing values, and all digests are the "
        "report's.",
        source="docs/reference/control-tests.md",
        check=content.controls,
    ),
    Step(
        number=14,
        name="the populations are those of the report",
        rule="Every segment has the population's exact schema and the report's digest; no item appears twice or is of "
        "another period; counts agree; the sources' figures are the sums of their boxes.",
        source="AICPA AU-C 530, population",
        check=content.populations,
    ),
    Step(
        number=15,
        name="every test gives the same on every item",
        rule="The SQL engine, run again over every item, gives the recorded outcomes, counts and conclusions.",
        source="AICPA AU-C 500, reperformance",
        check=reperformance.by_engine,
    ),
    Step(
        number=16,
        name="a second engine agrees",
        rule="The interpreter gives the same outcomes for every deviation and every sampled item, and for all items of "
        "populations of up to 2,000.",
        source="CEL specification",
        check=second_engine.by_interpreter,
    ),
    Step(
        number=17,
        name="the report, findings and samples follow",
        rule="Derived again, report.json, gaps.json, metrics.json, the samples and the guides have the same bytes; "
        "the report and the statement agree.",
        source="AICPA AU-C 530, A18, random selection",
        check=content.report,
    ),
    Step(
        number=18,
        name="the listings follow, and nothing else is there",
        rule="Written again, every CSV file has the same bytes; every file of the pack has its place.",
        source="RFC 4180",
        check=content.listings,
    ),
    Step(
        number=19,
        name="every metric gives the same",
        rule="Computed again from the items and the outcomes, every metric has the reported figures; counted one by "
        "one by the interpreter too, where a population has up to 2,000 items.",
        source="docs/reference/metrics.md",
        check=metrics.again,
    ),
    Step(
        number=20,
        name="the time stamps are those of the statement",
        rule="The statement's signature, the checkpoint and the PDF have a valid token of each authority that the "
        "statement says confirmed them, and no other; the times are in order.",
        source="RFC 3161, 2.4.2; RFC 5816; ETSI EN 319 142-1, 6.3",
        check=timing.tokens,
    ),
    Step(
        number=21,
        name="the time is confirmed by whom you trust",
        rule="The tokens of one authority at least lead to a certificate you gave, through authorities that were valid "
        "and not revoked at the time stated.",
        source="RFC 3161, 2.3 and 4.3; RFC 5280, 6.1 and 6.3",
        check=timing.trusted_time,
        required=False,
    ),
    Step(
        number=22,
        name="sign-offs are by others you trust",
        rule="Each sign-off you gave is about this very statement, and signed by a trusted key that is neither the "
        "preparer's nor another sign-off's.",
        source="DSSE protocol v1; in-toto Statement v1; PCAOB AS 1220",
        check=sign_offs.check,
        required=False,
    ),
    Step(
        number=23,
        name="the risk rules give the same flags",
        rule="Matched again, the texts of all commands and queries meet the rules that the pack says, and each session "
        "shows the flags of its events.",
        source="docs/risk-rules.md; RE2",
        check=flags.again,
    ),
    Step(
        number=24,
        name="the witnesses you named have seen the ledger",
        rule="The checkpoint carries a valid cosignature of every witness whose key you gave.",
        source="C2SP tlog-cosignature v1",
        check=witnesses.check,
        required=False,
    ),
    Step(
        number=25,
        name="the time stamps were renewed in time",
        rule="Each renewal you gave is a token over the pack and the renewals before it, by an authority you trust "
        "that was valid when the next one was made, and the last one's now.",
        source="RFC 3161, 4.3; RFC 4998, 5.2",
        check=stamps.check,
        required=False,
    ),
    Step(
        number=26,
        name="what is withheld is what the report says",
        rule="Each value of the fields that the report names is a commitment, as many as it says, and no other field's "
        "values are; the tests and metrics that it names are those that read these fields.",
        source="RFC 9901, 4.2; docs/redaction.md",
        check=withheld.as_stated,
    ),
    Step(
        number=27,
        name="disclosed values are those that were withheld",
        rule="Each value you were given opens the commitment in its place; tests and risk rules, run again on what is "
        "disclosed, give the recorded outcomes and flags.",
        source="RFC 9901, 7.1; docs/redaction.md",
        check=disclosed.check,
        required=False,
    ),
)
