# SPDX-License-Identifier: Apache-2.0

"""Witness cosignatures: the published form, the round trip, and every way to get one wrong."""

import base64
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InvalidInput, VerificationFailed
from app.ledger.cosignature import Cosignature, WitnessKey, cosign, cosignatures, known_lines, merge
from app.ledger.note import Checkpoint, VerifierKey, open_checkpoint, sign_checkpoint, split_note
from app.signing.checkpoint_key import CheckpointKey

# The example of https://c2sp.org/tlog-cosignature; its keys are not published, so only its form can be checked.
EXAMPLE = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZ"
    "qhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)
LOG = CheckpointKey.from_seed(bytes(range(32)))
KEY = VerifierKey(f"proofroom/{LOG.ledger_id}", LOG.public_bytes)
NOTE = sign_checkpoint(Checkpoint(KEY.name, 7, bytes(32)), KEY, LOG.sign)


def witness(number: int) -> tuple[WitnessKey, CheckpointKey]:
    signer = CheckpointKey.from_seed(bytes([number]) * 32)
    return WitnessKey(f"witness.example.com/w{number}", signer.public_bytes), signer


W1, S1 = witness(1)
W2, S2 = witness(2)


def test_the_published_example_has_the_form_we_read() -> None:
    text, ((log, _), (name, payload)) = split_note(EXAMPLE.encode())
    assert text.startswith(f"{log}\n")
    assert name == "witness.example.com/w1"
    assert len(payload) == 76
    assert payload[:4].hex() == "8d66cf3f"
    assert struct.unpack(">Q", payload[4:12]) == (1679315147,)


@given(st.integers(1, 2**63 - 1))
def test_a_cosignature_comes_back_with_its_time(at: int) -> None:
    note = cosign(NOTE, W1, at, S1.sign)
    assert cosignatures(note, [W2, W1]) == (Cosignature(W1.name, at),)
    assert open_checkpoint(note, [KEY]) == open_checkpoint(NOTE, [KEY])
    assert WitnessKey.parse(str(W1)) == W1


def test_a_line_of_nobody_known_says_nothing() -> None:
    assert cosignatures(cosign(NOTE, W1, 5, S1.sign), [W2]) == ()
    renamed = WitnessKey("witness.example.com/other", W1.public_key)
    assert cosignatures(cosign(NOTE, W1, 5, S1.sign), [renamed]) == ()


def line(key: WitnessKey, payload: bytes) -> bytes:
    return NOTE + f"— {key.name} {base64.b64encode(payload).decode()}\n".encode()


TEXT = split_note(NOTE)[0]
GOOD = split_note(cosign(NOTE, W1, 5, S1.sign))[1][1][1]
WRONG = {
    "another time": GOOD[:11] + b"\x06" + GOOD[12:],
    "another signature": GOOD[:-1] + bytes([GOOD[-1] ^ 1]),
    "by another key": W1.key_id + split_note(cosign(NOTE, W2, 5, S2.sign))[1][1][1][4:],
    "cut": GOOD[:-1],
    "longer": GOOD + b"\0",
    "only a name": GOOD[:5],
    "a plain note signature": W1.key_id + S1.sign(TEXT.encode()),
    "no time": W1.key_id + bytes(8) + S1.sign(f"cosignature/v1\ntime 0\n{TEXT}".encode()),
    "a time of 64 bits": W1.key_id
    + struct.pack(">Q", 2**63)
    + S1.sign(f"cosignature/v1\ntime {2**63}\n{TEXT}".encode()),
}


@pytest.mark.parametrize("payload", WRONG.values(), ids=WRONG)
def test_a_wrong_line_of_a_known_witness_is_an_error(payload: bytes) -> None:
    with pytest.raises(VerificationFailed):
        cosignatures(line(W1, payload), [W1])


def test_a_cosignature_of_another_checkpoint_does_not_fit() -> None:
    other = sign_checkpoint(Checkpoint(KEY.name, 8, bytes(32)), KEY, LOG.sign)
    with pytest.raises(VerificationFailed):
        cosignatures(line(W1, split_note(cosign(other, W1, 5, S1.sign))[1][1][1]), [W1])


def test_merging_adds_lines_once() -> None:
    one, two = cosign(NOTE, W1, 5, S1.sign), cosign(NOTE, W2, 6, S2.sign)
    both = merge(one, two)
    assert {found.witness for found in cosignatures(both, [W1, W2])} == {W1.name, W2.name}
    assert merge(both, one) == both
    other = sign_checkpoint(Checkpoint(KEY.name, 8, bytes(32)), KEY, LOG.sign)
    with pytest.raises(InvalidInput, match="another state"):
        merge(NOTE, other)


def test_lines_of_strangers_are_left_out() -> None:
    both = merge(cosign(NOTE, W1, 5, S1.sign), cosign(NOTE, W2, 6, S2.sign))
    assert known_lines(both, KEY, [W2]) == cosign(NOTE, W2, 6, S2.sign)


@pytest.mark.parametrize("text", ["", "x", str(KEY), str(W1).replace("+", "+0", 1), str(W1)[:-4] + "AAA="])
def test_what_is_not_a_witness_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="the key of a witness"):
        WitnessKey.parse(text)
