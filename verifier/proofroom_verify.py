#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0

"""Check a Proofroom evidence pack with this one file, Python 3.11 and the package ``cryptography``; nothing else.

    python -I proofroom_verify.py PACK.zip --trust signer.crt [--witness KEY] [--json]

It shares no code with Proofroom. Its steps have the numbers and names of docs/verification.md; what it does of a step
only in part says so, and what it does not do is listed: running the tests again, the text of the PDF, time stamps.
It needs no network and no configuration, reads the pack and the trust anchor, and writes nothing.

Exit status: 0 no step failed and all that are required were done, 1 otherwise, 2 wrong use.
"""

import argparse
import base64
import binascii
import csv
import datetime as dt
import hashlib
import heapq
import io
import json
import mmap
import re
import struct
import sys
import zlib
from bisect import bisect_left
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import pkcs7

OK, FAILED, NOT_DONE = "ok", "FAILED", "not done"
SIGNATURES = {"manifest.json", "manifest.sigstore.json", "manifest.json.p7s"}
OUTSIDE = SIGNATURES | {"report.pdf", "content-manifest.json", "SHA256SUMS"}
SIZE_LIMIT = 1 << 29
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # Of P-256, SP 800-186 section 3.2.1.3.
RUN_KIND = "proofroom.collection_run"
ENTRY_KEYS = {
    *("collected_at", "key", "kind", "occurred_at", "occurred_at_text"),
    *("raw_length", "raw_sha256", "run_id", "source"),
}
SIGNING_USES = {
    *("1.3.6.1.5.5.7.3.4", "1.3.6.1.5.5.7.3.3", "2.5.29.37.0", "1.3.6.1.5.5.7.3.36"),
    *("1.2.840.113583.1.1.5", "1.3.6.1.4.1.311.10.3.12"),
}
UNDERSTOOD = {"2.5.29.19", "2.5.29.15", "2.5.29.37", "2.5.29.32", "2.5.29.17"}


class Failed(Exception):
    """The rule of a step does not hold."""


class NotDone(Exception):
    """A step cannot be done; the message says why."""


def require(holds: object, problem: str) -> None:
    if not holds:
        raise Failed(problem)


