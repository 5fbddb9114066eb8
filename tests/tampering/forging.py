# SPDX-License-Identifier: Apache-2.0

"""Read the parts of a pack's draft, and change them with everything that follows made to fit."""

import hashlib
import io
from collections.abc import Callable

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from app.packs import layout
from app.packs.assemble import Draft
from tests.packs.small import forge

replace = msgspec.structs.replace
Lie = Callable[[Draft], Draft]


def content(draft: Draft, name: str) -> bytes:
    """Return one file of a draft."""
    return b"".join(draft.members[name].chunks())


def last_of(draft: Draft, prefix: str) -> str:
    return max(name for name in draft.members if name.startswith(prefix))


def table_of(draft: Draft, name: str) -> pa.Table:
    return pq.read_table(io.BytesIO(content(draft, name)))


def parquet(table: pa.Table) -> bytes:
    output = io.BytesIO()
    pq.write_table(table, output)
    return output.getvalue()


def with_segment(draft: Draft, name: str, data: bytes) -> Draft:
    """Change a segment, and its digest in the report."""
    evaluation = draft.report.evaluation
    digest = hashlib.sha256(data).hexdigest()
    segments = evaluation.segments | {name.removeprefix(f"{layout.POPULATIONS}/"): digest}
    report = replace(draft.report, evaluation=replace(evaluation, segments=segments))
    return forge(draft, {name: data}, report=report)
