# SPDX-License-Identifier: Apache-2.0

"""Sign with a key that a PKCS#11 device holds: a hardware security module, a smart card, SoftHSM2.

In:  the device's library, the token's label, the key's label, the PIN.
Out: a ``KeyHandle``.
The key never leaves the device. The PIN is held by this object alone; it is in no message and in no repr.
Needs the extra ``hsm`` (python-pkcs11), which is loaded only here.
"""

from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from app.errors import SourceRefused, SourceUnavailable, UsageError

_RAW = 64
"""A P-256 signature as devices give it: r and s, 32 bytes each (PKCS #11 v2.40, 2.3.1)."""


@dataclass(frozen=True, kw_only=True)
class Pkcs11Key:
    """A P-256 private key in a device.

    Attributes:
        library: the device's PKCS#11 module. token: the token's label. label: the key's label.
    """

    library: Path
    token: str
    label: str
    pin: str | None = field(default=None, repr=False)

    def sign_digest(self, sha256: bytes) -> bytes:
        """Return the ECDSA signature, DER, over a SHA-256; a session is opened for each signature.

        Raises:
            UsageError: the extra is not installed.
            SourceUnavailable: the library or token cannot be opened.
            SourceRefused: the PIN is wrong, there is no such key, or the device will not sign.
        """
        try:
            import pkcs11  # noqa: PLC0415  An optional dependency, needed only where a device is.
        except ImportError:
            raise UsageError("PKCS#11 needs the extra 'hsm'", hint="pip install 'proofroom[hsm]'") from None
        try:
            device = pkcs11.lib(str(self.library))
            token = device.get_token(token_label=self.token)
        except (pkcs11.PKCS11Error, RuntimeError) as error:
            raise SourceUnavailable(
                f"the PKCS#11 token '{self.token}' cannot be opened ({type(error).__name__})", where=str(self.library)
            ) from error
        try:
            with token.open(user_pin=self.pin) as session:
                key = session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, label=self.label)
                raw: bytes = key.sign(sha256, mechanism=pkcs11.Mechanism.ECDSA)  # type: ignore[attr-defined]  # By mixin.
        except pkcs11.PKCS11Error as error:
            raise SourceRefused(
                f"the PKCS#11 token does not sign with key '{self.label}' ({type(error).__name__})", where=self.token
            ) from error
        if len(raw) != _RAW:
            raise SourceRefused("the key in the PKCS#11 token is not ECDSA P-256", where=self.token)
        return encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
