# SPDX-License-Identifier: Apache-2.0

"""The demo's files: the same bytes every time, in the vendors' shapes, and about nobody real."""

import json
import os
import re
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from app.demo.document import page
from app.demo.generate import DemoManifest, whole_story, write_demo
from app.demo.model import Access
from app.demo.planted import PLANTED
from app.demo.times import PERIOD_END, PERIOD_START

ROOT = Path(__file__).parent.parent.parent
HUMAN_KEYS = {"hoop", "teleport", "openbao", "postgresql", "sudo", "hr", "inventory", "tickets", "reviews", "siem"}
HUMAN_KEYS |= {"gateway", "archive"}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> DemoManifest:
    return write_demo(tmp_path_factory.mktemp("demo"))


def test_two_processes_write_the_same_bytes(manifest: DemoManifest, tmp_path: Path) -> None:
    code = "import sys, pathlib, app.demo.generate as g; g.write_demo(pathlib.Path(sys.argv[1]))"
    environment = {**os.environ, "PYTHONHASHSEED": "77", "TZ": "Pacific/Auckland"}
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, cwd=ROOT, env=environment)
    for file in manifest.files:
        again = (tmp_path / file.path.name).read_bytes()
        assert sha256(again).digest() == sha256(file.path.read_bytes()).digest(), file.path.name


def test_every_source_has_its_file_and_its_window(manifest: DemoManifest) -> None:
    assert {file.source for file in manifest.files} == HUMAN_KEYS
    assert all((file.covered.start, file.covered.end) == (PERIOD_START, PERIOD_END) for file in manifest.files)
    assert manifest.collected_at > PERIOD_END


def test_the_story_has_the_size_of_a_real_quarter() -> None:
    story = whole_story()
    sessions = sum(len(access.uses) for access in story.accesses)
    assert 900 <= sessions <= 1500
    assert len({access.person for access in story.accesses}) >= 12
    assert len([each for each in PLANTED if not each.limit]) >= 18


def test_addresses_and_names_are_reserved_for_examples(manifest: DemoManifest) -> None:
    text = "".join(file.path.read_text("utf-8") for file in manifest.files)
    domains = set(re.findall(r"@([A-Za-z0-9.-]+\.[a-z]{2,})\b", text))
    assert domains == {"larkfield.example", "vireo-imaging.example"}
    addresses = set(re.findall(r"\b(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})\b", text)) - {"127.0.0.1"}
    assert addresses
    assert all(address.startswith("192.0.2.") for address in addresses)


def test_ids_are_unique() -> None:
    accesses = whole_story().accesses
    keys = [access.key for access in accesses]
    uses = [use.key for access in accesses for use in access.uses]
    assert len(keys) == len(set(keys))
    assert len(uses) == len(set(uses))
    ids = [(each.source, type(each.record), each.record.id) for each in whole_story().told]
    changing = {(source, kind.__name__) for source, kind, _ in ids if ids.count((source, kind, _)) > 1}
    assert changing == {("hr", "Identity"), ("inventory", "Account")}, (
        "leavers and rotated secrets change; others do not"
    )


def test_nothing_happens_outside_the_period() -> None:
    for access in whole_story().accesses:
        for use in access.uses:
            assert PERIOD_START <= use.started < PERIOD_END
            assert use.ended is None or use.started < use.ended < PERIOD_END


def test_ordinary_accesses_of_one_person_never_overlap() -> None:
    by_person: dict[str, list[Access]] = {}
    for access in whole_story().accesses:
        by_person.setdefault(access.person, []).append(access)
    for accesses in by_person.values():
        for earlier in accesses:
            for later in accesses:
                if earlier.key.startswith("normal-") and earlier.key != later.key:
                    assert later.expires <= earlier.requested or earlier.expires <= later.requested


def test_sudo_keeps_the_trap_of_repeated_keys(manifest: DemoManifest) -> None:
    text = next(file.path for file in manifest.files if file.source == "sudo").read_text("utf-8")
    assert text.endswith("\n}\n")
    pairs: list[tuple[str, object]] = json.loads(text, object_pairs_hook=lambda found: found)
    assert len(pairs) > 50
    assert len(json.loads(text)) == 2


def test_postgresql_numbers_the_lines_of_a_session_without_gaps(manifest: DemoManifest) -> None:
    path = next(file.path for file in manifest.files if file.source == "postgresql")
    numbers: dict[str, list[int]] = {}
    for line in path.read_text("utf-8").splitlines():
        entry = json.loads(line)
        numbers.setdefault(entry["session_id"], []).append(entry["line_num"])
    assert numbers
    assert all(each == list(range(1, len(each) + 1)) for each in numbers.values())


def test_hoop_says_nothing_that_its_contract_does_not_know(manifest: DemoManifest, samples: Path) -> None:
    schemas = json.loads((samples / "_openapi" / "hoop.openapiv3.json").read_text("utf-8"))["components"]["schemas"]
    session = json.loads(next(file.path for file in manifest.files if file.source == "hoop").read_text("utf-8"))
    reviews = [each["review"] for each in session["data"] if each["review"]]
    groups = [group for review in reviews for group in review["review_groups_data"]]
    for name, found in (
        ("SessionList", [session]),
        ("Session", session["data"]),
        ("SessionReview", reviews),
        ("ReviewGroup", groups),
        ("ReviewOwner", [group["reviewed_by"] for group in groups]),
    ):
        assert found
        assert {key for each in found for key in each} <= set(schemas[f"openapi.{name}"]["properties"]), name


def test_openbao_entries_have_the_fields_of_real_ones(manifest: DemoManifest, samples: Path) -> None:
    real = (samples / "live-captured" / "openbao-2.7.2.file-audit.jsonl").read_text("utf-8").splitlines()
    known: dict[str, set[str]] = {"": set(), "auth": set(), "request": {"headers"}, "response": set()}
    for line in real:
        entry = json.loads(line)
        for part, names in known.items():
            names |= set(entry.get(part, {}) if part else entry)
    path = next(file.path for file in manifest.files if file.source == "openbao")
    for line in path.read_text("utf-8").splitlines():
        entry = json.loads(line)
        for part, names in known.items():
            assert set(entry.get(part, {}) if part else entry) <= names, part


def test_the_page_is_current() -> None:
    stored = (ROOT / "docs" / "demo.md").read_text("utf-8")
    assert stored == page(), "renew it: python -m app.demo.document > docs/demo.md"
