# SPDX-License-Identifier: Apache-2.0

"""PAdES: the unsigned PDF is a prefix, the whole document is covered, and changes are seen, in any event loop."""

import asyncio
import io
import shutil
import subprocess
from pathlib import Path

import pikepdf
import pytest

from app.signing.keys import SigningIdentity
from app.signing.pdf import sign_pdf
from app.signing.pdf_check import verify_pdf

SIGNED_AT = 1_790_000_001_000


@pytest.fixture(scope="session")
def unsigned() -> bytes:
    """Return a PDF of one empty page."""
    document = pikepdf.new()
    document.add_blank_page()
    output = io.BytesIO()
    document.save(output, deterministic_id=True)
    return output.getvalue()


@pytest.fixture(scope="session")
def signed(unsigned: bytes, identity: SigningIdentity) -> bytes:
    """Return that PDF, signed."""
    return sign_pdf(unsigned, identity, SIGNED_AT)


def test_the_unsigned_pdf_is_an_exact_prefix(unsigned: bytes, signed: bytes) -> None:
    assert signed.startswith(unsigned)
    assert len(signed) > len(unsigned)


def test_it_verifies_and_states_the_given_time(signed: bytes, identity: SigningIdentity) -> None:
    signature = verify_pdf(signed, identity.certificate)
    assert signature.problems == ()
    assert signature.certificate == identity.certificate
    assert signature.signed_at == SIGNED_AT


def test_it_works_inside_a_running_loop(unsigned: bytes, identity: SigningIdentity) -> None:
    async def both() -> tuple[str, ...]:
        return verify_pdf(sign_pdf(unsigned, identity, SIGNED_AT), identity.certificate).problems

    assert asyncio.run(both()) == ()


def test_another_certificate_is_not_the_signers(signed: bytes, other: SigningIdentity) -> None:
    assert any("certificate" in problem for problem in verify_pdf(signed, other.certificate).problems)


def test_changed_bytes_are_seen_also_where_the_signature_stands(
    unsigned: bytes, signed: bytes, identity: SigningIdentity
) -> None:
    contents = signed.index(b"/Contents <") + len(b"/Contents <")
    positions = list(range(0, len(signed), len(signed) // 20))
    # Lower-case digits and the padding after the signature mean the same to a PDF reader, and are not signed.
    positions += [contents, contents + 20, signed.index(b"0>", contents), len(unsigned), len(unsigned) - 1]
    for position in positions:
        changed = bytearray(signed)
        changed[position] ^= 0x20
        assert verify_pdf(bytes(changed), identity.certificate).problems, position


@pytest.mark.parametrize("change", ["appended", "unsigned", "signed twice", "updated", "nonsense"])
def test_other_documents_are_refused(
    unsigned: bytes, signed: bytes, identity: SigningIdentity, other: SigningIdentity, change: str
) -> None:
    documents = {
        "appended": signed + b"\n",
        "unsigned": unsigned,
        "updated": _updated(signed),
        "nonsense": b"%PDF-1.7\nnonsense",
    }
    if change == "signed twice":
        with pytest.raises(Exception, match=r"."):
            sign_pdf(signed, other, SIGNED_AT)
        return
    assert verify_pdf(documents[change], identity.certificate).problems


@pytest.mark.skipif(shutil.which("pdfsig") is None, reason="pdfsig is not installed")
def test_pdfsig_agrees(signed: bytes, tmp_path: Path) -> None:
    (tmp_path / "report.pdf").write_bytes(signed)
    done = subprocess.run(["pdfsig", "report.pdf"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Signature is Valid" in done.stdout
    assert "Total document signed" in done.stdout
    assert "ETSI.CAdES.detached" in done.stdout


def _updated(signed: bytes) -> bytes:
    """Return the document with a page turned by an incremental update, which leaves the signed bytes alone."""
    from pyhanko.pdf_utils.generic import NumberObject, pdf_name  # noqa: PLC0415
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter  # noqa: PLC0415

    writer = IncrementalPdfFileWriter(io.BytesIO(signed))
    page = writer.root["/Pages"]["/Kids"][0]
    page[pdf_name("/Rotate")] = NumberObject(90)
    writer.update_container(page)
    output = io.BytesIO()
    writer.write(output)
    return output.getvalue()
