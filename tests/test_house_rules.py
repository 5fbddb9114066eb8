# SPDX-License-Identifier: Apache-2.0

"""Rules of the house that no linter knows: each test says which promise it keeps."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted(ROOT.glob("app/**/*.py"))
MAX_LINES = 500


def _tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    return [ROOT / name for name in listed.splitlines()] or [p for p in ROOT.glob("app/**/*") if p.is_file()]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_source_file_names_its_licence_says_what_it_is_and_stays_small(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "# SPDX-License-Identifier: Apache-2.0"
    assert lines[2].startswith(('"""', 'r"""')), (
        "a module begins with what comes in, what goes out, what it must not do"
    )
    assert len(lines) <= MAX_LINES


def test_the_layers_in_the_docs_are_the_layers_the_linter_holds() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contract = config["tool"]["importlinter"]["contracts"][0]
    held = [{name.strip() for name in layer.split("|")} for layer in contract["layers"]]
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = page.split("## Layers")[1].split("## A stage")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert [set(re.findall(r"`(\w+)`", row)) for row in rows] == held


def test_every_word_of_the_glossary_is_a_class_where_it_says() -> None:
    page = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    words = re.findall(r"^\| \*\*(\w+)\*\* \|.*\| `([^`]+)` \|$", page, flags=re.MULTILINE)
    assert len(words) > 15
    for word, file in words:
        text = (ROOT / file).read_text(encoding="utf-8")
        assert re.search(rf"^(class {word}\b|{word} = )", text, flags=re.MULTILINE), f"{word} is not in {file}"


def _prose(page: Path) -> str:
    """Return a page without what stands between fences: there, brackets are no links."""
    return re.sub(r"^(`{3,})[^\n]*\n.*?^\1$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def test_links_between_pages_lead_somewhere() -> None:
    for page in [p for p in _tracked() if p.suffix == ".md"]:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", _prose(page)):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} links to {target}"


def test_nothing_we_ship_calls_anybody_compliant() -> None:
    """We report; the auditor concludes."""
    claim = re.compile(r"\b(is|are|fully|now) (compliant|certified|effective)\b", re.IGNORECASE)
    for folder, suffixes in (("report_templates", ("*.j2",)), ("app/web", ("*.j2",)), ("controls", ("*.yaml",))):
        for suffix in suffixes:
            for path in (ROOT / folder).rglob(suffix):
                assert not claim.search(path.read_text(encoding="utf-8")), path


def test_no_path_of_one_machine_is_committed() -> None:
    local = re.compile(rb"/(?:root|home/[a-z]+|work)/[a-z.]")
    allowed = {"tests/test_house_rules.py"}
    for path in _tracked():
        name = str(path.relative_to(ROOT))
        if path.suffix in {".py", ".md", ".toml", ".yaml", ".j2", ".sh", ""} and path.is_file() and name not in allowed:
            found = [m for m in local.findall(path.read_bytes()) if b"/home/" not in m and b"/root/" not in m]
            assert not found, f"{name}: {found}"
