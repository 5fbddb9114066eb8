# SPDX-License-Identifier: Apache-2.0

"""Settings: where each value comes from, and that a wrong one is named."""

from pathlib import Path

import pytest

from app.errors import UsageError
from app.settings import Settings


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("PROOFROOM_DIR", "PROOFROOM_DATABASE_URL", "PROOFROOM_ORGANISATION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def test_without_anything_it_is_sqlite_in_the_default_directory(tmp_path: Path) -> None:
    settings = Settings.load()
    assert settings.dir == Path("proofroom-data")
    assert settings.url == f"sqlite:///{tmp_path / 'proofroom-data' / 'proofroom.db'}"
    assert settings.organisation == "Example organisation"


def test_argument_wins_over_environment_wins_over_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "proofroom.toml").write_text('organisation = "From file"\n')
    assert Settings.load(tmp_path).organisation == "From file"
    monkeypatch.setenv("PROOFROOM_ORGANISATION", "From environment")
    assert Settings.load(tmp_path).organisation == "From environment"
    assert Settings.load(tmp_path, organisation="From argument").organisation == "From argument"


def test_the_file_is_read_from_the_directory_that_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "proofroom.toml").write_text('organisation = "Elsewhere"\n')
    monkeypatch.setenv("PROOFROOM_DIR", str(tmp_path))
    assert Settings.load().organisation == "Elsewhere"
    assert Settings.load().dir == tmp_path


@pytest.mark.parametrize(
    ("content", "named"),
    [("colour = 1", "colour"), ("organisation = 3", "organisation"), ("organisation =", "TOML")],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, content: str, named: str) -> None:
    (tmp_path / "proofroom.toml").write_text(content)
    with pytest.raises(UsageError, match=named):
        Settings.load(tmp_path)


def test_a_secret_is_in_no_repr_and_no_message(tmp_path: Path) -> None:
    url = "postgresql://ana:hunter2@db/proofroom"
    settings = Settings.load(tmp_path, database_url=url)
    assert settings.url == url
    assert "hunter2" not in repr(settings)
    (tmp_path / "proofroom.toml").write_text('database_url = ["hunter2"]')
    with pytest.raises(UsageError) as caught:
        Settings.load(tmp_path)
    assert "hunter2" not in str(caught.value)
