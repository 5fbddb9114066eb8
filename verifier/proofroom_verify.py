#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0

"""Check a Proofroom evidence pack with this one file, Python 3.11 and the package ``cryptography``; nothing else.

    python -I proofroom_verify.py PACK.zip --trust signer.crt [--trust-time CERT] [--crl FILE] [--renewal FILE]
        [--sign-off FILE] [--fingerprint HEX] [--witness KEY] [--at INSTANT] [--json]

It shares no code with Proofroom. Its steps have the numbers and names of docs/verification.md; what it does of a step
only in part says so, and what it does not do is listed: whatever takes reading Parquet, the controls or a PDF's text.
It needs no network and no configuration, reads the pack and what you give it, and writes nothing.

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
import time
import zlib
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

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
ANY_USE, TIME_USE = "2.5.29.37.0", "1.3.6.1.5.5.7.3.8"
CLOCK_SKEW = 300_000  # Milliseconds by which the clocks of signer and authority may differ.
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
        end += struct.pack(
            "<IHHHHIIH", 0x06054B50, 0, 0, shown, shown, min(size, self.LIMIT), min(start, self.LIMIT), 0
        )
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


def read_anchors(data: bytes) -> list[x509.Certificate | bytes | str]:
    """Return certificates, or public keys as DER, from PEM or DER; or the fingerprint of either."""
    if data.startswith(b"sha256:"):
        return [data.removeprefix(b"sha256:").decode()]
    readers: list[Callable[[bytes], list[x509.Certificate | bytes | str]]] = [
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


def extension(certificate: Any, kind: Any) -> Any:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def valid_at(certificate: x509.Certificate, moment: int) -> bool:
    """Tell whether a certificate is within its validity at an instant, epoch milliseconds as everywhere here."""
    at = dt.datetime.fromtimestamp(moment / 1000, tz=dt.UTC)
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc


def ends_at(certificate: x509.Certificate) -> int:
    return int(certificate.not_valid_after_utc.timestamp()) * 1000


def instant(text: str) -> int:
    moment = dt.datetime.fromisoformat(text)
    require(moment.tzinfo, f"{text} has no zone")
    return (moment - dt.datetime.fromtimestamp(0, tz=dt.UTC)) // dt.timedelta(milliseconds=1)


def day(moment: int) -> str:
    return f"{dt.datetime.fromtimestamp(moment / 1000, tz=dt.UTC):%Y-%m-%d}"


def is_understood(certificate: x509.Certificate) -> bool:
    return all(not each.critical or each.oid.dotted_string in UNDERSTOOD for each in certificate.extensions)


def use_fits(certificate: x509.Certificate, uses: set[str]) -> bool:
    found = extension(certificate, x509.ExtendedKeyUsage)
    return found is None or any(use.dotted_string in uses for use in found)


def may_sign(certificate: x509.Certificate, uses: set[str]) -> bool:
    """RFC 5280 sections 4.2.1.3, 4.2.1.9 and 4.2.1.12, of an end entity."""
    usage, basic = extension(certificate, x509.KeyUsage), extension(certificate, x509.BasicConstraints)
    signs = usage is None or usage.digital_signature or usage.content_commitment
    return bool(
        signs and use_fits(certificate, uses) and not (basic is not None and basic.ca) and is_understood(certificate)
    )


def may_issue(authority: x509.Certificate, path: list[x509.Certificate], moment: int, uses: set[str]) -> bool:
    """RFC 5280 sections 4.2.1.3, 4.2.1.9 and 6.1.4."""
    basic, usage = extension(authority, x509.BasicConstraints), extension(authority, x509.KeyUsage)
    if basic is None or not basic.ca or usage is None or not usage.key_cert_sign:
        return False
    between = sum(each.subject != each.issuer for each in path[1:])
    fits = basic.path_length is None or between <= basic.path_length
    return fits and use_fits(authority, {*uses, ANY_USE}) and is_understood(authority) and valid_at(authority, moment)


def issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


def is_anchor(certificate: x509.Certificate, anchors: list[Any]) -> bool:
    """An anchor is a certificate, a public key (DER), or the hex SHA-256 of either."""
    key = spki_of(certificate.public_key())
    return any(each in anchors for each in (certificate, key, sha256(der_of(certificate)), sha256(key)))


def find_path(
    path: list[x509.Certificate], others: list[x509.Certificate], anchors: list[Any], moment: int, uses: set[str]
) -> list[x509.Certificate] | None:
    """Return the chain from the last certificate of a path to an anchor, itself included; None if there is none."""
    last = path[-1]
    if is_anchor(last, anchors):
        return path
    for other in [*(each for each in anchors if isinstance(each, x509.Certificate)), *others]:
        fits = other not in path and len(path) <= 6 and may_issue(other, path, moment, uses)
        if fits and issued_by(last, other) and (found := find_path([*path, other], others, anchors, moment, uses)):
            return found
    return None


def revocations(
    path: list[x509.Certificate], others: list[x509.Certificate], lists: list[Any], used_at: int | None
) -> list[str]:
    """Return which certificates below the anchor were revoked when they were used; at a claimed time all count."""
    issuers, found = [*path[1:], *others], []
    for certificate in path[:-1] or path:
        for crl in lists:
            entry = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
            if entry is None or crl.issuer != certificate.issuer or not speaks(crl, issuers):
                continue
            invalid = extension(entry, x509.InvalidityDate)
            since = min(
                entry.revocation_date_utc, invalid.invalidity_date_utc if invalid else entry.revocation_date_utc
            )
            if used_at is None or since.timestamp() * 1000 <= used_at:
                found.append(f"the certificate {certificate.subject.rfc4514_string()} was revoked on {since:%Y-%m-%d}")
    return found


def speaks(crl: Any, issuers: list[x509.Certificate]) -> bool:
    """RFC 5280 section 6.3, without lists of other issuers and lists of some reasons only."""
    scope = extension(crl, x509.IssuingDistributionPoint)
    if any(each.critical and each.oid.dotted_string not in {"2.5.29.28", "2.5.29.20"} for each in crl.extensions):
        return False
    if scope and (scope.indirect_crl or scope.only_some_reasons or scope.only_contains_attribute_certs):
        return False
    for issuer in issuers:
        usage = extension(issuer, x509.KeyUsage)
        try:
            may = issuer.subject == crl.issuer and (usage is None or usage.crl_sign)
            if may and crl.is_signature_valid(issuer.public_key()):
                return True
        except (ValueError, TypeError, UnsupportedAlgorithm):
            continue
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


def der(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag]) + (bytes([len(body)]) if len(body) < 0x80 else bytes([0x80 + len(size)]) + size) + body


def oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    body = b""
    for number in (first * 40 + second, *rest):
        part = bytes([number & 0x7F])
        while number := number >> 7:
            part = bytes([number & 0x7F | 0x80]) + part
        body += part
    return der(0x06, body)


NULL, ONE = der(0x05), der(0x02, b"\1")
DATA, SIGNED_DATA, TIME_INFO = map(oid, ("1.2.840.113549.1.7.1", "1.2.840.113549.1.7.2", "1.2.840.113549.1.9.16.1.4"))
KIND, DIGEST, SIGNED_AT = (oid(f"1.2.840.113549.1.9.{last}") for last in (3, 4, 5))
NAMED_SIGNER, TOKEN = oid("1.2.840.113549.1.9.16.2.47"), oid("1.2.840.113549.1.9.16.2.14")
HASHES: dict[bytes, Any] = {
    der(0x30, oid(f"2.16.840.1.101.3.4.2.{last}"), NULL): kind
    for last, kind in ((1, hashes.SHA256()), (2, hashes.SHA384()), (3, hashes.SHA512()))
}
SHA256 = next(iter(HASHES))
ECDSA_SHA256 = der(0x30, oid("1.2.840.10045.4.3.2"))
RSA_PLAIN = "1.2.840.113549.1.1.1"
SCHEMES = {oid(RSA_PLAIN): None} | {
    oid(f"{prefix}.{last}"): size
    for prefix, numbers in (("1.2.840.113549.1.1", (11, 12, 13)), ("1.2.840.10045.4.3", (2, 3, 4)))
    for last, size in zip(numbers, (32, 48, 64), strict=True)
}


class Signed(NamedTuple):
    """A SignedData (RFC 5652 section 5.1) with one signer; each part as it is spelled.

    ``attributes`` is the body of the signed SET, ``values`` what it holds by type, ``token`` a time stamp over the
    signature.
    """

    version: bytes
    content: bytes
    certificates: list[bytes]
    digest: bytes
    attributes: bytes
    values: dict[bytes, bytes]
    scheme: bytes
    signature: bytes
    token: bytes | None


def read_signed(data: bytes) -> Signed:
    """Take a CMS apart and require that putting it together again gives the same bytes, so nothing else is in it."""
    try:
        found, name = take_apart(data)
    except (ValueError, IndexError) as error:
        raise Failed("this is not a CMS signature of the expected shape") from error
    own = der(0x30, *signer_name(read_any(signer_of(found))))
    extra = b"" if found.token is None else der(0xA1, der(0x30, TOKEN, der(0x31, found.token)))
    attributes, signature = der(0xA0, found.attributes), der(0x04, found.signature)
    again = der(0x30, ONE, own, found.digest, attributes, found.scheme, signature, extra)
    parts = (found.version, der(0x31, found.digest), found.content, der(0xA0, *found.certificates), der(0x31, again))
    spelled = der(0x30, SIGNED_DATA, der(0xA0, der(0x30, *parts)))
    require(name == own and spelled == data, "the CMS names another signer, or holds something else than it should")
    require(found.certificates == sorted(found.certificates), "the certificates are out of order")
    return found


def take_apart(data: bytes) -> tuple[Signed, bytes]:
    """Return the parts of a CMS and the name of its signer, as they are spelled."""
    ((_, info, _),) = der_items(data)
    _, (_, wrapped, _) = der_items(info)
    ((_, body, _),) = der_items(wrapped)
    (_, _, version), _, (_, _, content), (_, held, _), (_, signers, _) = der_items(body)
    ((_, signer, _),) = der_items(signers)
    _, (_, _, name), (_, _, digest), (_, attributes, _), (_, _, scheme), (_, signature, _), *rest = der_items(signer)
    unsigned = one_value(rest[0][1]) if rest else {}
    require(len(rest) < 2 and set(unsigned) <= {TOKEN}, "the CMS carries something else than a time stamp")
    certificates, values = [whole for _, _, whole in der_items(held)], one_value(attributes)
    token = unsigned.get(TOKEN)
    return Signed(version, content, certificates, digest, attributes, values, scheme, signature, token), name


def one_value(attributes: bytes) -> dict[bytes, bytes]:
    """Return attributes by type; each has one value and is there once."""
    values: dict[bytes, bytes] = {}
    for _, attribute, _ in der_items(attributes):
        (_, _, kind), (_, inner, _) = der_items(attribute)
        ((_, _, values[kind]),) = der_items(inner)
    require(len(values) == len(der_items(attributes)), "an attribute is there twice")
    return values


def signer_name(certificate: x509.Certificate) -> tuple[bytes, bytes]:
    number = certificate.serial_number
    return certificate.issuer.public_bytes(), der(
        0x02, number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True)
    )


def signer_of(signed: Signed) -> bytes:
    """Return the certificate, DER, whose digest is signed (RFC 5035): the first of those that are named."""
    require(NAMED_SIGNER in signed.values, "the CMS does not name its signer")
    ((_, body, _),) = der_items(signed.values[NAMED_SIGNER])
    ((_, named, _), *_) = der_items(der_items(body)[0][1])
    parts = der_items(named)
    kind = HASHES.get(parts[0][2], HASHES.get(der(0x30, parts[0][1], NULL))) if parts[0][0] == 0x30 else hashes.SHA256()
    digest = next(content for tag, content, _ in parts if tag == 0x04)
    if kind is None:
        raise Failed("the CMS names its signer by an unknown digest")
    (own,) = [each for each in signed.certificates if hashlib.new(kind.name, each).digest() == digest]
    return own


def read_any(data: bytes) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(data)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Failed("this is not an X.509 certificate") from error


def in_line(certificate: x509.Certificate, others: list[x509.Certificate]) -> list[x509.Certificate]:
    """Return the issuers of a certificate, each certified by the next; no other may be there."""
    chain, rest, last = [], list(others), certificate
    while rest:
        found = [each for each in rest if each != last and issued_by(last, each)]
        require(found, "a certificate is in no line with the signer's")
        rest.remove(found[0])
        chain.append(found[0])
        last = found[0]
    return chain


def check_signed(data: bytes, sha: str, certificate: x509.Certificate, moment: int | None) -> tuple[list[Any], Any]:
    """Check a detached CMS over content of a digest, in the one shape that packs have; return issuers and token."""
    signed = read_signed(data)
    own = der_of(certificate)
    require(own in signed.certificates, "the CMS is by another certificate than the bundle")
    named = der(0x30, der(0x30, der(0x30, der(0x04, hashlib.sha256(own).digest()))))
    values = [(KIND, DATA), (DIGEST, der(0x04, bytes.fromhex(sha))), (NAMED_SIGNER, named)]
    if moment is not None:
        at = dt.datetime.fromtimestamp(moment // 1000, tz=dt.UTC)
        text = f"{at:%Y%m%d%H%M%SZ}".encode()
        values.append((SIGNED_AT, der(0x17, text[2:]) if at.year < 2050 else der(0x18, text)))
    expected = b"".join(sorted(der(0x30, kind, der(0x31, value)) for kind, value in values))
    require(signed.attributes == expected, "the CMS signs another content, time or certificate, or something else")
    shape = (signed.version, signed.content, signed.digest, signed.scheme)
    require(
        shape == (ONE, der(0x30, DATA), SHA256, ECDSA_SHA256), "the CMS is of another version or uses other algorithms"
    )
    verify_ecdsa(certificate, signed.signature, der(0x31, signed.attributes))
    return in_line(certificate, [read_any(each) for each in signed.certificates if each != own]), signed.token


class Token(NamedTuple):
    """What a time-stamp token says: who, about which digest, when, and when at the latest (epoch milliseconds)."""

    authority: x509.Certificate
    chain: list[x509.Certificate]
    digest: str
    at: int
    latest: int


def read_response(data: bytes) -> Token:
    """Read a granting time-stamp response (RFC 3161 section 2.4.2)."""
    ((_, body, _),) = der_items(data)
    parts = der_items(body)
    granted = der(0x30, der(0x02, b"\0"))
    require(len(parts) == 2 and parts[0][2] == granted and der(0x30, granted, parts[1][2]) == data, "no granted token")
    return read_token(parts[1][2])


def read_token(data: bytes) -> Token:
    """Check everything of a token that needs no trust anchor."""
    signed = read_signed(data)
    ((_, kind_and_info, _),) = der_items(signed.content)
    (_, _, kind), (_, wrapped, _) = der_items(kind_and_info)
    ((_, info, _),) = der_items(wrapped)
    authority = read_any(signer_of(signed))
    require(kind == TIME_INFO == signed.values.get(KIND), "the token is about something else than a time")
    require(signed.digest in HASHES and signed.version == der(0x02, b"\3"), "the token is of another version")
    digest = hashlib.new(HASHES[signed.digest].name, info).digest()
    require(signed.values.get(DIGEST) == der(0x04, digest), "the token's signature is over another time")
    sha, at, accuracy = read_time(info)
    uses = authority.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    require(uses.critical and {use.dotted_string for use in uses.value} == {TIME_USE}, "the authority may do more")
    require(may_sign(authority, {TIME_USE}) and valid_at(authority, at), "the authority may not, or not then")
    verify_scheme(authority, signed)
    chain = in_line(authority, [read_any(each) for each in signed.certificates if each != der_of(authority)])
    return Token(authority, chain, sha, at, at + accuracy)


def read_time(info: bytes) -> tuple[str, int, int]:
    """Return digest, time and accuracy of a TSTInfo."""
    ((_, body, _),) = der_items(info)
    (_, version, _), _, (_, imprint, _), _, (_, moment, _), *rest = der_items(body)
    (_, algorithm, _), (_, digest, _) = der_items(imprint)
    is_sha256 = der_items(algorithm)[0][2] == oid("2.16.840.1.101.3.4.2.1") and len(digest) == 32
    require(version == b"\1" and is_sha256, "the token is about no SHA-256")
    match = re.fullmatch(rb"(\d{14})(?:\.(\d+))?Z", moment)
    require(match, "the token's time cannot be read")
    whole = dt.datetime.strptime(match[1].decode() + "+0000", "%Y%m%d%H%M%S%z")  # type: ignore[index]
    at = int(whole.timestamp()) * 1000 + int((match[2] or b"").ljust(3, b"0")[:3])  # type: ignore[index]
    parts = {tag: content for tag, content, _ in rest}
    units = {tag: int.from_bytes(content, "big", signed=True) for tag, content, _ in der_items(parts.get(0x30, b""))}
    accuracy = units.get(0x02, 0) * 1000 + units.get(0x80, 0) + bool(units.get(0x81))
    require(min(units.values(), default=0) >= 0 and accuracy <= 3_600_000, "the authority does not know its time")
    critical = any(
        (0x01, b"\xff") in [one[:2] for one in der_items(each)] for _, each, _ in der_items(parts.get(0xA1, b""))
    )
    require(not critical, "the token has a critical extension that is not understood")
    return digest.hex(), at, accuracy


def verify_scheme(certificate: x509.Certificate, signed: Signed) -> None:
    key, kind, data = certificate.public_key(), HASHES[signed.digest], der(0x31, signed.attributes)
    scheme = SCHEMES.get(der_items(der_items(signed.scheme)[0][1])[0][2], 0)
    require(scheme in {None, kind.digest_size}, "the token's signature uses another algorithm than it says")
    try:
        if isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2048:
            return key.verify(signed.signature, data, padding.PKCS1v15(), kind)
        if isinstance(key, ec.EllipticCurvePublicKey) and scheme is not None:
            return key.verify(signed.signature, data, ec.ECDSA(kind))
    except (InvalidSignature, UnsupportedAlgorithm):
        pass
    raise Failed("the token's signature does not hold")


# The steps.


@dataclass(frozen=True)
class Reader:
    """What the reader gives, as bytes: whom to trust, about the signer and about time, lists, and what is beside."""

    trust: list[bytes] | None = None
    trust_time: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    renewals: tuple[bytes, ...] = ()
    sign_offs: tuple[bytes, ...] = ()
    witnesses: tuple[str, ...] = ()
    now: int | None = None


class Pack:
    """What the steps of one verification have established."""

    def __init__(self, data: Any, reader: Reader) -> None:
        self.data, self.reader, self.notes = data, reader, list[str]()
        self.now = int(time.time() * 1000) if reader.now is None else reader.now
        self.signature, self.responses = b"", list[bytes]()
        self.chain: list[x509.Certificate] = []
        self.pdf_tokens: list[Token] | None = None
        self.tokens: tuple[list[Token], list[Token]] | None = None
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
        data: bytes = archive.read(name)
        return data

    def read(self, name: str) -> bytes:
        """Return a file, if somebody trusted has signed the statement and it is the one that the statement names."""
        need(self.certificate, 3)
        if self.is_strangers:
            raise NotDone("the signer is not the one you trust (step 5)")
        if name not in need(self.digests, 6):
            raise NotDone(f"{name} is not the file that was signed (step 6)")
        data: bytes = need(self.archive, 1).read(name)
        return data

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
    data, payload = pack.raw("manifest.sigstore.json"), pack.raw("manifest.json")
    pack.certificate, signed, pack.signature, pack.responses = read_bundle(data)
    if signed != payload:
        pack.certificate = None
    require(signed == payload, "the bundle signs another statement than manifest.json")
    return f"by {need(pack.certificate, 3).subject.rfc4514_string()}"


def read_bundle(data: bytes) -> tuple[x509.Certificate, bytes, bytes, list[bytes]]:
    """Check a Sigstore bundle with one DSSE signature; return who signed what, the signature, and time stamps."""
    value = read_json(data, exact=True)
    envelope, material = value["dsseEnvelope"], value["verificationMaterial"]
    require(value["mediaType"] == "application/vnd.dev.sigstore.bundle.v0.3+json", "not a Sigstore bundle v0.3")
    stamps = material.get("timestampVerificationData", {"rfc3161Timestamps": [{"signedTimestamp": ""}]})
    known = (
        set(value) == {"mediaType", "dsseEnvelope", "verificationMaterial"}
        and {"certificate"} <= set(material) <= {"certificate", "timestampVerificationData"}
        and set(envelope) == {"payload", "payloadType", "signatures"}
        and set(material["certificate"]) == {"rawBytes"}
        and set(stamps) == {"rfc3161Timestamps"}
        and stamps["rfc3161Timestamps"]
        and all(set(each) == {"signedTimestamp"} for each in stamps["rfc3161Timestamps"])
    )
    require(known, "the bundle holds something else than the one shape that is allowed")
    require(envelope["payloadType"] == "application/vnd.in-toto+json", "the bundle signs another type")
    require(len(envelope["signatures"]) == 1 and set(envelope["signatures"][0]) == {"sig"}, "not one signature")
    payload = read_base64(envelope["payload"])
    certificate = read_certificate(read_base64(material["certificate"]["rawBytes"]))
    kind = envelope["payloadType"].encode()
    signature = read_base64(envelope["signatures"][0]["sig"])
    verify_ecdsa(certificate, signature, b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload))
    responses = [read_base64(each["signedTimestamp"]) for each in stamps["rfc3161Timestamps"]]
    return certificate, payload, signature, [each for each in responses if each]


def cms(pack: Pack) -> str:
    """RFC 5652 section 5.4: the signature is over the signed attributes, one of which is the statement's digest."""
    data, digest = pack.raw("manifest.json.p7s"), sha256(pack.raw("manifest.json"))
    read_signed(data)
    told = pack.predicate
    chain, token = check_signed(data, digest, need(pack.certificate, 3), instant(told["signedAt"]))
    require(token is None, "the CMS carries a time stamp, which is in the bundle")
    prints = [sha256(der_of(each)) for each in chain]
    require(prints == told["signer"]["chainSha256"], "the CMS brings other issuers along than the statement names")
    pack.chain = chain
    return f"at {told['signedAt']}"


