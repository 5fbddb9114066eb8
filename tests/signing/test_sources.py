# SPDX-License-Identifier: Apache-2.0

"""Where a signing key may be: encrypted files, PKCS#12, a PKCS#11 device, an installed package; no secret leaks."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12

from app.clock import FixedClock
from app.errors import CheckFailed, InvalidInput, ProofroomError, SourceRefused, SourceUnavailable, UsageError
from app.settings import Settings
from app.signing.cms import read_detached, sign_detached, verify_detached
from app.signing.keys import SigningIdentity, SigningKeys
from app.signing.pkcs11 import Pkcs11Key
from app.signing.sources import own_identity
from tests.authorities import PEM, certify, now

SECRET = "correct horse battery staple"
KEY = ec.generate_private_key(ec.SECP256R1())
ROOT_KEY = ec.generate_private_key(ec.SECP256R1())
ROOT = certify("Root", ROOT_KEY, is_authority=True)
CERTIFICATE = certify("Organisation", KEY, (ROOT, ROOT_KEY))
PKCS8 = serialization.PrivateFormat.PKCS8
LOCKED = serialization.BestAvailableEncryption(SECRET.encode())
MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so")


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Return the files of one identity in every form, and its passphrase."""
    contents = {
        "plain.key": KEY.private_bytes(PEM, PKCS8, serialization.NoEncryption()),
        "locked.key": KEY.private_bytes(PEM, PKCS8, LOCKED),
        "locked.p12": pkcs12.serialize_key_and_certificates(b"x", KEY, CERTIFICATE, [ROOT], LOCKED),
        "own.crt": CERTIFICATE.public_bytes(PEM) + ROOT.public_bytes(PEM),
        "secret": f"{SECRET}\n".encode(),
        "wrong": b"wrong\n",
        "empty": b"",
    }
    for name, data in contents.items():
        (tmp_path / name).write_bytes(data)
    return {name: tmp_path / name for name in contents}


def load(folder: Path, **settings: object) -> SigningIdentity:
    chosen = own_identity(Settings.load(folder / "data", **settings))
    assert chosen is not None
    return chosen()


def test_every_form_of_file_gives_the_same_identity(files: dict[str, Path], tmp_path: Path) -> None:
    given = {"signing_certificate": files["own.crt"]}
    forms: list[dict[str, object]] = [
        {"signing_key": files["plain.key"], **given},
        {"signing_key": files["locked.key"], "signing_passphrase_file": files["secret"], **given},
        {"signing_key": files["locked.key"], "signing_passphrase": SECRET, **given},
        {"signing_key": files["locked.p12"], "signing_passphrase_file": files["secret"]},
    ]
    for form in forms:
        identity = load(tmp_path, **form)
        assert identity.certificate == CERTIFICATE
        assert identity.chain == (), "a root is the reader's to give"
        assert not identity.is_development


