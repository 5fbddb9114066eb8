# SPDX-License-Identifier: Apache-2.0

"""The two pages a pack carries for people: ``README.md`` (what is here) and ``VERIFY.md`` (how to check it).

The same text for the same report; it names no digest, because these pages are themselves among the digested files.
"""

from app.packs import layout
from app.packs.model import ReportData
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
| `{layout.POPULATIONS}/` | every item of every population: Parquet (what was judged) and CSV (for spreadsheets) |
| `{layout.RESULTS}/` | one number for every item and test: its outcome, see below |
| `{layout.DEVIATIONS}/` | for each test with deviations, all of them, waived ones included |
| `{layout.SAMPLES}/` | samples drawn by a seed nobody could choose, each item whole |
| `{layout.CONTROLS}/` | the exact tests, catalogues and mappings that were used |
| `{layout.LEDGER}/` | checkpoint, entries (digests, no payload), proofs and completeness boxes of the ledger |
| `{layout.CONTENT_MANIFEST}` | the digest of all files above but the PDF, which prints the digest of this list |
| `{layout.SUMS}` | the same list, for `sha256sum --check` |
| `{layout.MANIFEST}` | the signed statement about all files; signatures in `{layout.BUNDLE}` and `{layout.CMS}` |

Outcomes: 0 not_applicable, 1 pass, 2 fail, 3 no_evidence, 4 waived (a deviation under an approved waiver), 5 error.

Cells of CSV files that a spreadsheet could take for a formula begin with an apostrophe. Instants are RFC 3339, UTC.

## Populations

| population | items |
|---|---|
{sizes}
## How samples are drawn

Seed: SHA-256 over the lines `proofroom.sample.v1`, framework, start and end (epoch milliseconds), population, and the
population's digest. That digest is SHA-256 over `sha256  name` of its Parquet segments, one a line, in order of name.
An item's rank is SHA-256 over the seed, a line feed and the item's id. The items of lowest rank are the sample.
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
openssl pkcs7 -inform DER -in {layout.CMS} -print_certs -out signer.pem
openssl x509 -in signer.pem -noout -subject -dates -fingerprint -sha256
```

2. Is the statement signed with it?

```sh
openssl cms -verify -binary -content {layout.MANIFEST} -inform DER -in {layout.CMS} \\
    -CAfile signer.pem -purpose any -out /dev/null
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

   It must say "Signature is Valid" and "Total document signed". That the issuer is unknown is said of every certificate
   your computer does not know; step 1 is what settles who signed.

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

What these commands do not do, and `proofroom verify` does: the proofs of the ledger, the completeness boxes, and
running the tests again. The formats are open (RFC 9162, C2SP signed notes, in-toto, DSSE, Parquet, CEL), so another
program can.

## What was not verified

{limits}""".encode()


def _day(instant: int) -> str:
    return format_instant(instant)[:10]
