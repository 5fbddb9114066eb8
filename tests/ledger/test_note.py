# SPDX-License-Identifier: Apache-2.0

"""Signed notes and checkpoints: the published examples, the round trip, and every way to break one."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InvalidInput, ProofroomError, VerificationFailed
from app.ledger.note import (
    Checkpoint,
    VerifierKey,
    checkpoint_text,
    open_checkpoint,
    open_note,
    parse_checkpoint,
    sign_checkpoint,
    sign_note,
)
from app.signing.checkpoint_key import CheckpointKey

# The example of https://c2sp.org/signed-note, and that of golang.org/x/mod/sumdb/note with its seed.
C2SP_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
C2SP_NOTE = (
    "This is an example message.\n\n— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
GO_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_NOTE = (
    GO_TEXT + "\n— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)

KEY = CheckpointKey.from_seed(bytes(range(32)))
LEDGER = VerifierKey(f"proofroom/{KEY.ledger_id}", KEY.public_bytes)
CHECKPOINT = Checkpoint(LEDGER.name, 20852163, bytes(range(32)))


@pytest.mark.parametrize(("key", "note"), [(C2SP_KEY, C2SP_NOTE), (GO_KEY, GO_NOTE)])
def test_published_notes_open(key: str, note: str) -> None:
    assert str(VerifierKey.parse(key)) == key
    assert open_note(note.encode(), [VerifierKey.parse(key)]) + note[note.index("\n\n") + 1 :] == note


def test_signing_gives_the_published_note_byte_for_byte() -> None:
    key = CheckpointKey.from_seed(GO_SEED)
    assert sign_note(GO_TEXT, VerifierKey("PeterNeumann", key.public_bytes), key.sign) == GO_NOTE.encode()


def test_a_checkpoint_has_the_form_of_tlog_checkpoint() -> None:
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    assert checkpoint_text(parse_checkpoint(text)) == text


@given(st.integers(0, 2**63), st.binary(min_size=32, max_size=32))
def test_a_checkpoint_comes_back_as_it_was_signed(size: int, root: bytes) -> None:
    checkpoint = Checkpoint(LEDGER.name, size, root)
    note = sign_checkpoint(checkpoint, LEDGER, KEY.sign)
    assert open_checkpoint(note, [LEDGER]) == checkpoint
    assert sign_checkpoint(checkpoint, LEDGER, KEY.sign) == note


@given(st.integers(0, 10_000), st.integers(0, 7))
def test_no_changed_checkpoint_opens(position: int, bit: int) -> None:
    note = sign_checkpoint(CHECKPOINT, LEDGER, KEY.sign)
    at = position % len(note)
    changed = note[:at] + bytes([note[at] ^ (1 << bit)]) + note[at + 1 :]
    with pytest.raises(ProofroomError):
        open_checkpoint(changed, [LEDGER])


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused_in_our_own_words(note: bytes) -> None:
    with pytest.raises(ProofroomError):
        open_checkpoint(note, [LEDGER])


def test_signatures_of_unknown_keys_are_ignored_but_do_not_count() -> None:
    witness = CheckpointKey.from_seed(bytes(32))
    text = checkpoint_text(CHECKPOINT)
    witnessed = sign_note(text, VerifierKey("witness.example", witness.public_bytes), witness.sign)
    both = sign_note(text, LEDGER, KEY.sign) + witnessed.partition(b"\n\n")[2]
    assert open_checkpoint(both, [LEDGER]) == CHECKPOINT
    with pytest.raises(VerificationFailed, match="no signature of a trusted key"):
        open_checkpoint(witnessed, [LEDGER])


def test_a_key_of_another_origin_does_not_vouch_for_this_log() -> None:
    other = VerifierKey("proofroom/other", KEY.public_bytes)
    note = sign_note(checkpoint_text(CHECKPOINT), other, KEY.sign)
    with pytest.raises(VerificationFailed):
        open_checkpoint(note, [other])


def test_a_wrong_signature_of_a_trusted_key_is_not_outvoted() -> None:
    good = sign_checkpoint(CHECKPOINT, LEDGER, KEY.sign)
    bad = sign_checkpoint(Checkpoint(LEDGER.name, 1, bytes(32)), LEDGER, KEY.sign)
    with pytest.raises(VerificationFailed, match="wrong"):
        open_checkpoint(good + bad.partition(b"\n\n")[2], [LEDGER])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "origin\n",
        "origin\n5\n",
        "origin\n05\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "origin\n-5\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "origin\n\u0665\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "origin\n9223372036854775809\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "origin\n5\nAAAA\n",
        "origin\n5\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\n",
        "\n5\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
    ],
)
def test_what_is_not_a_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_checkpoint(text)


@pytest.mark.parametrize("text", ["no newline", "", "tab\t\n", "zero\x00\n", "return\r\n"])
def test_a_text_that_no_note_may_have_is_not_signed(text: str) -> None:
    with pytest.raises(InvalidInput):
        sign_note(text, LEDGER, KEY.sign)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "name",
        "name+aabbccdd",
        C2SP_KEY.replace("530d903a", "530d903b"),
        C2SP_KEY.replace("+Ae", "+Be"),
        "+1+" + C2SP_KEY,
    ],
)
def test_what_is_not_a_verifier_key_is_refused(key: str) -> None:
    with pytest.raises(InvalidInput, match="the verifier key of an Ed25519 note"):
        VerifierKey.parse(key)


@pytest.mark.parametrize("note", [b"x" * 70_000, C2SP_NOTE.encode() + b"\xe2\x80\x94 a aaaaaaaa\n" * 70])
def test_an_overlong_note_is_refused(note: bytes) -> None:
    with pytest.raises(InvalidInput):
        open_note(note, [VerifierKey.parse(C2SP_KEY)])