def signer(pack: Pack) -> str:
    pack.is_strangers = pack.reader.trust is not None
    certificate, told = need(pack.certificate, 3), pack.predicate["signer"]
    fingerprint = sha256(der_of(certificate))
    require(told["certificateSha256"] == fingerprint, "the statement names another certificate")
    require(told["subject"] == certificate.subject.rfc4514_string(), "the statement names another subject")
    is_development = told["subject"] == "CN=Proofroom development identity"
    require(told["isDevelopment"] == is_development, "the statement is wrong about a development identity")
    claimed, proven = instant(pack.predicate["signedAt"]), proven_time(pack)
    require(valid_at(certificate, claimed), "the certificate was not valid when it signed")
    require(proven is None or valid_at(certificate, proven), "the certificate was not valid at the proven time")
    require(may_sign(certificate, SIGNING_USES), "the certificate is not for signatures")
    if pack.reader.trust is None:
        raise NotDone(f"no trust anchor was given (--trust); compare the certificate's fingerprint {fingerprint}")
    anchors = [anchor for data in pack.reader.trust for anchor in read_anchors(data)]
    path = find_path([certificate], pack.chain, anchors, claimed if proven is None else proven, SIGNING_USES)
    require(path, f"the pack was signed by another than the trust anchor names: certificate {fingerprint}")
    ask_lists(pack, path or [], [*pack.chain, *anchors], proven)
    pack.is_strangers = False
    ask_expiry(pack, path or [], proven)
    when = "as it says" if proven is None else "confirmed"
    return f"certificate {fingerprint}, time {when}; revocation was {'asked' if pack.reader.crls else 'not checked'}"


