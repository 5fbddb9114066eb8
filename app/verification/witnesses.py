# SPDX-License-Identifier: Apache-2.0

"""The step about witnesses: others than the ledger's operator have seen the state that the pack rests on."""

from app.ledger.cosignature import WitnessKey, cosignatures
from app.packs import layout
from app.records.times import format_instant
from app.verification.case import Case, need
from app.verification.outcome import NotDone, fail_if_any


def check(case: Case) -> str:
    """Check that every witness the reader named has cosigned the checkpoint."""
    need(case.checkpoint, 9)
    if not case.reader.witnesses:
        raise NotDone("no witness was named (--witness); nobody but the ledger's operator is known to have seen it")
    keys = [WitnessKey.parse(text) for text in case.reader.witnesses]
    found = cosignatures(case.read(layout.CHECKPOINT), keys)
    seen = {cosignature.witness for cosignature in found}
    fail_if_any([f"witness {key.name} has not cosigned the checkpoint" for key in keys if key.name not in seen])
    return "; ".join(f"{each.witness} at {format_instant(each.at * 1000)}" for each in found)
