# SPDX-License-Identifier: Apache-2.0

"""The connectors that read files, by the names used on the command line."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from app.connectors.base import Connector
from app.connectors.hoop.connector import HoopFile
from app.connectors.openbao.connector import OpenBaoFile
from app.connectors.postgresql.connector import PostgresFile
from app.connectors.records.connector import RecordsFile
from app.connectors.sudo.connector import SudoFile
from app.connectors.teleport.connector import TeleportFile
from app.errors import UsageError
from app.records.model import RecordType


class FileConnectorFactory(Protocol):
    """Makes a connector for some files; the connector classes themselves are such factories."""

    @property
    def name(self) -> str:
        """Return the name used on the command line."""
        ...

    @property
    def title(self) -> str:
        """Return the name for people."""
        ...

    @property
    def record_types(self) -> frozenset[RecordType]:
        """Return every kind of access record it can produce."""
        ...

    def __call__(self, paths: Sequence[Path]) -> Connector:
        """Return a connector that reads these files, in this order."""
        ...


FILE_CONNECTORS: dict[str, FileConnectorFactory] = {
    each.name: each for each in (HoopFile, OpenBaoFile, PostgresFile, RecordsFile, SudoFile, TeleportFile)
}
"""Connector name to factory."""


def open_files(name: str, paths: Sequence[Path]) -> Connector:
    """Return the connector ``name`` for some files; nothing is read yet.

    Raises:
        UsageError: there is no such connector, or no file was named.
    """
    factory = FILE_CONNECTORS.get(name)
    if factory is None:
        choices = ", ".join(sorted(FILE_CONNECTORS))
        raise UsageError(f"there is no connector '{name[:40]}'", where="--as", hint=f"The choices are {choices}")
    if not paths:
        raise UsageError("no file was named", hint="Name at least one file to import")
    return factory(paths)


def normalizer(name: str) -> Connector:
    """Return the connector ``name`` without any file, for its pure half.

    Raises:
        UsageError: there is no such connector.
    """
    factory = FILE_CONNECTORS.get(name)
    if factory is None:
        raise UsageError(f"records in the ledger were read by a connector '{name[:40]}' that is not installed")
    return factory(())


DECLARED_TYPES: dict[str, frozenset[RecordType]] = {
    name: frozenset() if factory is RecordsFile else factory.record_types for name, factory in FILE_CONNECTORS.items()
}
"""Connector name to the record types whose absence means something.

A product's export holds all sessions there were, so none in it means that there were none. A file of our own normalized
records may hold anything, so it speaks only for the kinds that are in it.
"""