def ask_lists(pack: Pack, path: list[x509.Certificate], others: list[Any], used_at: int | None) -> None:
    lists = [
        (x509.load_pem_x509_crl if b"-----BEGIN" in data else x509.load_der_x509_crl)(data) for data in pack.reader.crls
    ]
    issuers = [each for each in others if isinstance(each, x509.Certificate)]
    revoked = revocations(path, issuers, lists, used_at)
    require(not revoked, "; ".join(revoked))


def ask_expiry(pack: Pack, path: list[x509.Certificate], proven: int | None) -> None:
    """After a certificate's end, only a proven time tells the signer from a thief; or that it is itself the anchor."""
    first = min(path[:-1] or path, key=ends_at)
    if pack.now <= ends_at(first):
        return
    said = f"the certificate {first.subject.rfc4514_string()} expired on {day(ends_at(first))}"
    if proven is None and len(path) > 1:
        raise NotDone(f"{said}, and no authority that you trust (--trust-time) confirmed that it signed before")
    pack.notes.append(f"{said}; that it signed before {'rests on its own word' if proven is None else 'is confirmed'}")


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
    """Check the signature as bytes; all of a PDF's signatures stand in what was added to the unsigned one."""
    data, unsigned = pack.read("report.pdf"), pack.predicate["unsignedPdf"]
    length, certificate = unsigned["length"], need(pack.certificate, 3)
    require(0 < length < len(data), "the recorded length of the unsigned PDF is not within the PDF")
    require(sha256(data[:length]) == unsigned["sha256"], "the PDF does not begin with the unsigned PDF")
    ranges = re.findall(rb"/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*\]", data[length:])
    require(len(ranges) in {1, 2}, f"the PDF holds {len(ranges)} signatures")
    end, signature, digest = read_gap(data, ranges[0], length)
    chain, token = check_signed(signature, digest, certificate, None)
    prints = [sha256(der_of(each)) for each in chain]
    require(prints == pack.predicate["signer"]["chainSha256"], "the PDF brings other issuers along")
    added, at = data[length:end], dt.datetime.fromisoformat(pack.predicate["signedAt"])
    for part in (b"/SubFilter /ETSI.CAdES.detached", b"/TransformMethod /DocMDP", b"/P 1\n", b"/Perms <<\n/DocMDP "):
        require(part in added, "the signature does not certify the document against every change")
    require(f"/M (D\\072{at:%Y%m%d%H%M%S}Z)".encode() in added, "the PDF states another signing time")
    tokens = [] if token is None else [read_token(token)]
    digest = sha256(der_signature(signature))
    require(all(each.digest == digest for each in tokens), "the PDF's token is over something else")
    if len(ranges) == 2:
        require(b"/DocTimeStamp" in data[end:] and b"/ETSI.RFC3161" in data[end:], "what follows is no time stamp")
        end, stamp, digest = read_gap(data, ranges[1], end)
        tokens.append(read_token(stamp))
        require(tokens[-1].digest == digest, "the document time stamp is over another document")
    require(end == len(data), "the signature does not cover the whole document")
    attached = attachments(data[:length])
    for name in ("content-manifest.json", "report.json"):
        require(sha256(pack.read(name)) in attached, f"{name} is not attached to the PDF")
    pack.pdf_tokens = tokens
    return "the number it prints was not read, nor its text; compare it, and see what pdfsig says"


