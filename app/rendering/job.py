# SPDX-License-Identifier: Apache-2.0

"""What goes to the render process and what comes back: MessagePack on its standard input and output."""

import msgspec


class EmbeddedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file inside the PDF; ``relationship`` is its AFRelationship (ISO 32000-2, 7.11.3), such as ``Data``."""

    name: str
    content: bytes
    relationship: str


class RenderJob(msgspec.Struct, frozen=True, kw_only=True):
    """One PDF to make.

    Attributes:
        fonts: folder of the shipped fonts, the only files that the process may read for the document.
        created: epoch milliseconds; the only time the document knows.
    """

    html: str
    fonts: str
    created: int
    attachments: tuple[EmbeddedFile, ...]


class RenderReply(msgspec.Struct, frozen=True, kw_only=True):
    """The PDF, and what WeasyPrint complained about; ``problem`` instead of a PDF when it could not be made."""

    pdf: bytes = b""
    warnings: tuple[str, ...] = ()
    problem: str | None = None
