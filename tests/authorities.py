# SPDX-License-Identifier: Apache-2.0

"""A certification authority and a time-stamp authority for tests: the latter is ``openssl ts`` behind HTTP."""

import datetime as dt
import http.server
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from app.errors import SourceUnavailable
from app.signing.keys import SigningIdentity
from app.signing.timestamps import TimeToken, make_request, take_response

PEM = serialization.Encoding.PEM
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
YEAR = dt.timedelta(days=365)


def now() -> int:
    """Return the machine's time, epoch milliseconds: openssl stamps with no other."""
    return int(time.time() * 1000)


def certify(
    subject: str,
    key: Key,
    issuer: "tuple[x509.Certificate, Key] | None" = None,
    *,
    is_authority: bool = False,
    purposes: tuple[x509.ObjectIdentifier, ...] = (),
    is_critical: bool = True,
    years: float = 2,
    path_length: int | None = None,
    begins: dt.datetime | None = None,
    extra: tuple[tuple[x509.ExtensionType, bool], ...] = (),
) -> x509.Certificate:
    """Return a certificate; self-signed without an issuer."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    begin = begins or dt.datetime.fromtimestamp(now() // 1000 - 3600, tz=dt.UTC)
    usage = x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer[0].subject if issuer else name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + years * YEAR)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=path_length), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=is_critical)
    for extension, critical in extra:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(issuer[1] if issuer else key, hashes.SHA256())


def revoke(
    issuer: tuple[x509.Certificate, Key], serials: dict[int, dt.datetime], *, at: dt.datetime | None = None
) -> x509.CertificateRevocationList:
    """Return an issuer's list of revoked serial numbers."""
    moment = at or dt.datetime.fromtimestamp(now() // 1000, tz=dt.UTC)
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer[0].subject)
    builder = builder.last_update(moment).next_update(moment + 30 * YEAR)
    for serial, since in serials.items():
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(since).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(issuer[1], hashes.SHA256())


def signer(
    root: tuple[x509.Certificate, Key], *, years: float = 2, begins: dt.datetime | None = None
) -> tuple[SigningIdentity, tuple[x509.Certificate, Key]]:
    """Return an identity below an intermediate of a root, and that intermediate with its key."""
    middle_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    middle = certify("Issuing authority", middle_key, root, is_authority=True, path_length=0, years=20, begins=begins)
    leaf = certify(
        "Preparer",
        key,
        (middle, middle_key),
        purposes=(ExtendedKeyUsageOID.EMAIL_PROTECTION,),
        years=years,
        begins=begins,
    )
    return SigningIdentity(key, leaf, [middle]), (middle, middle_key)


class LocalAuthority:
    """A time-stamp authority that is asked without HTTP.

    Attributes:
        fails_from: number of the first request that fails; 0 for none.
    """

    def __init__(self, name: str, stamper: "TimeStamper", *, fails_from: int = 0) -> None:
        self.name = name
        self._stamper = stamper
        self._fails_from = fails_from
        self._asked = 0

    def stamp(self, sha256: str) -> TimeToken:
        """Return a token over a hex SHA-256."""
        self._asked += 1
        if self._fails_from and self._asked >= self._fails_from:
            raise SourceUnavailable("it does not answer in time")
        return take_response(self._stamper.reply(make_request(sha256, self._asked)), sha256, self._asked)


class TimeStamper:
    """A time-stamp authority of its own root, in a folder; ``reply`` is ``openssl ts -reply``.

    Attributes:
        root: the anchor. breaks: changes a reply before it is sent; None to send it as it is.
    """

    def __init__(self, folder: Path, *, is_rsa: bool = False, years: float = 10, name: str = "Time") -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.root_key = ec.generate_private_key(ec.SECP256R1())
        self.root = certify(f"{name} root", self.root_key, is_authority=True, years=40)
        self.key: Key = rsa.generate_private_key(65537, 2048) if is_rsa else ec.generate_private_key(ec.SECP256R1())
        self.breaks: Callable[[bytes], bytes] | None = None
        self.requests = 0
        self.use(
            certify(
                f"{name} authority",
                self.key,
                (self.root, self.root_key),
                purposes=(ExtendedKeyUsageOID.TIME_STAMPING,),
                years=years,
            )
        )

    def use(self, certificate: x509.Certificate, config: str = "") -> None:
        """Let this certificate sign from now on."""
        self.certificate = certificate
        self.root_pem = self.root.public_bytes(PEM)
        secret = self.key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        (self.folder / "tsa.key").write_bytes(secret)
        (self.folder / "tsa.crt").write_bytes(certificate.public_bytes(PEM))
        (self.folder / "root.pem").write_bytes(self.root_pem)
        (self.folder / "serial").write_text("01\n", encoding="ascii")
        (self.folder / "ts.cnf").write_text(
            "[tsa]\ndefault_tsa = t\n[t]\nserial = serial\nsigner_cert = tsa.crt\nsigner_key = tsa.key\n"
            "certs = root.pem\nsigner_digest = sha256\ndefault_policy = 1.2.3.4\ndigests = sha256\n"
            "accuracy = secs:1\ness_cert_id_chain = no\ness_cert_id_alg = sha256\n" + config,
            encoding="ascii",
        )

    def reply(self, request: bytes) -> bytes:
        """Return openssl's reply to a request."""
        self.requests += 1
        (self.folder / "query.tsq").write_bytes(request)
        command = ["openssl", "ts", "-reply", "-queryfile", "query.tsq", "-config", "ts.cnf", "-out", "reply.tsr"]
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True)
        reply = (self.folder / "reply.tsr").read_bytes()
        return self.breaks(reply) if self.breaks else reply

    @contextmanager
    def serve(self, *, status: int = 200, kind: str = "application/timestamp-reply") -> Iterator[str]:
        """Serve replies on a loopback port while the block runs; yield the URL."""
        stamper = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = stamper.reply(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                if status == 302:
                    self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            try:
                yield f"http://127.0.0.1:{server.server_address[1]}/tsr"
            finally:
                server.shutdown()
                thread.join()