def der_signature(data: bytes) -> bytes:
    return read_signed(data).signature


def read_gap(data: bytes, numbers: tuple[bytes, ...], start: int) -> tuple[int, bytes, str]:
    """Return where a signed revision ends, what stands where its signature stands, and the digest of all else."""
    first, before, after, rest = map(int, numbers)
    end, gap = after + rest, data[before:after]
    require(first == 0 and start < before < after < end <= len(data), "the byte range does not span the document")
    raw = bytes.fromhex(gap[1:-1].decode("ascii"))
    size = len(raw) if raw[1] < 0x80 else 2 + raw[1] - 0x80 + int.from_bytes(raw[2 : 2 + raw[1] - 0x80], "big")
    spelled = b"<" + raw[:size].hex().upper().encode().ljust(len(gap) - 2, b"0") + b">"
    require(gap == spelled, "there is something else than the signature where the signature stands")
    return end, raw[:size], sha256(data[:before] + data[after:end])


def attachments(data: bytes) -> set[str]:
    """Return the digest of what each stream of a PDF holds, compressed or not."""
    found = set()
    for match in re.finditer(rb"stream\r?\n", data):
        end = data.find(b"endstream", match.end())
        body = data[match.end() : end]
        found |= {sha256(body), sha256(body.removesuffix(b"\n")), sha256(body.removesuffix(b"\r\n"))}
        try:
            found.add(sha256(zlib.decompressobj().decompress(body, SIZE_LIMIT)))
        except zlib.error:
            continue
    return found


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
    agree(pack, report)
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