def test_the_environment_may_hold_the_passphrase(
    files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROOFROOM_SIGNING_PASSPHRASE", SECRET)
    identity = load(tmp_path, signing_key=files["locked.p12"])
    assert identity.certificate == CERTIFICATE


@pytest.mark.parametrize("name", ["locked.key", "locked.p12"])
@pytest.mark.parametrize("passphrase", [None, "wrong", "empty"])
def test_a_missing_or_wrong_passphrase_is_refused_and_in_no_message(
    files: dict[str, Path], tmp_path: Path, name: str, passphrase: str | None
) -> None:
    given = {"signing_passphrase_file": files[passphrase]} if passphrase else {}
    certificate = {} if name.endswith(".p12") else {"signing_certificate": files["own.crt"]}
    with pytest.raises(InvalidInput) as caught:
        load(tmp_path, signing_key=files[name], **given, **certificate)
    assert "wrong" not in str(caught.value.what)


def test_no_secret_is_in_a_repr(files: dict[str, Path], tmp_path: Path) -> None:
    settings = Settings.load(tmp_path, signing_passphrase=SECRET)
    device = Pkcs11Key(library=tmp_path, token="t", label="k", pin=SECRET)
    identity = load(tmp_path, signing_key=files["plain.key"], signing_certificate=files["own.crt"])
    assert SECRET not in f"{settings!r} {settings} {device!r} {identity!r} {vars(identity)!r}"


@pytest.mark.parametrize(
    "settings",
    [
        {"signing_certificate": Path("a")},
        {"signing_key": Path("a.key")},
        {"signing_key": Path("a"), "signing_provider": "b"},
        {"signing_provider": "nobody", "signing_certificate": "own.crt"},
        {"signing_pkcs11_module": Path("a")},
        {"signing_pkcs11_module": Path("a"), "signing_certificate": "own.crt"},
    ],
)
def test_half_a_setting_is_a_users_mistake(files: dict[str, Path], tmp_path: Path, settings: dict[str, object]) -> None:
    given = {
        name: files[value] if isinstance(value, str) and value in files else value for name, value in settings.items()
    }
    with pytest.raises(UsageError):
        load(tmp_path, **given)


class _Service:
    """A key management service in a few lines: what docs/keys.md shows."""

    def __init__(self, key: ec.EllipticCurvePrivateKey = KEY) -> None:
        self._key = key

    def sign_digest(self, sha256: bytes) -> bytes:
        from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric.utils import Prehashed  # noqa: PLC0415

        return self._key.sign(sha256, ec.ECDSA(Prehashed(hashes.SHA256())))


class _HashesAgain(_Service):
    def sign_digest(self, sha256: bytes) -> bytes:
        """Do what some services have been seen to do."""
        from cryptography.hazmat.primitives import hashes  # noqa: PLC0415

        return self._key.sign(sha256, ec.ECDSA(hashes.SHA256()))


def test_a_service_signs_and_one_that_does_it_wrong_is_caught() -> None:
    digest = "ab" * 32
    signature = read_detached(sign_detached(digest, SigningIdentity(_Service(), CERTIFICATE), now()))
    assert verify_detached(signature)
    for wrong in (_HashesAgain(), _Service(ec.generate_private_key(ec.SECP256R1()))):
        with pytest.raises(CheckFailed, match="does not fit"):
            SigningIdentity(wrong, CERTIFICATE).sign(b"data")


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Install a package that provides a key, the way packages say so."""
    (tmp_path / "site" / "example_kms-1.dist-info").mkdir(parents=True)
    (tmp_path / "site" / "example_kms-1.dist-info" / "METADATA").write_text("Name: example-kms\nVersion: 1\n")
    (tmp_path / "site" / "example_kms-1.dist-info" / "entry_points.txt").write_text(
        "[proofroom.keys]\nexample = example_kms:connect\n"
    )
    (tmp_path / "site" / "example_kms.py").write_text(
        "class Handle:\n    pass\n\n\ndef connect():\n    return Handle()\n"
    )
    monkeypatch.syspath_prepend(tmp_path / "site")
    yield "example"
    sys.modules.pop("example_kms", None)


def test_an_installed_provider_is_found_by_name(files: dict[str, Path], tmp_path: Path, installed: str) -> None:
    identity = load(tmp_path, signing_provider=installed, signing_certificate=files["own.crt"])
    assert type(identity._key).__module__ == "example_kms"


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Set up a SoftHSM2 token with a P-256 key and return its library."""
    library = next((Path(name) for name in MODULES if Path(name).exists()), None)
    if library is None or shutil.which("softhsm2-util") is None:
        pytest.skip("SoftHSM2 is not installed (apt-get install softhsm2)")
    folder = tmp_path_factory.mktemp("hsm")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    (folder / "key.pem").write_bytes(KEY.private_bytes(PEM, PKCS8, serialization.NoEncryption()))
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    for command in (
        ["--init-token", "--free", "--label", "proofroom", "--pin", "1234", "--so-pin", "5678"],
        [
            "--import",
            str(folder / "key.pem"),
            "--token",
            "proofroom",
            "--label",
            "signing",
            "--id",
            "01",
            "--pin",
            "1234",
        ],
    ):
        subprocess.run(["softhsm2-util", *command], check=True, capture_output=True)
    yield library
    if before is None:
        del os.environ["SOFTHSM2_CONF"]
    else:
        os.environ["SOFTHSM2_CONF"] = before


def test_a_device_signs(token: Path, files: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "pin").write_text("1234\n")
    identity = load(
        tmp_path,
        signing_pkcs11_module=token,
        signing_pkcs11_token="proofroom",
        signing_pkcs11_key="signing",
        signing_passphrase_file=tmp_path / "pin",
        signing_certificate=files["own.crt"],
    )
    for _ in range(4):
        assert verify_detached(read_detached(sign_detached("ab" * 32, identity, now())))


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"token": "nobody"}, SourceUnavailable),
        ({"label": "nothing"}, SourceRefused),
        ({"pin": "9999"}, SourceRefused),
        ({"library": Path("/nowhere.so")}, SourceUnavailable),
    ],
)
def test_what_a_device_refuses_is_said(token: Path, change: dict[str, object], error: type[ProofroomError]) -> None:
    values = {"library": token, "token": "proofroom", "label": "signing", "pin": "1234"} | change
    with pytest.raises(error) as caught:
        Pkcs11Key(**values).sign_digest(bytes(32))  # type: ignore[arg-type]
    assert "9999" not in str(caught.value)


def test_rotation_keeps_the_old_certificate_listed_and_destroys_its_key(tmp_path: Path) -> None:
    keys = SigningKeys(tmp_path, FixedClock(now()))
    first = keys.identity()
    old = (tmp_path / "signing.key").read_bytes()
    second = keys.rotate()
    assert second.certificate_sha256 != first.certificate_sha256
    assert second.certificate.public_key() != first.certificate.public_key()
    assert {one.serial_number for one in keys.certificates()} == {
        first.certificate.serial_number,
        second.certificate.serial_number,
    }
    assert old not in {path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(UsageError, match="your own"):
        SigningKeys(tmp_path, FixedClock(now()), lambda: first).rotate()
