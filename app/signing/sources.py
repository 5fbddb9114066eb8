# SPDX-License-Identifier: Apache-2.0

"""Find the organisation's own signing key where the settings say it is: a file, a device, or a service.

In:  settings.
Out: what loads a ``SigningIdentity``, or None for the development identity.
A passphrase comes from a file or from the environment, never from the command line, and goes nowhere but to what
opens the key.
"""

from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12

from app.errors import InvalidInput, UsageError
from app.settings import SETTINGS_FILE, Settings
from app.signing.certificates import is_p256
from app.signing.keys import KeyHandle, SigningIdentity, check_signer, load_chain, load_identity, read_file
from app.signing.pkcs11 import Pkcs11Key

PROVIDERS = "proofroom.keys"
"""Entry point group of installed packages that hold keys; each names a callable without arguments."""
_PKCS12 = frozenset({".p12", ".pfx"})


def own_identity(settings: Settings) -> Callable[[], SigningIdentity] | None:
    """Return what loads the organisation's own identity, or None if the settings name none.

    Raises:
        UsageError: the settings name a part of one, or more than one.
    """
    file, device, service = settings.signing_key, settings.signing_pkcs11_module, settings.signing_provider
    chosen = [one for one in (file, device, service) if one is not None]
    if not chosen:
        if settings.signing_certificate is not None:
            raise _unfit("signing_certificate needs a key: signing_key, signing_pkcs11_module or signing_provider")
        return None
    if len(chosen) > 1:
        raise _unfit("only one of signing_key, signing_pkcs11_module and signing_provider can hold the key")
    return lambda: _load(settings)


def file_identity(key: Path, certificate: Path | None, passphrase: bytes | None) -> SigningIdentity:
    """Load an identity from files: PKCS#12, which holds the certificate too, or PKCS#8 and a certificate.

    Raises:
        UsageError: the certificate is missing.
        InvalidInput: a file cannot be used.
    """
    if key.suffix.lower() in _PKCS12:
        return _from_pkcs12(key, passphrase)
    if certificate is None:
        raise _unfit("signing_key and signing_certificate go together, but for PKCS#12 (.p12, .pfx)")
    return load_identity(key, certificate, passphrase)


def passphrase_of(settings: Settings) -> bytes | None:
    """Return the passphrase or PIN, or None.

    Raises:
        InvalidInput: the file that should hold it cannot be read.
    """
    if settings.signing_passphrase is not None:
        return settings.signing_passphrase.get_secret_value().encode()
    if settings.signing_passphrase_file is None:
        return None
    return read_passphrase(settings.signing_passphrase_file)


def read_passphrase(path: Path) -> bytes:
    """Return a passphrase from a file: its first line.

    Raises:
        InvalidInput: it cannot be read, or is empty.
    """
    lines = read_file(path).splitlines()
    if not lines or not lines[0]:
        raise InvalidInput("the passphrase file is empty", where=str(path))
    return lines[0]


def _load(settings: Settings) -> SigningIdentity:
    if settings.signing_key is not None:
        return file_identity(settings.signing_key, settings.signing_certificate, passphrase_of(settings))
    if settings.signing_certificate is None:
        raise _unfit("signing_certificate is missing: a device or service holds the key alone")
    certificate, chain = load_chain(settings.signing_certificate)
    handle = _device(settings) if settings.signing_provider is None else _provided(settings.signing_provider)
    return SigningIdentity(handle, certificate, chain)


def _device(settings: Settings) -> Pkcs11Key:
    module, token, label = (
        settings.signing_pkcs11_module,
        settings.signing_pkcs11_token,
        settings.signing_pkcs11_key,
    )
    if module is None or token is None or label is None:
        raise _unfit("signing_pkcs11_module, signing_pkcs11_token and signing_pkcs11_key go together")
    pin = passphrase_of(settings)
    return Pkcs11Key(library=module, token=token, label=label, pin=None if pin is None else pin.decode())


def _provided(name: str) -> KeyHandle:
    found = [point for point in entry_points(group=PROVIDERS) if point.name == name]
    if len(found) != 1:
        raise _unfit(f"signing_provider '{name}' is not installed (entry point group {PROVIDERS})")
    handle: KeyHandle = found[0].load()()
    return handle


def _from_pkcs12(path: Path, passphrase: bytes | None) -> SigningIdentity:
    try:
        key, certificate, others = pkcs12.load_key_and_certificates(read_file(path), passphrase)
    except (ValueError, TypeError) as error:
        hint = "Give its passphrase by signing_passphrase_file"
        raise InvalidInput("this PKCS#12 file cannot be opened", where=str(path), hint=hint) from error
    if certificate is None or not isinstance(key, ec.EllipticCurvePrivateKey) or not is_p256(key):
        raise InvalidInput("this PKCS#12 file does not hold an ECDSA P-256 key and its certificate", where=str(path))
    if certificate.public_key() != key.public_key():
        raise InvalidInput("the certificate's public key is not that of the signing key", where=str(path))
    return SigningIdentity(key, check_signer(certificate, where=str(path)), others)


def _unfit(what: str) -> UsageError:
    return UsageError(what, where=SETTINGS_FILE)