def agree(pack: Pack, report: Any) -> None:
    """The report and the statement tell the same, and so do the report's parts that are files of their own."""
    if (withheld := report.get("withheld")) is not None:
        claimed = ", ".join(withheld["tests"]) or "no test"
        pack.notes.append(f"this pack withholds {', '.join(withheld['fields'])}; what it says of {claimed} is a claim")
    told, evaluation, who = pack.predicate, report["evaluation"], report["signer"]
    instants = [instant(told[name]) for name in ("periodStart", "periodEnd", "asOf")]
    stated = [evaluation["period"]["start"], evaluation["period"]["end"], evaluation["as_of"]]
    same = told["framework"] == evaluation["framework"] and instants == stated
    same = same and told["software"] == report["software"] and told["times"] == report["times"]
    names = {"subject": "subject", "certificateSha256": "certificate_sha256"}
    names |= {"isDevelopment": "is_development", "chainSha256": "chain_sha256"}
    require(same and told["signer"] == {name: who[key] for name, key in names.items()}, "the statement tells another")
    for name in ("gaps", "metrics"):
        require(pack.read(f"{name}.json") == canonical(report[name]), f"{name}.json is not what the report says")


def check_draw(pack: Pack, report: Any, draw: Any, lines: list[Any]) -> None:
    evaluation, population, name = report["evaluation"], draw["population"], draw["test_id"]
    prefix = f"populations/{population}/"
    segments = sorted(each for each in need(pack.digests, 6) if each.startswith(prefix))
    listed = "".join(f"{need(pack.digests, 6)[each]}  {each.removeprefix('populations/')}\n" for each in segments)
    period = [str(evaluation["period"][end]) for end in ("start", "end")]
    parts = [report["engagement"], evaluation["framework"], *period, name, population, sha256(listed.encode())]
    require(draw["seed"] == sha256("\n".join(["proofroom.sample.v2", *parts]).encode()), f"{name}: the seed is another")
    strata: dict[tuple[str, str], list[str]] = {}
    for item, month, risk, codes in lines:
        if codes[draw["place"]] != "0":
            strata.setdefault((month, risk), []).append(item)
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