def canonical(value: Any) -> bytes:
    """RFC 8785 for JSON without floats and with ASCII keys."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def read_json(data: bytes, *, exact: bool = False) -> Any:
    try:
        value = json.loads(data)
        fits = not exact or canonical(value) == data
    except (ValueError, RecursionError) as error:
        raise Failed(f"this is not JSON: {error}") from error
    require(fits, "this is not in its one canonical spelling")
    return value


def read_base64(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError, TypeError) as error:
        raise Failed("this is not base64") from error
    require(base64.b64encode(data).decode() == text, "this is not base64 in its one spelling")
    return data


def sha256(data: Any) -> str:
    return hashlib.sha256(data).hexdigest()


# The container: stored members in order of name, written in one way only (PKWARE APPNOTE 6.3.10).


class Archive:
    """The members of an archive by name; refuses anything but the one right spelling."""

    NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*", re.ASCII)
    LIMIT, COUNT = 0xFFFFFFFF, 0xFFFF

    def __init__(self, data: Any) -> None:
        self._data = data
        self._places: dict[str, tuple[int, int]] = {}
        start, size, count = self._end()
        require(0 <= start <= start + size <= len(data) and count <= 100_000, "the directory is not where it should be")
        entries, place = [], start
        for _ in range(count):
            entry = self._entry(place, start + size)
            place += entry[-1]
            entries.append(entry)
        require(place == start + size, "the directory has another length than it says")
        names = [entry[0] for entry in entries]
        require(names == sorted(set(names)), "names are out of order, or twice")
        require(len({name.casefold() for name in names}) == len(names), "names differ in capital letters only")
        folders = {name[:at] for name in names for at in range(len(name)) if name[at] == "/"}
        require(folders.isdisjoint(names), "a file has the name of a folder")
        self._compare(entries, start, size)

    def names(self) -> list[str]:
        return sorted(self._places)

    def size(self, name: str) -> int:
        return self._places[name][1]

    def read(self, name: str) -> bytes:
        start, size = self._places[name]
        require(size <= SIZE_LIMIT, f"{name} is too large to be read")
        return bytes(self._data[start : start + size])

    def digest(self, name: str) -> str:
        start, size = self._places[name]
        with memoryview(self._data) as view, view[start : start + size] as part:
            return sha256(part)

    def _end(self) -> tuple[int, int, int]:
        data = self._data
        require(len(data) >= 22 and data[-22:-18] == b"PK\x05\x06", "this is no ZIP archive, or something is appended")
        disk, first, here, count, size, start, comment = struct.unpack("<HHHHIIH", data[-18:])
        require(not (disk or first or comment or here != count), "the archive has several parts, or a comment")
        if count == self.COUNT or self.LIMIT in (size, start):
            require(len(data) >= 98 and data[-98:-94] == b"PK\x06\x06", "the 64-bit end record is missing")
            count, size, start = struct.unpack("<QQQ", data[-66:-42])
        return start, size, count

    def _entry(self, place: int, end: int) -> tuple[str, int, int, int, int]:
        """Return name, size, checksum and offset of one directory entry, and the entry's length."""
        require(place + 46 <= end, "the directory ends too early")
        fixed = struct.unpack("<IHHHHHHIIIHHHHHII", self._data[place : place + 46])
        crc, packed, size, name_length, extra_length, comment_length, offset = (*fixed[7:13], fixed[16])
        length = 46 + name_length + extra_length + comment_length
        require(place + length <= end and name_length <= 200, "the directory ends too early")
        name = bytes(self._data[place + 46 : place + 46 + name_length]).decode("latin-1")
        require(self.NAME.fullmatch(name), f"{name[:80]!r} is not a plain relative path")
        extra = bytes(self._data[place + 46 + name_length : place + length])[4:]
        wide = [value for (value,) in struct.iter_unpack("<Q", extra)] if len(extra) % 8 == 0 else []
        if size == self.LIMIT and len(wide) > 1:
            size = packed = wide.pop(0)
            wide.pop(0)
        if offset == self.LIMIT and wide:
            offset = wide.pop(0)
        require(size == packed, f"{name} is compressed")
        return name, size, crc, offset, length

    def _compare(self, entries: list[tuple[str, int, int, int, int]], start: int, size: int) -> None:
        """Write the headers again; every byte that is not a member's must be where it should and what it should."""
        data, place = self._data, 0
        directory = b""
        for name, length, crc, offset, _ in entries:
            large, far, raw = length >= self.LIMIT, offset >= self.LIMIT, name.encode()
            shown, extra = (self.LIMIT, struct.pack("<HHQQ", 1, 16, length, length)) if large else (length, b"")
            fields = (0x04034B50, 45 if large else 20, 0, 0, 0, 33, crc, shown, shown, len(raw), len(extra))
            header = struct.pack("<IHHHHHIIIHH", *fields) + raw + extra
            body = place + len(header)
            require(offset == place and data[place:body] == header, f"{name}: it is not written as packs are")
            require(body + length <= start, f"{name}: it overlaps the directory")
            with memoryview(data) as view, view[body : body + length] as part:
                require(zlib.crc32(part) == crc, f"{name}: its checksum is wrong")
            self._places[name], place = (body, length), body + length
            wide = ([length, length] if large else []) + ([offset] if far else [])
            extra = struct.pack(f"<HH{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b""
            version, at = 45 if large or far else 20, self.LIMIT if far else offset
            entry = (0x02014B50, 0x32D, version, 0, 0, 0, 33, crc, shown, shown, len(raw), len(extra))
            directory += struct.pack("<IHHHHHHIIIHHHHHII", *entry, 0, 0, 0, 0o100644 << 16, at) + raw + extra
        end, count = b"", len(entries)
        if count >= self.COUNT or start >= self.LIMIT or size >= self.LIMIT:
            end = struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 0x32D, 45, 0, 0, count, count, size, start)
            end += struct.pack("<IIQI", 0x07064B50, 0, start + size, 1)
        shown = min(count, self.COUNT)
        fields = (shown, shown, min(size, self.LIMIT), min(start, self.LIMIT), 0)
        end += struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, *fields)
        require(place == start and data[start:] == directory + end, "the directory is not written as packs are")


# The Merkle tree (RFC 9162 section 2.1), notes and cosignatures (C2SP).


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def split(size: int) -> int:
    return 1 << ((size - 1).bit_length() - 1)


def subset_root(leaves: dict[int, bytes], size: int, proof: list[bytes]) -> bytes:
    """Return the root that a proof for many leaves leads to; the hashes come from left to right, none left over."""
    indices, rest = sorted(leaves), iter(proof)

    def walk(start: int, end: int, low: int, high: int) -> bytes:
        if low == high:
            return next(rest, b"")
        if end - start == 1:
            return leaves[start]
        middle = start + split(end - start)
        cut = bisect_left(indices, middle, low, high)
        left = walk(start, middle, low, cut)
        return node_hash(left, walk(middle, end, cut, high))

    require(indices and indices[0] >= 0 and indices[-1] < size < 1 << 63, "entries are outside the ledger")
    root = walk(0, size, 0, len(indices))
    require(next(rest, None) is None, "the proof has more hashes than it needs")
    return root


def consistency_roots(old: int, new: int, proof: list[bytes], old_root: bytes) -> tuple[bytes, bytes]:
    """Return the old and the new root that a consistency proof leads to (RFC 9162 section 2.1.4.2)."""
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    require(0 < old < new < 1 << 63 and path, "this is no consistency proof")
    first, second = old - 1, new - 1
    while first & 1:
        first, second = first >> 1, second >> 1
    before = after = path[0]
    for sibling in path[1:]:
        require(second, "the proof is too long")
        if first & 1 or first == second:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
            while not first & 1 and first:
                first, second = first >> 1, second >> 1
        else:
            after = node_hash(after, sibling)
        first, second = first >> 1, second >> 1
    require(second == 0, "the proof is too short")
    return before, after


