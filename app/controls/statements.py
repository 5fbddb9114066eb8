# SPDX-License-Identifier: Apache-2.0

"""The shapes of what an organisation says of a framework: its Statement of Applicability, and text it may read.

A statement (ISO/IEC 27001:2022, 6.1.3 d) stands beside a result and never changes it. Licensed text is shown on the
terminal of whoever holds it; it is in no pack, no report and no answer of the interface.
"""

import datetime
from typing import Literal

import msgspec

Implemented = Literal["yes", "partly", "no", "unknown"]


class Applicability(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an organisation says of one control: whether it applies, why, and how far it is done."""

    control: str
    applicable: bool
    reason: str
    implemented: Implemented = "unknown"
    owner: str | None = None
    approved_by: str | None = None
    approved_on: datetime.date | None = None


class StatementOfApplicability(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="kind",
    tag="StatementOfApplicability",
):
    """What an organisation says of the controls of one framework."""

    framework: str
    entries: tuple[Applicability, ...]


class CatalogText(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="CatalogText"
):
    """A framework's own text, for those who hold a licence; only in an organisation's own folder.

    Attributes:
        licence_note: who may read it, and on what licence.
        texts: control id to text.
    """

    framework: str
    licence_note: str
    texts: dict[str, str]