def controls(pack: Pack) -> str:
    names = [name for name in need(pack.digests, 6) if name.startswith("controls/")]
    digests = {name.removeprefix("controls/"): need(pack.digests, 6)[name] for name in names}
    stated = pack.report()["evaluation"]["controls_sha256"]
    require(sha256(canonical(digests)) == stated, "the report was made with other controls")
    return f"{len(names)} files; that they can be read and define the tests was not checked"


def populations(pack: Pack) -> str:
    evaluation, digests = pack.report()["evaluation"], need(pack.digests, 6)
    found = {name.removeprefix("populations/"): digests[name] for name in digests if name.endswith(".parquet")}
    found = {name: digest for name, digest in found.items() if not name.startswith("results/")}
    require(found == evaluation["segments"], "the segments are not those the report was made from")
    period = {**evaluation["period"], "as_of": evaluation["as_of"]}
    require(read_json(pack.read("populations/period.json")) == period, "the segments are of another period")
    total = 0
    for name, size in evaluation["population_sizes"].items():
        rows = list(csv.DictReader(io.StringIO(pack.read(f"populations/{name}.csv").decode(), newline="")))
        ids = {row["item_id"] for row in rows}
        require(len(rows) == len(ids) == size, f"the listing of {name} has other items than the report says")
        total += size
    return f"{total:,} items in {len(found):,} segments, counted in the listings; the segments were not read"


def listings(pack: Pack) -> str:
    """Every file has its place: nothing is there that the report does not speak of."""
    report, digests = pack.report(), need(pack.digests, 6)
    evaluation = report["evaluation"]
    deviating = {each["test_id"] for each in evaluation["tests"] if each["counts"]["fail"] + each["counts"]["waived"]}
    found = {name.removeprefix("deviations/") for name in digests if name.startswith("deviations/")}
    require(found == {f"{name}.csv" for name in deviating}, "a listing of deviations is missing, or one too many")
    for table in report["deviations"]:
        lines = list(csv.reader(io.StringIO(pack.read(f"deviations/{table['test_id']}.csv").decode(), newline="")))
        require(len(lines) == table["total"] + 1, f"the listing of {table['test_id']} has other deviations")
    granted = sum(each["state"] == "granted" for each in report["times"])
    known = {"README.md", "VERIFY.md", "report.json", "gaps.json", "metrics.json", "populations/period.json"}
    known |= {f"ledger/{name}" for name in ("checkpoint", "entries.jsonl", "runs.jsonl", "subset-proof.json")}
    known |= {"ledger/consistency.json", *OUTSIDE, *(token_name(place) for place in range(granted))}
    known |= {f"populations/{name}" for name in evaluation["segments"]}
    for name in evaluation["population_sizes"]:
        known |= {f"populations/{name}.csv", f"results/{name}.parquet", f"samples/{name}.json"}
        known.add(f"samples/frames/{name}.jsonl")
    folders = ("controls/", "deviations/")
    extra = [name for name in need(pack.archive, 1).names() if name not in known and not name.startswith(folders)]
    require(not extra, f"{', '.join(extra[:20])} has no place in a pack")
    return "which files there are, and how many deviations; not what the listings say of items"


def token_name(place: int) -> str:
    return "ledger/checkpoint" + (f"-{place + 1}" if place else "") + ".tsr"


def held(pack: Pack, token: Token, until: int) -> str | None:
    """Say why a token does not hold at an instant by the reader's anchors; None if it does."""
    anchors = [anchor for data in pack.reader.trust_time for anchor in read_anchors(data)]
    path = find_path([token.authority], token.chain, anchors, token.at, {TIME_USE})
    if path is None:
        return "no valid chain leads from the authority to one that you trust"
    ask_lists(pack, path, anchors, token.at)
    ends = min(map(ends_at, path[:-1]), default=until)
    return None if until <= ends else f"the authority's certificate expired on {day(ends)}, and no renewal was given"


def holds(pack: Pack, token: Token, until: int) -> bool:
    try:
        return held(pack, token, until) is None
    except Failed:
        return False


def renewed(pack: Pack) -> list[Token]:
    """Check the renewals, each over the pack and the ones before it, from the last to the first."""
    if not pack.reader.renewals:
        raise NotDone("no renewal was given (--renewal)")
    if not pack.reader.trust_time:
        raise NotDone("renewals were given, and no authority that you trust (--trust-time)")
    running, digests = hashlib.sha256(pack.data), []
    for data in pack.reader.renewals:
        digests.append(running.hexdigest())
        running.update(data)
    tokens, until = [read_response(data) for data in pack.reader.renewals], pack.now
    for number in range(len(tokens), 0, -1):
        token = tokens[number - 1]
        require(token.digest == digests[number - 1], f"renewal {number} is not over this pack and those before it")
        problem = held(pack, token, until)
        require(problem is None, f"renewal {number}: {problem}")
        require(token.at <= until or number == len(tokens), f"renewal {number} is of a later time than the next one")
        until = token.latest
    return tokens


def renewals(pack: Pack) -> str:
    tokens = renewed(pack)
    return f"{len(tokens)}, the last by {tokens[-1].authority.subject.rfc4514_string()} on {day(tokens[-1].at)}"


def holds_until(pack: Pack) -> tuple[int, bool]:
    """Return until when the pack's own tokens must have held: until the first renewal, or the reader's time."""
    try:
        return renewed(pack)[0].latest, True
    except Exception:  # noqa: BLE001 - The step about renewals says what is wrong with them.
        return pack.now, False


def proven_time(pack: Pack) -> int | None:
    """Return by when the statement was signed, as an authority that the reader trusts confirmed."""
    until, is_renewed = holds_until(pack)
    # A renewal after the signer's end does not say when it was signed.
    times = [until] if is_renewed and valid_at(need(pack.certificate, 3), until) else []
    for data in pack.responses:
        try:
            token = read_response(data)
        except Exception:  # noqa: BLE001, S112 - Step 20 says what is wrong with it.
            continue
        if token.digest == sha256(pack.signature) and holds(pack, token, until):
            times.append(token.latest)
    return min(times, default=None)