def read_key(text: str, kind: int) -> tuple[str, bytes, bytes]:
    """Return name, key id and Ed25519 key of ``name+id+key`` (C2SP signed-note, section Verifier keys)."""
    name, _, rest = text.strip().partition("+")
    hint, _, encoded = rest.partition("+")
    payload = read_base64(encoded)
    require(name and len(payload) == 33 and payload[0] == kind, "this is not the Ed25519 key of a note")
    key_id = hashlib.sha256(name.encode() + b"\n" + payload).digest()[:4]
    require(hint == key_id.hex(), "the key contradicts its own id")
    return name, key_id, payload[1:]


def read_note(note: bytes) -> tuple[str, list[tuple[str, bytes]]]:
    require(len(note) <= 65_536, "this is too long to be a signed note")
    try:
        text, blank, rest = note.decode().rpartition("\n\n")
    except UnicodeDecodeError as error:
        raise Failed("this is not a signed note") from error
    *lines, last = rest.split("\n")
    require(blank and lines and not last and len(lines) <= 64, "this is not a signed note")
    found = []
    for line in lines:
        dash, name, encoded = [*line.split(" "), "", ""][:3]
        payload = read_base64(encoded)
        require(dash == "—" and name and line == f"— {name} {encoded}" and len(payload) > 4, "a line is no signature")
        found.append((name, payload))
    return text + "\n", found


def verify_ed25519(key: bytes, signature: bytes, message: bytes, whose: str) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError) as error:
        raise Failed(f"the signature of {whose} is wrong") from error


def open_checkpoint(note: bytes, key_text: str) -> tuple[int, bytes]:
    """Return size and root of a checkpoint that this key has signed; the key's name is the checkpoint's origin."""
    name, key_id, key = read_key(key_text, 1)
    text, lines = read_note(note)
    mine = [payload[4:] for line, payload in lines if (line, payload[:4]) == (name, key_id)]
    require(mine, "the note bears no signature of the ledger")
    for signature in mine:
        verify_ed25519(key, signature, text.encode(), name)
    origin, size, root, *_ = [*text.split("\n"), "", ""]
    require(origin == name and re.fullmatch("0|[1-9][0-9]{0,18}", size), "this is not a checkpoint of the ledger")
    digest = read_base64(root)
    require(len(digest) == 32, "this is not a checkpoint")
    return int(size), digest


# Certificates and signatures.


def der_of(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def spki_of(key: Any) -> bytes:
    return bytes(key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))


def read_certificate(data: bytes) -> x509.Certificate:
    try:
        certificate = x509.load_der_x509_certificate(data)
        key = certificate.public_key()
        _ = certificate.subject.rfc4514_string(), certificate.extensions
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.InvalidVersion) as error:
        raise Failed("this is not an X.509 certificate") from error
    is_p256 = isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)
    require(is_p256, "the certificate's key is not ECDSA P-256")
    return certificate


