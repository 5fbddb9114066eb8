# SPDX-License-Identifier: Apache-2.0

"""Configuration, read once: arguments, then ``PROOFROOM_*`` variables, then ``proofroom.toml`` in the data directory.

In:  what the operator wrote.
Out: one frozen ``Settings``, or a UsageError that names the setting.
A value that may hold a secret (``database_url``) is in no repr and in no message.
"""

import os
from pathlib import Path
from typing import Any, Self

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from app.errors import UsageError

SETTINGS_FILE = "proofroom.toml"
DEFAULT_DIRECTORY = Path("proofroom-data")


class Settings(BaseSettings):
    """What an operator may set.

    Attributes:
        dir: the data directory; holds the database, keys, segments and packs.
        database_url: ``postgresql://…``; without it, SQLite in the data directory.
        organisation: whose evidence this is, printed on reports.
        signing_key, signing_certificate: PEM files of the organisation's own signing identity, given together; without
            them, a development identity is made on first use, and packs say so.
    """

    model_config = SettingsConfigDict(env_prefix="PROOFROOM_", extra="forbid", frozen=True)

    dir: Path = DEFAULT_DIRECTORY
    database_url: str | None = Field(default=None, repr=False)
    organisation: str = Field(default="Example organisation", min_length=1, max_length=200)
    signing_key: Path | None = None
    signing_certificate: Path | None = None

    @classmethod
    def load(cls, directory: Path | None = None, **overrides: Any) -> Self:  # noqa: ANN401  pydantic checks them.
        """Read the settings; ``directory`` wins over ``PROOFROOM_DIR``, and ``overrides`` over everything.

        Raises:
            UsageError: a setting is unknown or has a wrong value, or the file is not TOML.
        """
        given = overrides if directory is None else {"dir": directory, **overrides}
        try:
            return cls(**given)
        except ValidationError as error:
            # The value is left out of the message, because it may be a secret.
            first = error.errors(include_input=False, include_url=False)[0]
            name = ".".join(str(part) for part in first["loc"]) or SETTINGS_FILE
            raise UsageError(f"setting '{name}': {first['msg']}", hint=f"See {SETTINGS_FILE} and PROOFROOM_*") from None
        except ValueError as error:
            raise UsageError(f"the settings file is not TOML: {error}", where=SETTINGS_FILE) from None

    @property
    def url(self) -> str:
        """Return the database's URL, with the default filled in."""
        return self.database_url or f"sqlite:///{self.dir.absolute() / 'proofroom.db'}"

    @property
    def own_identity(self) -> tuple[Path, Path] | None:
        """Return the files of the organisation's own key and certificate, or None for the development identity.

        Raises:
            UsageError: only one of the two is set.
        """
        if self.signing_key is None and self.signing_certificate is None:
            return None
        if self.signing_key is None or self.signing_certificate is None:
            raise UsageError("signing_key and signing_certificate go together", where=SETTINGS_FILE, hint="Set both")
        return self.signing_key, self.signing_certificate

    @property
    def keys_dir(self) -> Path:
        """Return the folder of the private keys."""
        return self.dir / "keys"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  The base class fixes the signature.
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Add ``proofroom.toml`` of the directory that arguments or environment name."""
        given = init_settings().get("dir") or os.environ.get("PROOFROOM_DIR") or DEFAULT_DIRECTORY
        file = TomlConfigSettingsSource(settings_cls, toml_file=Path(given) / SETTINGS_FILE)
        return init_settings, env_settings, file