def tokens(pack: Pack) -> str:
    """The pack has exactly the tokens that the statement names, each over what it should be over."""
    times, report_tokens = pack.predicate["times"], need(pack.pdf_tokens, 8)
    granted = [each for each in times if each["state"] == "granted"]
    statement_tokens = [read_response(data) for data in pack.responses]
    checkpoint_tokens = [read_response(pack.read(token_name(place))) for place in range(len(granted))]
    require(len(statement_tokens) == len(granted), "the statement names other authorities than there are tokens")
    require(len(report_tokens) == (2 if granted else 0), "the PDF has other time stamps than the statement says")
    require(all(each.digest == sha256(pack.signature) for each in statement_tokens), "a token is over something else")
    over = sha256(pack.read("ledger/checkpoint"))
    require(all(each.digest == over for each in checkpoint_tokens), "a token is over something else")
    require(
        [each.at for each in checkpoint_tokens] == [each["at"] for each in granted], "the statement says other times"
    )
    claimed = instant(pack.predicate["signedAt"])
    require(all(claimed <= each.latest + CLOCK_SKEW for each in statement_tokens), "the signer claims a later time")
    pairs = list(zip(checkpoint_tokens, statement_tokens, strict=True))
    require(all(early.at <= late.latest for early, late in pairs), "the statement was confirmed before the checkpoint")
    line = [[(each.authority.issuer, each.chain) for each in found] for found in (checkpoint_tokens, statement_tokens)]
    require(line[0] == line[1], "the tokens of one authority come with different certificates")
    pack.tokens = statement_tokens, checkpoint_tokens
    failed = [f"{each['authority']} failed: {each['reason']}" for each in times if each["state"] == "failed"]
    return "; ".join([f"{len(granted)} of {len(times)} authorities confirmed the time", *failed])


def trusted_time(pack: Pack) -> str:
    statement_tokens, checkpoint_tokens = need(pack.tokens, 20)
    report_tokens = need(pack.pdf_tokens, 8)
    if not pack.reader.trust_time:
        raise NotDone("no authority that you trust was given (--trust-time); the time is the signer's own claim")
    until, is_renewed = holds_until(pack)
    if not statement_tokens and is_renewed:
        return f"no authority confirmed it when it was made; a renewal says that it was there on {day(until)}"
    require(statement_tokens, "no authority confirmed the time; it is the signer's own claim")
    problems = [
        held(pack, token, until) if holds(pack, token, until) else "it is not held" for token in statement_tokens
    ]
    require(None in problems, "no token is by an authority that you trust, or holds without a renewal")
    place = problems.index(None)
    kept = statement_tokens[place]
    for token in [checkpoint_tokens[place], *(report_tokens if place == 0 else [])]:
        problem = held(pack, token, until)
        require(problem is None, str(problem))
    if pack.now > ends_at(kept.authority):
        pack.notes.append(f"the certificate of the time-stamp authority expired on {day(ends_at(kept.authority))}")
    return f"signed by {dt.datetime.fromtimestamp(kept.latest / 1000, tz=dt.UTC).isoformat()}"


def sign_offs(pack: Pack) -> str:
    certificate = need(pack.certificate, 3)
    if not pack.reader.sign_offs:
        raise NotDone("no sign-off was given (--sign-off)")
    if pack.reader.trust is None:
        raise NotDone("no trust anchor was given (--trust), so a sign-off could be anybody's")
    taken, said = [spki_of(certificate.public_key())], []
    for data in pack.reader.sign_offs:
        who, line = sign_off(pack, data)
        require(spki_of(who.public_key()) not in taken, "a sign-off is by the preparer's key, or by another's")
        taken.append(spki_of(who.public_key()))
        said.append(line)
    return "; ".join(said)


def sign_off(pack: Pack, data: bytes) -> tuple[x509.Certificate, str]:
    who, payload, signature, responses = read_bundle(data)
    value = read_json(payload, exact=True)
    told = value["predicate"]
    require(value["predicateType"] == "urn:proofroom:sign-off:v1", "this is no sign-off")
    about = [{"digest": {"sha256": sha256(pack.raw("manifest.json"))}, "name": "manifest.json"}]
    require(value["subject"] == about, "a sign-off is about another pack")
    require(told["certificateSha256"] == sha256(der_of(who)), "a sign-off names another certificate")
    chain = in_line(who, [read_any(read_base64(each)) for each in told["chain"]])
    stamps = [read_response(each) for each in responses]
    require(all(each.digest == sha256(signature) for each in stamps), "a sign-off's time stamp is over something else")
    proven = min((each.latest for each in stamps if holds(pack, each, pack.now)), default=None)
    claimed = instant(told["signedAt"])
    require(valid_at(who, claimed) and may_sign(who, SIGNING_USES), "a sign-off's certificate could not sign it")
    require(proven is None or claimed <= proven + CLOCK_SKEW, "a sign-off claims a later time than an authority saw")
    anchors = [anchor for each in pack.reader.trust or [] for anchor in read_anchors(each)]
    path = find_path([who], chain, anchors, claimed if proven is None else proven, SIGNING_USES)
    require(path, "a sign-off is by nobody whom you trust")
    ask_lists(pack, path or [], chain, proven)
    is_fresh = len(path or []) == 1 or pack.now <= min(map(ends_at, (path or [])[:-1]))
    require(proven is not None or is_fresh, "a sign-off's certificate has expired, and nobody confirmed its time")
    return who, f"{told['role']} {told['name']} at {told['signedAt']}: {told['comment']}"


def witnesses(pack: Pack) -> str:
    need(pack.checkpoint, 9)
    if not pack.reader.witnesses:
        raise NotDone("no witness was named (--witness)")
    text, lines = read_note(pack.read("ledger/checkpoint"))
    for name, key_id, key in [read_key(witness, 4) for witness in pack.reader.witnesses]:
        mine = [payload[4:] for line, payload in lines if (line, payload[:4]) == (name, key_id)]
        require(mine, f"witness {name} has not cosigned the checkpoint")
        for payload in mine:
            require(len(payload) == 72, f"the cosignature of {name} is wrong")
            (at,) = struct.unpack(">Q", payload[:8])
            verify_ed25519(key, payload[8:], f"cosignature/v1\ntime {at}\n{text}".encode(), name)
    return f"{len(pack.reader.witnesses)} witnesses"


