# SPDX-License-Identifier: Apache-2.0

"""Pages and schemas that are made from code are current."""

import pytest

from scripts.reference import ROOT, generated


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    """Make all generated files anew."""
    return generated()


def test_every_generated_file_is_current(made: dict[str, str]) -> None:
    stale = [name for name, text in made.items() if (ROOT / name).read_text(encoding="utf-8") != text]
    assert not stale, f"run 'make docs': {stale}"


def test_every_command_and_its_help_is_in_the_page(made: dict[str, str]) -> None:
    page = made["docs/reference/cli.md"]
    wanted = [
        "demo",
        "serve",
        "import",
        "rebuild",
        "evaluate",
        "gaps",
        "pack build",
        "verify",
        "ledger fsck",
        "token create",
    ]
    for command in wanted:
        assert f"## proofroom {command}\n" in page
    assert "FILE..." in page
