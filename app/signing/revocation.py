# SPDX-License-Identifier: Apache-2.0

"""Certificate revocation lists (RFC 5280 sections 5 and 6.3), given as files by whoever verifies.

In:  lists, the certificates of a path with whoever issued them, the instant at which a certificate was used.
Out: what is revoked; and which certificates no list speaks about, so that silence is never taken for good news.
"""

import datetime as dt
from collections.abc import Sequence

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import ExtensionOID

from app.errors import InvalidInput
from app.signing.certificates import moment_of
from app.signing.chain import name_of

MAX_LISTS = 64
_UNDERSTOOD = frozenset({ExtensionOID.ISSUING_DISTRIBUTION_POINT, ExtensionOID.CRL_NUMBER})


class Findings(msgspec.Struct, frozen=True):
    """What lists say about some certificates.

    Attributes:
        revoked: sentences about certificates that were revoked when they were used.
        spoken: certificates that a list speaks about. silent: those that none does.
        notes: sentences about what happened after the use.
    """

    revoked: tuple[str, ...]
    spoken: tuple[str, ...]
    silent: tuple[str, ...]
    notes: tuple[str, ...]


def read_crl(data: bytes, *, where: str) -> x509.CertificateRevocationList:
    """Parse one list, PEM or DER.

    Raises:
        InvalidInput: it is none.
    """
    parse = x509.load_pem_x509_crl if b"-----BEGIN" in data else x509.load_der_x509_crl
    try:
        found = parse(data)
        _ = found.issuer, found.extensions, found.last_update_utc, found.next_update_utc, len(found)
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.InvalidVersion) as error:
        raise InvalidInput("this is not a certificate revocation list", where=where, hint="Give PEM or DER") from error
    return found


def ask_lists(
    certificates: Sequence[x509.Certificate],
    issuers: Sequence[x509.Certificate],
    lists: Sequence[x509.CertificateRevocationList],
    used_at: int | None,
) -> Findings:
    """Ask the lists about certificates.

    Args:
        certificates: those asked about.
        issuers: certificates of those who may have issued them.
        lists: whatever lists there are; those that are not by an issuer say nothing.
        used_at: when they were used, epoch milliseconds, as an authority confirmed; None when nobody did. Then any
            revocation counts, because a claimed time may be any time.
    """
    revoked: list[str] = []
    spoken: list[str] = []
    silent: list[str] = []
    notes: list[str] = []
    for certificate in certificates:
        speaking = [found for found in lists if _speaks_about(found, certificate, issuers)]
        (spoken if any(_knows_of(found, used_at) for found in speaking) else silent).append(name_of(certificate))
        # What an old list does not name may have been revoked since; what it names stays revoked.
        entries = [found.get_revoked_certificate_by_serial_number(certificate.serial_number) for found in speaking]
        for entry in entries:
            if entry is None:
                continue
            since = _since(entry)
            counts = used_at is None or since <= moment_of(used_at)
            (revoked if counts else notes).append(
                f"the certificate '{name_of(certificate)}' was revoked on {since:%Y-%m-%dT%H:%M:%SZ}"
                + ("" if counts else ", after it had signed")
            )
    return Findings(tuple(revoked), tuple(spoken), tuple(silent), tuple(notes))


def _speaks_about(
    found: x509.CertificateRevocationList,
    certificate: x509.Certificate,
    issuers: Sequence[x509.Certificate],
) -> bool:
    if found.issuer != certificate.issuer or any(
        extension.critical and extension.oid not in _UNDERSTOOD for extension in found.extensions
    ):
        return False
    scope = _scope(found)
    if scope is not None and (scope.indirect_crl or scope.only_some_reasons or scope.only_contains_attribute_certs):
        return False
    return any(issuer.subject == found.issuer and _signed_by(found, issuer) for issuer in issuers)


def _knows_of(found: x509.CertificateRevocationList, used_at: int | None) -> bool:
    """Tell whether a list knows what was revoked before a use: not if it had run out by then."""
    return used_at is None or found.next_update_utc is None or found.next_update_utc >= moment_of(used_at)


def _signed_by(found: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    try:
        usage = issuer.extensions.get_extension_for_class(x509.KeyUsage).value
        may_sign = usage.crl_sign
    except x509.ExtensionNotFound:
        may_sign = True
    try:
        return may_sign and found.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]  # It raises if not.
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False


def _scope(found: x509.CertificateRevocationList) -> x509.IssuingDistributionPoint | None:
    try:
        return found.extensions.get_extension_for_class(x509.IssuingDistributionPoint).value
    except x509.ExtensionNotFound:
        return None


def _since(entry: x509.RevokedCertificate) -> dt.datetime:
    """Return since when a certificate is not to be believed: its invalidity date, if that is known and earlier."""
    try:
        invalid = entry.extensions.get_extension_for_class(x509.InvalidityDate).value.invalidity_date_utc
    except (x509.ExtensionNotFound, ValueError):
        return entry.revocation_date_utc
    return min(invalid, entry.revocation_date_utc)