STEPS: list[tuple[int, str, Callable[[Pack], str], bool, bool]] = [
    # number, name, what does it, whether it is the whole step, whether it is required
    (1, "the container is a plain archive", container, True, True),
    (2, "the statement is well formed", statement, True, True),
    (3, "the statement is signed", bundle, True, True),
    (4, "the second signature agrees", cms, True, True),
    (5, "the signer is the one you trust", signer, True, False),
    (6, "every file is the one that was signed", files, True, True),
    (7, "the content manifest is complete", content_manifest, True, True),
    (8, "the PDF is signed and is about these files", pdf, False, True),
    (9, "the ledger's checkpoint is signed", checkpoint, True, True),
    (10, "every item rests on proven ledger entries", entries, False, True),
    (11, "the ledger only grew", growth, True, True),
    (12, "completeness boxes are those of the ledger", completeness, True, True),
    (13, "the controls are those of the report", controls, False, True),
    (14, "the populations are those of the report", populations, False, True),
    (17, "the report, findings and samples follow", samples, False, True),
    (18, "the listings follow, and nothing else is there", listings, False, True),
    (20, "the time stamps are those of the statement", tokens, True, True),
    (21, "the time is confirmed by whom you trust", trusted_time, True, False),
    (22, "sign-offs are by others you trust", sign_offs, True, False),
    (24, "the witnesses you named have seen the ledger", witnesses, True, False),
    (25, "the time stamps were renewed in time", renewals, True, False),
]
LEFT_OUT = (
    "Not done by this program: reading segments and controls, running the tests again, deriving findings, metrics and "
    "listings from them, what a pack withholds, the PDF's text."
)


def verify(data: Any, reader: Reader) -> dict[str, Any]:
    """Run all steps; whatever breaks in one, that step has failed."""
    pack = Pack(data, reader)
    csv.field_size_limit(SIZE_LIMIT)  # A right that many sessions used rests on many entries.
    results: list[dict[str, Any]] = []
    for number, name, check, is_whole, is_required in STEPS:
        state, detail = OK, ""
        required = is_required or (number == 5 and reader.trust is not None)
        try:
            detail = check(pack)
        except NotDone as reason:
            state, detail = NOT_DONE, str(reason)
        except Failed as problem:
            state, detail = FAILED, str(problem)
        except Exception as error:  # noqa: BLE001 - A hostile pack can make a parser raise anything.
            state, detail = FAILED, f"this cannot be read ({type(error).__name__}: {error})"
        shown = printable(detail)
        results.append(
            {"number": number, "name": name, "state": state, "detail": shown, "whole": is_whole, "required": required}
        )
    failed = [step["number"] for step in results if step["state"] == FAILED]
    left_out = [step["number"] for step in results if step["state"] == NOT_DONE and step["required"]]
    return {
        "pack_sha256": sha256(data),
        "holds": not failed and not left_out,
        "signer_checked": results[4]["state"] == OK,
        "notes": [] if failed or left_out else list(map(printable, pack.notes)),
        "steps": results,
        "verdict": verdict(failed, left_out, checked=results[4]["state"] == OK),
    }


def printable(text: str) -> str:
    """Return text that a terminal can be shown: names in a pack, and its own, are their authors' choice."""
    return "".join(character if character.isprintable() else "?" for character in text)[:300]


def verdict(failed: list[int], left_out: list[int], *, checked: bool) -> str:
    if failed or left_out:
        steps = ", ".join(map(str, failed or left_out))
        return f"This pack does NOT verify: step {steps} {'failed' if failed else 'could not be done'}."
    if not checked:
        return "What was checked holds, but WHO signed was not: give --trust."
    return f"What was checked holds, and the signer is the one you trust. {LEFT_OUT}"


def read_arguments(arguments: argparse.Namespace) -> Reader:
    def all_of(paths: list[Path]) -> tuple[bytes, ...]:
        return tuple(path.read_bytes() for path in paths)

    prints = [text.rpartition("=")[2].replace(":", "").strip().lower() for text in arguments.fingerprint]
    require(all(re.fullmatch("[0-9a-f]{64}", each) for each in prints), "a fingerprint is 64 hex digits")
    return Reader(
        trust=[*all_of(arguments.trust), *(b"sha256:" + each.encode() for each in prints)] or None,
        trust_time=all_of(arguments.trust_time),
        crls=all_of(arguments.crl),
        renewals=all_of(arguments.renewal),
        sign_offs=all_of(arguments.sign_off),
        witnesses=tuple(arguments.witness),
        now=None if arguments.at is None else instant(arguments.at),
    )


def main() -> int:
    """Read the arguments, verify, print."""
    parser = argparse.ArgumentParser(description="Check a Proofroom evidence pack.", epilog=LEFT_OUT)
    parser.add_argument("pack", type=Path)
    given: dict[str, Any] = {"type": Path, "action": "append", "default": []}
    parser.add_argument("--trust", help="certificate or public key of the signer, or of an authority above", **given)
    parser.add_argument("--fingerprint", action="append", default=[], help="SHA-256 of the signer's certificate or key")
    parser.add_argument("--trust-time", help="certificate of a time-stamp authority, or of one above", **given)
    parser.add_argument("--crl", help="certificate revocation list", **given)
    parser.add_argument("--renewal", help="later time stamp over the pack; in order", **given)
    parser.add_argument("--sign-off", help="what somebody else signed about this pack", **given)
    parser.add_argument("--witness", action="append", default=[], help="key (name+id+key) of a witness")
    parser.add_argument("--at", help="judge as of this instant (RFC 3339) what has expired")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    try:
        reader = read_arguments(arguments)
        with arguments.pack.open("rb") as file:
            empty = arguments.pack.stat().st_size == 0
            data = b"" if empty else mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError, Failed) as error:
        parser.error(str(error))
    sys.setrecursionlimit(10_000)
    result = verify(data, reader)
    if arguments.json:
        print(json.dumps(result, indent=1))
    else:
        print(f"{printable(arguments.pack.name)}  sha256 {result['pack_sha256']}\n")
        for step in result["steps"]:
            part = "" if step["whole"] or step["state"] != OK else " (in part)"
            print(f"{step['number']:>2} {step['name']} ".ljust(58, ".") + f" {step['state']}{part}  {step['detail']}")
        print("".join(f"\nNote: {note}." for note in result["notes"]) + f"\n{result['verdict']}")
    return 0 if result["holds"] else 1


if __name__ == "__main__":
    sys.exit(main())
