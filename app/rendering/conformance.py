# SPDX-License-Identifier: Apache-2.0

"""Make WeasyPrint's PDF/A-3a also say, and keep, what PDF/UA-1 asks for.

In:  the PDF while WeasyPrint writes it, and the bytes it wrote.
Out: the same document with the PDF/UA identifier, table headers that name their scope, and each attachment listed once.
Equal bytes in give equal bytes out. Measured with veraPDF 1.31 on WeasyPrint 70.0: both standards hold.
"""

import io
from typing import Any

import pikepdf

_IDENTIFIER = (
    b'<rdf:Description rdf:about="" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/">'
    b"<pdfuaid:part>1</pdfuaid:part></rdf:Description>"
)
# ISO 19005-3, 6.6.2.3: a property that PDF/A does not know must be described by an extension schema.
_EXTENSION = (
    b'<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"'
    b' xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#"'
    b' xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#"><pdfaExtension:schemas><rdf:Bag>'
    b'<rdf:li rdf:parseType="Resource"><pdfaSchema:schema>PDF/UA identification</pdfaSchema:schema>'
    b"<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>"
    b"<pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix><pdfaSchema:property><rdf:Seq>"
    b'<rdf:li rdf:parseType="Resource"><pdfaProperty:name>part</pdfaProperty:name>'
    b"<pdfaProperty:valueType>Integer</pdfaProperty:valueType><pdfaProperty:category>internal</pdfaProperty:category>"
    b"<pdfaProperty:description>Part of ISO 14289 the document conforms to</pdfaProperty:description></rdf:li>"
    b"</rdf:Seq></pdfaSchema:property></rdf:li></rdf:Bag></pdfaExtension:schemas></rdf:Description>"
)
_END = b"</rdf:RDF>"


def identify(_document: Any, pdf: Any) -> None:  # noqa: ANN401
    """Write the PDF/UA-1 identifier into the XMP packet; a ``finisher`` of WeasyPrint's ``write_pdf``."""
    streams = [item for item in pdf.objects if (getattr(item, "extra", None) or {}).get("Type") == "/Metadata"]
    (packet,) = streams
    packet.stream = [part.replace(_END, _IDENTIFIER + _EXTENSION + _END) for part in packet.stream]


def repair(content: bytes) -> bytes:
    """Return the PDF with header cells scoped, attachments listed once, and small object streams.

    WeasyPrint 70 gives TH cells no Scope and lists each attachment twice in the catalogue. Its one large object stream
    makes readers of signed files parse it once per object; qpdf writes streams of a hundred.
    """
    with pikepdf.open(io.BytesIO(content)) as pdf:
        if "/AF" in pdf.Root:
            unique = {entry.objgen: entry for entry in pdf.Root.AF}
            pdf.Root.AF = pikepdf.Array(list(unique.values()))
        for item in pdf.objects:
            if isinstance(item, pikepdf.Dictionary) and item.get("/S") == "/TH" and "/A" in item:
                item.A.Scope = pikepdf.Name.Row if _is_row_header(item) else pikepdf.Name.Column
        output = io.BytesIO()
        pdf.save(output, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return output.getvalue()


def _is_row_header(cell: Any) -> bool:  # noqa: ANN401
    """Tell a header at the start of a row of data cells from one at the head of a column."""
    row = cell.get("/P")
    return row is not None and any(kid.get("/S") == "/TD" for kid in row.K if isinstance(kid, pikepdf.Dictionary))
