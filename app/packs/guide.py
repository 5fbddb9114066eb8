# SPDX-License-Identifier: Apache-2.0

"""The two pages a pack carries for people: ``README.md`` (what is here) and ``VERIFY.md`` (how to check it).

The same text for the same report; it names no digest, because these pages are themselves among the digested files.
"""

from app.packs import layout
from app.packs.model import ReportData
from app.packs.times import TimeRecord
from app.packs.withholding.words import chapter
from app.records.times import format_instant


def readme(report: ReportData) -> bytes:
    """Return ``README.md``."""
    evaluation = report.evaluation
    first, last = _day(evaluation.period.start), _day(evaluation.period.end - 1)
    sizes = "".join(f"| {name} | {size} |\n" for name, size in sorted(evaluation.population_sizes.items()))
    return f"""# Evidence pack

{evaluation.framework_title} (`{evaluation.framework}`), {first} to {last} (UTC, both days included),
judged as of {format_instant(evaluation.as_of)}.

Proofroom reports what the evidence shows. It draws no conclusion about the organisation; the auditor does.

| file | what it is |
|---|---|
| `{layout.REPORT_PDF}` | the report, signed; start here |
| `{layout.VERIFY}` | how to check this pack, with and without Proofroom, and what was not verified |
| `{layout.REPORT_JSON}`, `{layout.GAPS_JSON}` | the same report, and its findings, for programs |
| `{layout.METRICS_JSON}` | the metrics of the report, for programs: whole numbers, durations in milliseconds |
| `{layout.POPULATIONS}/` | every item of every population: Parquet (what was judged), CSV (for people); the period |
| `{layout.RESULTS}/` | one number for every item and test: its outcome, see below |
| `{layout.DEVIATIONS}/` | for each test with deviations, all of them, waived ones included |
| `{layout.SAMPLES}/` | samples drawn by a seed, each item whole; below `frames/` what they were drawn from |
| `{layout.CONTROLS}/` | the exact tests, catalogues and mappings that were used |
| `{layout.LEDGER}/` | checkpoint, entries (digests, no payload), proofs and completeness boxes of the ledger |
| `{layout.CONTENT_MANIFEST}` | the digest of all files above but the PDF, which prints the digest of this list |
| `{layout.SUMS}` | the same list, for `sha256sum --check` |
| `{layout.MANIFEST}` | the signed statement about all files; signatures in `{layout.BUNDLE}` and `{layout.CMS}` |

Outcomes: 0 not_applicable, 1 pass, 2 fail, 3 no_evidence, 4 waived (a deviation under an approved waiver), 5 error.

CSV files show the item itself whole, and of the identity, account, right, workflow or session that it is linked to
what names it; those have listings of their own, and the Parquet files have all. `no_evidence_of` names the record types
for which no source can speak at the item's instant. Instants are RFC 3339, UTC. Cells that a spreadsheet could take for
a formula begin with an apostrophe.

## Populations

| population | items |
|---|---|
{sizes}{chapter(report.withheld)}
## When

{_times(report)}
## How samples are drawn

Every item was tested. Samples are for looking at some of them yourself. Each test has one, from the items it applies
to: the lines of `{layout.FRAMES}/POPULATION.jsonl` whose digit for this test is not 0. A line holds an item's id, its
month, whether it is risky or usual, and one digit a test; `report.json` says which digit (`place`), the seed, and how
many items each stratum gave. An item's rank is SHA-256 over the seed, a line feed and the item's id. The items of
lowest rank in a stratum are drawn.

Seed: SHA-256 over the lines `proofroom.sample.v2`, engagement, framework, start and end (epoch milliseconds), test,
population, and the population's digest. That digest is SHA-256 over `sha256  name` of its Parquet segments, one a line,
in order of name. Items under `judgemental` were chosen by somebody and say nothing about the others.
""".encode()


