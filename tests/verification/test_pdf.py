# SPDX-License-Identifier: Apache-2.0

"""The verifier finds the digest in the report as it is really rendered, and misses it when it is not there."""

from pathlib import Path

import msgspec
import pytest

from app.packs.assemble import Draft, sign_pack, write_pack
from app.packs.pdf import render_report
from app.signing.keys import SigningIdentity
from app.verification.report import StepResult, StepState
from app.verification.steps import STEPS
from app.verification.verifier import run
from tests.packs.small import SIGNED_AT, plain_render


@pytest.fixture(scope="module")
def rendered(draft: Draft) -> bytes:
    """Return the report of the small pack as its readers get it."""
    return render_report(draft.report, draft.content_manifest)


def test_the_rendered_report_prints_and_carries_its_content_manifest(
    draft: Draft, rendered: bytes, identity: SigningIdentity, tmp_path: Path
) -> None:
    step = _pdf_step(msgspec.structs.replace(draft, pdf=rendered), identity, tmp_path)
    assert step.state is StepState.OK, step.problems


@pytest.mark.parametrize(
    ("manifest", "word"), [(b"{}", "does not print"), (b'{"files":[]}', "is not attached to the PDF")]
)
def test_a_report_about_other_files_is_seen(
    draft: Draft, identity: SigningIdentity, tmp_path: Path, manifest: bytes, word: str
) -> None:
    other = msgspec.structs.replace(draft, pdf=plain_render(draft.report, manifest))
    step = _pdf_step(other, identity, tmp_path)
    assert step.state is StepState.FAILED
    assert any(word in problem for problem in step.problems)


def _pdf_step(draft: Draft, identity: SigningIdentity, folder: Path) -> StepResult:
    write_pack(sign_pack(draft, identity, SIGNED_AT), folder / "pack.zip")
    return run(folder / "pack.zip", identity.certificate_der, STEPS[:8]).steps[7]
