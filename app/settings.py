# SPDX-License-Identifier: Apache-2.0

"""Configuration, read once: arguments, then ``PROOFROOM_*`` variables, then ``proofroom.toml`` in the data directory.

In:  what the operator wrote.
Out: one frozen ``Settings``, or a UsageError that names the setting.
A value that may hold a secret (``database_url``) is in no repr and in no message.
"""

import os
from pathlib import Path
from typing import Any, Self

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from app.errors import UsageError

SETTINGS_FILE = "proofroom.toml"
DEFAULT_DIRECTORY = Path("proofroom-data")


class Settings(BaseSettings):
    """What an operator may set.

    Attributes:
        dir: the data directory; holds the database, keys, segments and packs.
        database_url: ``postgresql://…``; without it, SQLite in the data directory.
        memory_limit: what the engine that links records and tests them may take, such as ``600MB``; beyond it, it uses
            the disk. The process takes a few hundred MB more: benchmarks/README.md has figures.
        organisation: whose evidence this is, printed on reports.
        controls: folder of the organisation's own controls, laid over the shipped ones; without it, ``controls`` in the
            data directory, if there is one.
        signing_key, signing_certificate: files of the organisation's own signing identity, as docs/keys.md says;
            without any of its settings, a development identity is made on first use, and packs say so.
        signing_passphrase, signing_passphrase_file: what opens the key or device; the first is for the environment.
        signing_pkcs11_module, signing_pkcs11_token, signing_pkcs11_key: a key in a device: library and two labels.
        signing_provider: an installed package that holds the key, such as one for a key management service.
        timestamp_urls: time-stamp authorities (RFC 3161); each is asked for every pack.
        timestamp_required: build no pack that one of them did not confirm.
        timestamp_trust: certificates (PEM) that a token must lead to, or it counts as a failure.
        watched: what is kept evaluated, such as ``soc2 quarter``; docs/watching.md says what may be written.
        watch_every: seconds between two times that the service looks whether records came in for what is watched.
        revocation_lists: CRL files that are put into the report, so that it can be judged when they are gone.
    """

    model_config = SettingsConfigDict(env_prefix="PROOFROOM_", extra="forbid", frozen=True)

    dir: Path = DEFAULT_DIRECTORY
    database_url: str | None = Field(default=None, repr=False)
    memory_limit: str = Field(default="1GB", pattern=r"^[0-9]{1,6}(MB|GB)$")
    organisation: str = Field(default="Example organisation", min_length=1, max_length=200)
    controls: Path | None = None
    signing_key: Path | None = None
    signing_certificate: Path | None = None
    signing_passphrase: SecretStr | None = Field(default=None, repr=False)
    signing_passphrase_file: Path | None = None
    signing_pkcs11_module: Path | None = None
    signing_pkcs11_token: str | None = None
    signing_pkcs11_key: str | None = None
    signing_provider: str | None = None
    timestamp_urls: tuple[str, ...] = Field(default=(), max_length=8)
    timestamp_required: bool = False
    timestamp_trust: Path | None = None
    revocation_lists: tuple[Path, ...] = Field(default=(), max_length=64)
    watched: tuple[str, ...] = Field(default=(), max_length=64)
    watch_every: int = Field(default=60, ge=1, le=86_400)

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
    def own_controls(self) -> Path | None:
        """Return the folder of the organisation's own controls, if there is one.

        Raises:
            UsageError: the setting names a folder that is not there: a rule must not be left out silently.
        """
        if self.controls is None:
            usual = self.dir / "controls"
            return usual if usual.is_dir() else None
        if not self.controls.is_dir():
            hint = "Make the folder, or remove the setting"
            raise UsageError(f"there is no folder '{self.controls}'", where="controls", hint=hint)
        return self.controls

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