def verify_guide(report: ReportData) -> bytes:
    """Return ``VERIFY.md``; a test runs its commands."""
    limits = "".join(f"- {limit}\n" for limit in report.limits)
    return f"""# How to check this pack

Nothing here asks you to trust Proofroom or whoever ran it. You need one thing from elsewhere: the SHA-256 fingerprint
of the signer's certificate, or the certificate itself, from somebody you trust, by another way than this pack.

## With Proofroom

```console
proofroom verify PACK.zip --trust signer.pem
```

It needs no network, no account and no data directory. It prints numbered steps, runs every test again on every item,
and leaves with 0 only if all of it holds.

## Without Proofroom

Unpack the archive into an empty folder and work there.

1. Who signed? Take the certificate out and compare its fingerprint with the one you were given.

```sh
openssl cms -verify -noverify -binary -inform DER -in {layout.CMS} -content {layout.MANIFEST} \\
    -signer signer.pem -out /dev/null
openssl x509 -in signer.pem -noout -subject -issuer -dates -fingerprint -sha256
```

2. Is the statement signed with it? The dates above are to be compared with when it was signed and not with today, so
   openssl is told to leave them alone. If you were given the certificate of an authority above the signer instead, put
   that in the place of `-CAfile signer.pem`.

```sh
openssl cms -verify -binary -inform DER -in {layout.CMS} -content {layout.MANIFEST} \\
    -CAfile signer.pem -partial_chain -purpose any -no_check_time -out /dev/null
```

   The same signer signed the same statement a second time, as DSSE:

```sh
openssl x509 -in signer.pem -noout -pubkey > signer.pub
grep -o '"sig":"[^"]*' {layout.BUNDLE} | cut -d '"' -f 4 | openssl base64 -d -A > statement.sig
printf 'DSSEv1 28 application/vnd.in-toto+json %d ' "$(wc -c < {layout.MANIFEST})" > statement.pae
cat {layout.MANIFEST} >> statement.pae
openssl dgst -sha256 -verify signer.pub -signature statement.sig statement.pae
```

3. Are the files those of the statement? The list of digests and the report must be in it, and every file must fit.

```sh
grep --quiet "$(sha256sum {layout.SUMS} | cut -d ' ' -f 1)" {layout.MANIFEST}
grep --quiet "$(sha256sum {layout.REPORT_PDF} | cut -d ' ' -f 1)" {layout.MANIFEST}
sha256sum --check --quiet {layout.SUMS}
```

4. Is the report signed as a whole, and by the same certificate?

```sh
pdfsig {layout.REPORT_PDF}
```

   {_pdf_words(report)} That the issuer is unknown is said of every certificate your computer does not know; step 1 is
   what settles who signed.

5. Is the report about these files? The number this prints stands on the report's first page, and the list itself is
   attached to the report.

```sh
sha256sum {layout.CONTENT_MANIFEST}
```

6. Is the report what was rendered before it was signed? The first bytes of the PDF have the digest that the statement
   records as `unsignedPdf`.

```sh
length=$(grep -o '"unsignedPdf":{{"length":[0-9]*' {layout.MANIFEST} | cut -d ':' -f 3)
head -c "$length" {layout.REPORT_PDF} | sha256sum
```

{_time_commands(report)}
What these commands do not do, and `proofroom verify` does: the proofs of the ledger, the completeness boxes, and
running the tests again. The formats are open (RFC 9162, C2SP signed notes, in-toto, DSSE, Parquet, CEL), so another
program can.

## What was not verified

{limits}""".encode()


def _pdf_words(report: ReportData) -> str:
    if not _granted(report):
        return 'It must say "Signature is Valid" and "Total document signed".'
    return (
        'It must say "Signature is Valid" of the signature, and "Total document signed" of what follows: a time\n'
        "   stamp over the document, which pdfsig does not check."
    )


def _time_commands(report: ReportData) -> str:
    granted = _granted(report)
    if not granted:
        return "No authority confirmed when this was signed: that is the signer's own claim.\n"
    names = "".join(f"   - {record.authority}\n" for record in granted)
    commands = "".join(_one_authority(place) for place in range(len(granted)))
    return f"""7. When? These authorities confirmed the checkpoint of the ledger, and then the signature of step 2:

{names}
   You need their certificates, or those of who issued them, from elsewhere: in a file `time-authority.pem`. Each must
   say "Verification: OK", and the time is printed; it must be within the dates of step 1. If an authority's own
   certificate has expired since, openssl says so; add `-no_check_time` then, and know what that means.

```sh
{commands}```
"""


def _one_authority(place: int) -> str:
    checkpoint, statement = layout.checkpoint_token(place), f"statement-{place + 1}.tsr"
    take = f'grep -o \'"signedTimestamp":"[^"]*\' {layout.BUNDLE} | cut -d \'"\' -f 4 | sed -n {place + 1}p'
    return (
        f"{take} | openssl base64 -d -A > {statement}\n"
        f"openssl ts -verify -in {checkpoint} -data {layout.CHECKPOINT} -CAfile time-authority.pem\n"
        f"openssl ts -verify -in {statement} -data statement.sig -CAfile time-authority.pem\n"
        f"openssl ts -reply -in {statement} -text | grep 'Time stamp:'\n"
    )


def _granted(report: ReportData) -> list[TimeRecord]:
    return [record for record in report.times if record.state == "granted"]


def _times(report: ReportData) -> str:
    return "".join(f"- {record}\n" for record in report.times) or "- No time-stamp authority was asked.\n"


def _day(instant: int) -> str:
    return format_instant(instant)[:10]
