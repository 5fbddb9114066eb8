# SPDX-License-Identifier: Apache-2.0

"""Let a document reach the shipped fonts and nothing else: no network, no other file, not even a data URL."""

import re
from pathlib import Path

from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

from app.rendering.visible import clip, oneline

SHIPPED = "shipped:///"
_FONT = re.compile(r"shipped:///fonts/([A-Za-z0-9-]{1,60}\.woff2)", re.ASCII)


class ShippedFetcher(URLFetcher):  # type: ignore[misc]
    """Serves ``shipped:///fonts/<name>.woff2`` from one folder and stops the rendering at any other address."""

    def __init__(self, fonts: Path) -> None:
        super().__init__(allowed_protocols=("shipped",), allow_redirects=False)
        self._fonts = fonts

    def fetch(self, url: str, headers: object = None) -> URLFetcherResponse:  # noqa: ARG002
        """Return a shipped font.

        Raises:
            FatalURLFetchingError: the address is anything else. WeasyPrint would go on after any other exception, and
                a document that tried to reach out must not be handed to anybody.
        """
        found = _FONT.fullmatch(url)
        if found is None:
            raise FatalURLFetchingError(f"the document asks for '{clip(oneline(url), 80)}'")
        return URLFetcherResponse(url, (self._fonts / found[1]).read_bytes(), {"Content-Type": "font/woff2"})
