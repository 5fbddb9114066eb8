# SPDX-License-Identifier: Apache-2.0

"""What the README says is true: its transcript names the verifier's steps, its commands exist."""

import re

import pytest
import typer
from typer.core import TyperGroup

from app.cli.root import app
from app.verification.steps import STEPS
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_transcript_shows_every_step_of_the_verifier_and_each_that_was_done_is_ok() -> None:
    done = re.findall(r"^ *(\d+) (.+?) \.{3,} (\S+)", README, flags=re.MULTILINE)
    assert {state for _, _, state in done} == {"ok"}
    left_out = re.findall(r"^ *(\d+) (.+?) - .+$", README.partition("Not done, and not required:")[2], re.MULTILINE)
    shown = sorted([(int(number), name) for number, name, *_ in [*done, *left_out]])
    assert shown == [(step.number, step.name) for step in STEPS]
    required = {step.number for step in STEPS if step.required} | {5}
    assert required <= {int(number) for number, *_ in done}


@pytest.mark.parametrize("command", sorted(set(re.findall(r"^\$ proofroom ([a-z]+)", README, flags=re.MULTILINE))))
def test_every_command_in_the_readme_exists(command: str) -> None:
    root = typer.main.get_command(app)
    assert isinstance(root, TyperGroup)
    assert command in root.commands


def test_every_option_in_the_readme_is_one_of_ours() -> None:
    page = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
    for option in set(re.findall(r"(--[a-z][a-z-]+)", README)):
        assert option in page, option


def test_every_make_target_in_the_readme_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"make ([a-z]+)", README))
    assert {"demo", "test"} <= targets
    for target in targets:
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target
