# SPDX-License-Identifier: Apache-2.0

"""DSSE, in-toto and the Sigstore bundle: the published vector, one spelling, and no changed byte unseen."""

import base64

import msgspec
import pytest

from app.errors import InvalidInput
from app.signing.canonical import canonical_json
from app.signing.dsse import (
    MAX_PREDICATE,
    make_statement,
    pae,
    read_bundle,
    read_statement,
    sign_bundle,
    verify_bundle,
)
from app.signing.keys import SigningIdentity

STATEMENT = make_statement({"b.txt": "bb" * 32, "a.txt": "aa" * 32}, "urn:test", {"size": 1})


def test_pae_is_that_of_the_protocol() -> None:
    """The example of the DSSE protocol, section "Test Vectors"."""
    expected = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert pae("http://example.com/HelloWorld", b"hello world") == expected


def test_a_statement_names_files_in_order() -> None:
    statement = read_statement(STATEMENT)
    assert [subject.name for subject in statement.subject] == ["a.txt", "b.txt"]
    assert msgspec.json.decode(statement.predicate) == {"size": 1}


def test_a_predicate_of_any_length_is_not_parsed() -> None:
    data = make_statement({"a.txt": "aa" * 32}, "urn:test", {"many": [{}] * MAX_PREDICATE})
    with pytest.raises(InvalidInput, match="too long"):
        read_statement(data)


@pytest.mark.parametrize(
    "change",
    [
        {"_type": "https://in-toto.io/Statement/v0.1"},
        {"subject": [{"name": "a", "digest": {"sha256": "00"}}, {"name": "a", "digest": {"sha256": "01"}}]},
        {"subject": [{"name": "a", "digest": {"sha1": "00"}}]},
        {"subject": [{"name": "b", "digest": {"sha256": "00"}}, {"name": "a", "digest": {"sha256": "01"}}]},
        {"extra": 1},
    ],
)
def test_another_statement_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        read_statement(canonical_json(msgspec.json.decode(STATEMENT) | change))


@pytest.mark.parametrize("data", [STATEMENT + b"\n", STATEMENT.replace(b",", b", ", 1), b"{}", b"[]", b"", b"\xff"])
def test_another_spelling_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        read_statement(data)


def test_a_bundle_verifies_and_says_who_signed(identity: SigningIdentity) -> None:
    bundle = read_bundle(sign_bundle(STATEMENT, identity))
    assert verify_bundle(bundle)
    assert bundle.payload == STATEMENT
    assert bundle.certificate == identity.certificate
    shape = msgspec.json.decode(sign_bundle(STATEMENT, identity))
    assert shape["mediaType"] == "application/vnd.dev.sigstore.bundle.v0.3+json"
    assert base64.b64decode(shape["verificationMaterial"]["certificate"]["rawBytes"]) == identity.certificate_der
    assert shape["dsseEnvelope"]["payloadType"] == "application/vnd.in-toto+json"


def test_no_changed_byte_goes_unseen(identity: SigningIdentity) -> None:
    data = sign_bundle(STATEMENT, identity)
    unseen = [position for position in range(len(data)) if _holds(_flip(data, position), identity)]
    assert unseen == []


def test_somebody_elses_certificate_does_not_make_it_their_signature(
    identity: SigningIdentity, other: SigningIdentity
) -> None:
    data = sign_bundle(STATEMENT, identity)
    swapped = data.replace(base64.b64encode(identity.certificate_der), base64.b64encode(other.certificate_der))
    assert not verify_bundle(read_bundle(swapped))


def _flip(data: bytes, position: int) -> bytes:
    return data[:position] + bytes([data[position] ^ 0x01]) + data[position + 1 :]


def _holds(data: bytes, identity: SigningIdentity) -> bool:
    try:
        bundle = read_bundle(data)
    except InvalidInput:
        return False
    return verify_bundle(bundle) and bundle.payload == STATEMENT and bundle.certificate == identity.certificate
