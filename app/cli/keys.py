# SPDX-License-Identifier: Apache-2.0

"""``proofroom keys list|rotate|export``: who signs here, who did, and what to give to those who verify."""

from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives import serialization

from app.cli.options import DirOption, columns, err, out, services
from app.errors import NotFound
from app.records.times import format_instant
from app.signing.certificates import ends_at, fingerprint_of, valid_at
from app.signing.keys import is_development


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(help="Signing keys, and the certificates that ever signed here.", no_args_is_help=True)
    group.command("list")(list_keys)
    group.command()(rotate)
    group.command()(export)
    app.add_typer(group, name="keys")


def list_keys(directory: DirOption = None) -> None:
    """List the certificate that signs now, and all that did before; and the key of the ledger."""
    proofroom = services(directory)
    current = proofroom.keys.identity()
    table = columns("state", "subject", "valid until", "kind", "certificate SHA-256")
    for certificate in proofroom.keys.certificates():
        is_current = fingerprint_of(certificate) == current.certificate_sha256
        state = "signs" if is_current else "signed before"
        if not valid_at(certificate, proofroom.clock.now()):
            state += ", expired"
        table.add_row(
            state,
            certificate.subject.rfc4514_string(),
            format_instant(ends_at(certificate))[:10],
            "development: nobody vouches for it" if is_development(certificate) else "own",
            fingerprint_of(certificate),
        )
    out.print(table)
    out.print(f"ledger checkpoints are signed with {proofroom.ledger.verifier_key}", markup=False)


def rotate(directory: DirOption = None) -> None:
    """Make a new development identity and destroy the old private key; your own keys you replace yourself."""
    proofroom = services(directory)
    identity = proofroom.keys.rotate()
    proofroom.auth.record("operator", "keys.rotate", identity.certificate_sha256[:16])
    err.print("the old certificate stays listed: packs it signed are still checked against it", markup=False)
    out.print(identity.certificate_sha256, markup=False)


def export(
    fingerprint: Annotated[
        str | None, typer.Argument(help="First digits of a certificate's SHA-256; the one that signs now by default.")
    ] = None,
    *,
    target: Annotated[Path | None, typer.Option("--out", help="File to write.", dir_okay=False)] = None,
    directory: DirOption = None,
) -> None:
    """Print a certificate (PEM), to be given to those who verify, by another way than a pack."""
    proofroom = services(directory)
    identity = proofroom.keys.identity()
    wanted = (fingerprint or identity.certificate_sha256).lower().replace(":", "")
    found = [one for one in proofroom.keys.certificates() if fingerprint_of(one).startswith(wanted)]
    if len(found) != 1:
        raise NotFound(f"{len(found)} certificates begin with '{wanted[:64]}'", hint="See 'proofroom keys list'")
    # Alone: whoever trusts a file trusts every certificate in it, and an issuer's would vouch for more than this one.
    pem = found[0].public_bytes(serialization.Encoding.PEM)
    if target is None:
        out.print(pem.decode(), markup=False, end="")
    else:
        target.write_bytes(pem)