def verify_ecdsa(certificate: x509.Certificate, signature: bytes, data: bytes) -> None:
    """Take one of the two values that fit only, the one with the lower s: anybody can derive the other."""
    key = certificate.public_key()
    try:
        r, s = decode_dss_signature(signature)
        require(0 < r < ORDER and 0 < s <= ORDER // 2 and encode_dss_signature(r, s) == signature, "s is not the lower")
        require(isinstance(key, ec.EllipticCurvePublicKey), "the key is not ECDSA")
        key.verify(signature, data, ec.ECDSA(hashes.SHA256()))  # type: ignore[union-attr, call-arg, arg-type]
    except (InvalidSignature, ValueError, Failed) as error:
        raise Failed("the signature is not the certificate's") from error


def read_anchors(data: bytes) -> list[x509.Certificate | bytes]:
    """Return certificates, or public keys as DER, from PEM or DER."""
    readers: list[Callable[[bytes], list[x509.Certificate | bytes]]] = [
        lambda pem: list(x509.load_pem_x509_certificates(pem)),
        lambda pem: [spki_of(serialization.load_pem_public_key(pem))],
        lambda der: [x509.load_der_x509_certificate(der)],
        lambda der: [spki_of(serialization.load_der_public_key(der))],
    ]
    for reader in readers:
        try:
            return reader(data)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            continue
    raise Failed("the trust anchor is not a certificate or public key (PEM or DER)")


def extension(certificate: x509.Certificate, kind: Any) -> Any:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def valid_at(certificate: x509.Certificate, moment: dt.datetime) -> bool:
    return certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc


def is_understood(certificate: x509.Certificate) -> bool:
    return all(not each.critical or each.oid.dotted_string in UNDERSTOOD for each in certificate.extensions)


def use_fits(certificate: x509.Certificate) -> bool:
    uses = extension(certificate, x509.ExtendedKeyUsage)
    return uses is None or any(use.dotted_string in SIGNING_USES for use in uses)


def may_issue(authority: x509.Certificate, path: list[x509.Certificate], moment: dt.datetime) -> bool:
    """RFC 5280 sections 4.2.1.3, 4.2.1.9 and 6.1.4."""
    basic, usage = extension(authority, x509.BasicConstraints), extension(authority, x509.KeyUsage)
    if basic is None or not basic.ca or usage is None or not usage.key_cert_sign or not use_fits(authority):
        return False
    between = sum(each.subject != each.issuer for each in path[1:])
    fits = basic.path_length is None or between <= basic.path_length
    return fits and is_understood(authority) and valid_at(authority, moment)


def leads(path: list[x509.Certificate], others: list[Any], anchors: list[Any], moment: dt.datetime) -> bool:
    """Tell whether a chain leads from the last certificate of a path to an anchor."""
    last = path[-1]
    if last in anchors or spki_of(last.public_key()) in anchors:
        return True
    for other in [*(each for each in anchors if isinstance(each, x509.Certificate)), *others]:
        try:
            last.verify_directly_issued_by(other)
        except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
            continue
        fits = other not in path and len(path) <= 6 and may_issue(other, path, moment)
        if fits and leads([*path, other], others, anchors, moment):
            return True
    return False


def der_items(data: bytes) -> list[tuple[int, bytes, bytes]]:
    """Return (tag, content, whole) of the elements of some DER, which must fill it."""
    items, place = [], 0
    while place < len(data):
        head, length = place + 2, data[place + 1] if place + 1 < len(data) else -1
        if length > 0x80:
            head, length = head + length - 0x80, int.from_bytes(data[head : head + length - 0x80], "big")
        require(length >= 0 and head + length <= len(data), "this is not DER")
        items.append((data[place], data[head : head + length], data[place : head + length]))
        place = head + length
    return items


# The steps.


class Pack:
    """What the steps of one verification have established."""

    def __init__(self, data: Any, trust: list[bytes] | None, witnesses: list[str]) -> None:
        self.data, self.trust, self.witnesses = data, trust, witnesses
        self.archive: Archive | None = None
        self.statement: Any = None
        self.certificate: x509.Certificate | None = None
        self.is_strangers = False
        self.found: dict[str, str] = {}
        self.digests: dict[str, str] | None = None
        self.checkpoint: tuple[int, bytes] | None = None
        self.boxes: dict[int, dict[str, Any]] | None = None
        self.sources: set[str] = set()

    def raw(self, name: str) -> bytes:
        """Return a file that no statement covers."""
        archive = need(self.archive, 1)
        require(name in archive.names(), f"there is no {name}")
        return archive.read(name)

    def read(self, name: str) -> bytes:
        """Return a file, if somebody trusted has signed the statement and it is the one that the statement names."""
        need(self.certificate, 3)
        if self.is_strangers:
            raise NotDone("the signer is not the one you trust (step 5)")
        if name not in need(self.digests, 6):
            raise NotDone(f"{name} is not the file that was signed (step 6)")
        return need(self.archive, 1).read(name)

    def report(self) -> Any:
        return read_json(self.read("report.json"))

    @property
    def predicate(self) -> Any:
        return need(self.statement, 2)["predicate"]


def need(value: Any, step: int) -> Any:
    if value is None:
        raise NotDone(f"step {step} did not establish what this needs")
    return value


def container(pack: Pack) -> str:
    pack.archive = Archive(pack.data)
    return f"{len(pack.archive.names()):,} files"


def statement(pack: Pack) -> str:
    value = read_json(pack.raw("manifest.json"), exact=True)
    shape = isinstance(value, dict) and set(value) == {"_type", "subject", "predicateType", "predicate"}
    require(shape and value["_type"] == "https://in-toto.io/Statement/v1", "not an in-toto Statement v1")
    require(value["predicateType"] == "urn:proofroom:evidence-pack:v1", "the statement is not about an evidence pack")
    names = [subject["name"] for subject in value["subject"]]
    require(names == sorted(set(names)), "the subjects are out of order, or one is there twice")
    require(
        all(set(each) == {"name", "digest"} and set(each["digest"]) == {"sha256"} for each in value["subject"]),
        "a digest is not SHA-256",
    )
    predicate = value["predicate"]
    _ = predicate["signer"]["certificateSha256"], predicate["unsignedPdf"]["length"], predicate["signedAt"]
    pack.statement = value
    return f"{predicate['framework']}, {predicate['periodStart'][:10]} until before {predicate['periodEnd'][:10]}"


def bundle(pack: Pack) -> str:
    value, payload = read_json(pack.raw("manifest.sigstore.json"), exact=True), pack.raw("manifest.json")
    envelope, material = value["dsseEnvelope"], value["verificationMaterial"]
    require(value["mediaType"] == "application/vnd.dev.sigstore.bundle.v0.3+json", "not a Sigstore bundle v0.3")
    known = set(value) == {"mediaType", "dsseEnvelope", "verificationMaterial"} and set(material) <= {
        "certificate",
        "timestampVerificationData",
    }
    known = (
        known
        and set(envelope) == {"payload", "payloadType", "signatures"}
        and set(material["certificate"]) == {"rawBytes"}
    )
    require(known, "the bundle holds something else than the one shape that is allowed")
    require(envelope["payloadType"] == "application/vnd.in-toto+json", "the bundle signs another type")
    require(len(envelope["signatures"]) == 1 and set(envelope["signatures"][0]) == {"sig"}, "not one signature")
    require(read_base64(envelope["payload"]) == payload, "the bundle signs another statement than manifest.json")
    certificate = read_certificate(read_base64(material["certificate"]["rawBytes"]))
    kind = envelope["payloadType"].encode()
    encoded = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    verify_ecdsa(certificate, read_base64(envelope["signatures"][0]["sig"]), encoded)
    pack.certificate = certificate
    return f"by {certificate.subject.rfc4514_string()}"


def cms(pack: Pack) -> str:
    """RFC 5652 section 5.4: the signature is over the signed attributes, one of which is the statement's digest."""
    data = pack.raw("manifest.json.p7s")
    certificate = need(pack.certificate, 3)
    try:
        ((_, info, _),) = der_items(data)
        (_, _, _), (_, wrapped, _) = der_items(info)
        ((_, signed, _),) = der_items(wrapped)
        signers = [content for tag, content, _ in der_items(signed) if tag == 0x31][-1]
        ((_, signer, _),) = der_items(signers)
        parts = der_items(signer)
        (attributes,) = [whole for tag, _, whole in parts if tag == 0xA0]
        (signature,) = [content for tag, content, _ in parts if tag == 0x04]
        certificates = pkcs7.load_der_pkcs7_certificates(data)
    except (ValueError, IndexError) as error:
        raise Failed("not a detached CMS signature of the expected shape") from error
    require(certificate in certificates, "the CMS is by another certificate than the bundle")
    octets = hashlib.sha256(pack.raw("manifest.json")).digest()
    require(b"\x04\x20" + octets in attributes, "the CMS signs another statement than manifest.json")
    verify_ecdsa(certificate, signature, b"\x31" + attributes[1:])
    return "the shape of the CMS, and its time, were not compared"


def signer(pack: Pack) -> str:
    pack.is_strangers = pack.trust is not None
    certificate, told = need(pack.certificate, 3), pack.predicate["signer"]
    fingerprint = sha256(der_of(certificate))
    require(told["certificateSha256"] == fingerprint, "the statement names another certificate")
    require(told["subject"] == certificate.subject.rfc4514_string(), "the statement names another subject")
    moment = dt.datetime.fromisoformat(pack.predicate["signedAt"])
    require(valid_at(certificate, moment), "the certificate was not valid when it signed")
    usage, basic = extension(certificate, x509.KeyUsage), extension(certificate, x509.BasicConstraints)
    signs = usage is None or usage.digital_signature or usage.content_commitment
    fits = signs and use_fits(certificate) and not (basic is not None and basic.ca) and is_understood(certificate)
    require(fits, "the certificate is not for signatures")
    if pack.trust is None:
        raise NotDone(f"no trust anchor was given (--trust); compare the certificate's fingerprint {fingerprint}")
    try:
        others = pkcs7.load_der_pkcs7_certificates(pack.raw("manifest.json.p7s"))[:16]
    except (ValueError, Failed):
        others = []
    anchors = [anchor for data in pack.trust for anchor in read_anchors(data)]
    found = leads([certificate], others, anchors, moment)
    require(found, f"the pack was signed by another than the trust anchor names: certificate {fingerprint}")
    pack.is_strangers = False
    return f"certificate {fingerprint}; revocation was not checked"


def files(pack: Pack) -> str:
    archive, named = need(pack.archive, 1), {}
    for subject in need(pack.statement, 2)["subject"]:
        named[subject["name"]] = subject["digest"]["sha256"]
    pack.found = found = {name: archive.digest(name) for name in archive.names() if name not in SIGNATURES}
    pack.digests = {name: digest for name, digest in found.items() if named.get(name) == digest}
    differing = sorted(name for name in {*found, *named} if found.get(name) != named.get(name))
    missing = sorted(SIGNATURES - set(archive.names()))
    require(not differing and not missing, f"missing, added or changed: {', '.join([*differing, *missing][:20])}")
    return f"{len(named):,} files"


def content_manifest(pack: Pack) -> str:
    data, shown = pack.read("content-manifest.json"), pack.read("SHA256SUMS")
    value, archive, digests = read_json(data, exact=True), need(pack.archive, 1), pack.found
    content = sorted(name for name in digests if name not in OUTSIDE)
    expected = [{"name": name, "sha256": digests[name], "size": archive.size(name)} for name in content]
    require(
        value == {"files": expected, "format": "urn:proofroom:content-manifest:v1"}, "it is not the list of these files"
    )
    require(pack.predicate["contentManifestSha256"] == sha256(data), "the statement records another digest of it")
    listed = sorted([*content, "content-manifest.json"])
    sums = "".join(f"{digests[name]}  {name}\n" for name in listed).encode()
    require(shown == sums, "SHA256SUMS is not the list of these files")
    return f"{len(expected):,} files; sha256 {sha256(data)}"


def pdf(pack: Pack) -> str:
    data, unsigned = pack.read("report.pdf"), pack.predicate["unsignedPdf"]
    require(0 < unsigned["length"] < len(data), "the recorded length of the unsigned PDF is not within the PDF")
    require(sha256(data[: unsigned["length"]]) == unsigned["sha256"], "the PDF does not begin with the unsigned PDF")
    return "only that it begins with the recorded unsigned PDF; use pdfsig for its signature"


def checkpoint(pack: Pack) -> str:
    predicate, report, note = pack.predicate, pack.report(), pack.read("ledger/checkpoint")
    size, root = open_checkpoint(note, predicate["checkpointKey"])
    require(
        size == predicate["treeSize"] == report["evaluation"]["ledger_size"], "it is about another number of entries"
    )
    require(root.hex() == predicate["rootHash"], "the statement records another root")
    require(report["checkpoint"].encode() == note, "the report prints another checkpoint")
    pack.checkpoint = size, root
    return f"{size:,} entries, root {root.hex()}"


def indexed(data: bytes, key: bytes) -> Iterator[tuple[int, bytes]]:
    last = -1
    for line in data.splitlines(keepends=True):
        body, _, digits = line.rpartition(b',"index":')
        index = int(digits[:-2]) if digits[:-2].isdigit() and len(digits) < 20 else -1
        body = body.removeprefix(b'{"%b":' % key)
        require(index > last and line == b'{"%b":%b,"index":%d}\n' % (key, body, index), "a line is not as expected")
        last = index
        yield index, body


def entries(pack: Pack) -> str:
    size, root = need(pack.checkpoint, 9)
    leaves: dict[int, bytes] = {}
    boxes: dict[int, dict[str, Any]] = {}
    for index, leaf in indexed(pack.read("ledger/entries.jsonl"), b"entry"):
        leaves[index] = leaf_hash(leaf)
        entry = read_json(leaf)
        pack.sources.add(entry["source"])
        if entry["kind"] == RUN_KIND:
            require(canonical(entry) == leaf and set(entry) == ENTRY_KEYS, f"entry {index} is not in canonical form")
            boxes[index] = entry
    proof = read_json(pack.read("ledger/subset-proof.json"), exact=True)
    require(proof["size"] == size, "the proof is about another size than the checkpoint's")
    computed = subset_root(leaves, size, [bytes.fromhex(text) for text in proof["hashes"]])
    require(computed == root, "the proof does not lead from the entries to the checkpoint's root")
    pack.boxes = boxes
    rows = 0
    for name in sorted(name for name in need(pack.digests, 6) if re.fullmatch(r"populations/[a-z_]+\.csv", name)):
        for row in csv.DictReader(io.StringIO(pack.read(name).decode(), newline="")):
            rows += 1
            indices = [int(text) for text in (row["ledger"] or "").split("; ") if text]
            require(indices or name == "populations/source.csv", f"an item of {name} rests on no ledger entry")
            require(
                all(index in leaves for index in indices), f"an item of {name} rests on an entry that is not proven"
            )
    return f"{len(leaves):,} of {size:,} entries proven; {rows:,} rows, as the listings show them"


def growth(pack: Pack) -> str:
    (size, root), report = need(pack.checkpoint, 9), pack.report()
    value = read_json(pack.read("ledger/consistency.json"), exact=True)
    if value["previous"] is None:
        first = report["previous_size"] is None and not value["proof"]
        require(first, "the report and the proof tell different things")
        return "this is the first pack of its framework; there is no earlier state to compare with"
    old_size, old_root = open_checkpoint(value["previous"].encode(), pack.predicate["checkpointKey"])
    require(old_size == report["previous_size"], "the report states another size of the previous ledger")
    proof = [bytes.fromhex(text) for text in value["proof"]]
    roots = consistency_roots(old_size, size, proof, old_root)
    require(roots == (old_root, root), "the ledger does not begin with the previous pack's")
    return f"from {old_size:,} to {size:,} entries; compare with your previous pack"


def completeness(pack: Pack) -> str:
    proven, stated = need(pack.boxes, 10), pack.report()["collections"]
    found = []
    for index, raw in indexed(pack.read("ledger/runs.jsonl"), b"run"):
        box, entry = read_json(raw), proven.get(index)
        require(entry is not None, f"entry {index} is a completeness box only in one of the two files")
        require(entry["raw_sha256"] == sha256(raw), f"box {index} is not what its ledger entry says")
        require((entry["source"], entry["run_id"]) == (box["source"], box["id"]), f"box {index} is of another run")
        counted = [box.get(name, 0) for name in ("accepted", "duplicates", "rejected")]
        require(box.get("received", 0) == sum(counted), f"box {index} does not add up")
        found.append(box)
    require(len(found) == len(proven), "a completeness box of the ledger is missing")
    same = len(found) == len(stated) and all(map(agrees, found, stated))
    require(same, "the report shows other completeness boxes than the ledger holds")
    without = pack.sources - {box["source"] for box in found}
    require(not without, f"sources have entries and no completeness box: {', '.join(sorted(without))}")
    return f"{len(found):,} runs"


def agrees(box: dict[str, Any], shown: dict[str, Any]) -> bool:
    """Compare a box with the report's; what an older one did not state yet must be empty there."""
    return set(box) <= set(shown) and all(
        box.get(key, shown[key] or None) == (shown[key] if key in box else None) for key in shown
    )


def samples(pack: Pack) -> str:
    """Draw every sample again from the frames; docs/sampling.md has the rules."""
    report, drawn = pack.report(), 0
    evaluation = report["evaluation"]
    tests = {test["test_id"]: test for test in evaluation["tests"]}
    by_population: dict[str, list[Any]] = {}
    for draw in report["samples"]:
        by_population.setdefault(draw["population"], []).append(draw)
    frames = {name for name in need(pack.digests, 6) if name.startswith("samples/frames/")}
    require(frames == {f"samples/frames/{name}.jsonl" for name in by_population}, "there are other frames than samples")
    for population, draws in by_population.items():
        places = sorted(name for name, test in tests.items() if test["population"] == population)
        lines = [json.loads(line) for line in pack.read(f"samples/frames/{population}.jsonl").splitlines()]
        ids = [line[0] for line in lines]
        require(ids == sorted(set(ids)), f"the frame of {population} has an item twice, or out of order")
        require(len(ids) == evaluation["population_sizes"][population], f"the frame of {population} is not whole")
        for place, name in enumerate(places):
            counts = [sum(line[3][place] == str(code) for line in lines) for code in range(6)]
            words = ("not_applicable", "pass", "fail", "no_evidence", "waived", "error")
            require(
                counts == [tests[name]["counts"][word] for word in words], f"the frame of {name} has other outcomes"
            )
            asked = any(draw["test_id"] == name for draw in draws)
            require(asked == (sum(counts[1:]) > 0), f"{name} has no sample, or one too many")
        for draw in draws:
            require(places[draw["place"]] == draw["test_id"], "a sample looks at another test's outcomes")
            check_draw(pack, report, draw, lines)
            drawn += draw["size"]
        shown = read_json(pack.read(f"samples/{population}.json"))
        wanted = {item for draw in draws for item in draw["items"]}
        wanted |= {item["item_id"] for item in report["judgemental"] if item["population"] == population}
        require(
            [item["item_id"] for item in shown["items"]] == sorted(wanted), f"samples/{population}.json shows others"
        )
    return f"{drawn:,} items drawn again; the sizes were not compared with the plan, nor the frames with the items"


def check_draw(pack: Pack, report: Any, draw: Any, lines: list[Any]) -> None:
    evaluation, population, name = report["evaluation"], draw["population"], draw["test_id"]
    prefix = f"populations/{population}/"
    segments = sorted(each for each in need(pack.digests, 6) if each.startswith(prefix))
    listed = "".join(f"{need(pack.digests, 6)[each]}  {each.removeprefix('populations/')}\n" for each in segments)
    period = [str(evaluation["period"][end]) for end in ("start", "end")]
    parts = [report["engagement"], evaluation["framework"], *period, name, population, sha256(listed.encode())]
    require(draw["seed"] == sha256("\n".join(["proofroom.sample.v2", *parts]).encode()), f"{name}: the seed is another")
    strata: dict[tuple[str, str], list[str]] = {}
    for item, time, risk, codes in lines:
        if codes[draw["place"]] != "0":
            strata.setdefault((time, risk), []).append(item)
    order = sorted(strata, key=lambda place: (place[1] != "risky", place[0]))
    told = {(each["time"], each["risk"]): each["drawn"] for each in draw["strata"]}
    sizes = {place: len(strata[place]) for place in order}
    counted = [(each["time"], each["risk"], each["items"]) for each in draw["strata"]]
    require(counted == [(*place, sizes[place]) for place in order], f"{name}: the strata are others")
    require(draw["frame"] == sum(sizes.values()), f"{name}: the frame has another size")
    fair = any(share_out(sizes, order, draw["size"], minimum) == told for minimum in range(101))
    require(fair, f"{name}: the size is not shared out by the rule")
    items: list[str] = []
    for place in order:
        items += heapq.nsmallest(
            told[place], strata[place], key=lambda item: sha256(f"{draw['seed']}\n{item}".encode())
        )
    require(items == draw["items"], f"{name}: the sample was not drawn by its seed")


def share_out(sizes: dict[Any, int], order: list[Any], size: int, minimum: int) -> dict[Any, int]:
    given, left = {}, size
    for place in order:
        given[place] = min(minimum, sizes[place], left)
        left -= given[place]
    for _ in range(left):
        free = [place for place in order if given[place] < sizes[place]]
        if not free:
            break
        given[max(free, key=lambda place: Fraction(sizes[place], 2 * given[place] + 1))] += 1
    return given


def witnesses(pack: Pack) -> str:
    need(pack.checkpoint, 9)
    if not pack.witnesses:
        raise NotDone("no witness was named (--witness)")
    text, lines = read_note(pack.read("ledger/checkpoint"))
    for name, key_id, key in [read_key(witness, 4) for witness in pack.witnesses]:
        mine = [payload[4:] for line, payload in lines if (line, payload[:4]) == (name, key_id)]
        require(mine, f"witness {name} has not cosigned the checkpoint")
        for payload in mine:
            require(len(payload) == 72, f"the cosignature of {name} is wrong")
            (at,) = struct.unpack(">Q", payload[:8])
            verify_ed25519(key, payload[8:], f"cosignature/v1\ntime {at}\n{text}".encode(), name)
    return f"{len(pack.witnesses)} witnesses"


STEPS: list[tuple[int, str, Callable[[Pack], str], bool, bool]] = [
    # number, name, what does it, whether it is the whole step, whether it is required
    (1, "the container is a plain archive", container, True, True),
    (2, "the statement is well formed", statement, True, True),
    (3, "the statement is signed", bundle, True, True),
    (4, "the second signature agrees", cms, False, True),
    (5, "the signer is the one you trust", signer, True, False),
    (6, "every file is the one that was signed", files, True, True),
    (7, "the content manifest is complete", content_manifest, True, True),
    (8, "the PDF is signed and is about these files", pdf, False, True),
    (9, "the ledger's checkpoint is signed", checkpoint, True, True),
    (10, "every item rests on proven ledger entries", entries, False, True),
    (11, "the ledger only grew", growth, True, True),
    (12, "completeness boxes are those of the ledger", completeness, True, True),
    (17, "the report, findings and samples follow", samples, False, True),
    (24, "the witnesses you named have seen the ledger", witnesses, True, False),
]
LEFT_OUT = (
    "Not done by this program: controls, populations, running the tests again, listings, metrics, time stamps, and "
    "what a pack withholds."
)


def verify(data: Any, trust: list[bytes] | None, named: list[str]) -> dict[str, Any]:
    """Run all steps; whatever breaks in one, that step has failed."""
    pack = Pack(data, trust, named)
    results = []
    for number, name, check, is_whole, required in STEPS:
        state, detail = OK, ""
        try:
            detail = check(pack)
        except NotDone as reason:
            state, detail = NOT_DONE, str(reason)
        except Failed as problem:
            state, detail = FAILED, str(problem)
        except Exception as error:  # noqa: BLE001 - A hostile pack can make a parser raise anything.
            state, detail = FAILED, f"this cannot be read ({type(error).__name__}: {error})"
        shown = "".join(character if character.isprintable() else "?" for character in detail)[:300]
        results.append(
            {"number": number, "name": name, "state": state, "detail": shown, "whole": is_whole, "required": required}
        )
    failed = [step["number"] for step in results if step["state"] == FAILED]
    left_out = [step["number"] for step in results if step["state"] == NOT_DONE and step["required"]]
    return {
        "pack_sha256": sha256(data),
        "holds": not failed and not left_out,
        "signer_checked": results[4]["state"] == OK,
        "steps": results,
        "verdict": verdict(failed, left_out, checked=results[4]["state"] == OK),
    }


def verdict(failed: list[int], left_out: list[int], *, checked: bool) -> str:
    if failed or left_out:
        steps = ", ".join(map(str, failed or left_out))
        return f"This pack does NOT verify: step {steps} {'failed' if failed else 'could not be done'}."
    if not checked:
        return "What was checked holds, but WHO signed was not: give --trust."
    return f"What was checked holds, and the signer is the one you trust. {LEFT_OUT}"


def main() -> int:
    """Read the arguments, verify, print."""
    parser = argparse.ArgumentParser(description="Check a Proofroom evidence pack.", epilog=LEFT_OUT)
    parser.add_argument("pack", type=Path)
    parser.add_argument("--trust", type=Path, action="append", help="certificate or public key of the signer")
    parser.add_argument("--witness", action="append", default=[], help="key (name+id+key) of a witness")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    try:
        trust = [path.read_bytes()[: 1 << 20] for path in arguments.trust] if arguments.trust else None
        with arguments.pack.open("rb") as file:
            empty = arguments.pack.stat().st_size == 0
            data = b"" if empty else mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        parser.error(str(error))
    sys.setrecursionlimit(10_000)
    result = verify(data, trust, arguments.witness)
    if arguments.json:
        print(json.dumps(result, indent=1))
    else:
        print(f"{arguments.pack.name}  sha256 {result['pack_sha256']}\n")
        for step in result["steps"]:
            part = "" if step["whole"] or step["state"] != OK else " (in part)"
            print(f"{step['number']:>2} {step['name']} ".ljust(58, ".") + f" {step['state']}{part}  {step['detail']}")
        print(f"\n{result['verdict']}")
    return 0 if result["holds"] else 1


if __name__ == "__main__":
    sys.exit(main())
