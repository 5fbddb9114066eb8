# SPDX-License-Identifier: Apache-2.0

"""Observations as columns: how millions of them go from the system of record to where they are linked.

In:  observations. Out: Arrow batches.
"""

from collections.abc import Iterable, Iterator

import msgspec
import pyarrow as pa

from app.records.model import Observation, record_type

OBSERVATIONS = pa.schema(
    [
        pa.field("record_type", pa.string()),
        pa.field("source", pa.string()),
        pa.field("ledger_index", pa.int64()),
        pa.field("observed_at", pa.int64()),
        pa.field("record_id", pa.string()),
        pa.field("body", pa.string()),
    ]
)
"""What one observation of a known record type is made of; ``body`` is its record as JSON."""


def batches_of(observations: Iterable[Observation]) -> Iterator[pa.RecordBatch]:
    """Yield one batch of what observations in memory say."""
    rows = [
        {
            "record_type": record_type(each.record),
            "source": each.source,
            "ledger_index": each.ledger_index,
            "observed_at": each.observed_at,
            "record_id": each.record.id,
            "body": msgspec.json.encode(each.record).decode(),
        }
        for each in observations
    ]
    yield pa.RecordBatch.from_pylist(rows, schema=OBSERVATIONS)
