# SPDX-License-Identifier: Apache-2.0

"""Fetch time-stamp tokens over HTTP (RFC 3161 section 3.4). The only part of making a pack that uses the network.

In:  the address of an authority that an operator set up, perhaps the certificates it must lead to.
Out: tokens that were checked; or why there is none.
An answer is from a stranger: its size and the time for it are bounded, redirects are not followed, and nothing of it
but our own words and the authority's short excuse goes into a message.
"""

import secrets
import time
from collections.abc import Sequence

import httpx

from app.errors import InvalidInput, SourceRefused, SourceUnavailable, UsageError
from app.settings import SETTINGS_FILE
from app.signing.chain import TIME_STAMPING, Anchor, Search, find_path
from app.signing.timestamps import MAX_RESPONSE, TimeToken, make_request, take_response

_TIMEOUT = httpx.Timeout(10.0, connect=5.0)
_WHOLE_SECONDS = 30.0
_SUCCESS = 200
_QUERY, _REPLY = "application/timestamp-query", "application/timestamp-reply"


class HttpAuthority:
    """One authority.

    Args:
        url: ``https://...`` or ``http://...``: a token is signed, so it needs no encryption on its way.
        anchors: what its certificate must lead to; nothing is asked of it without them, but that the token holds.

    Raises:
        UsageError: the address is none.
    """

    def __init__(self, url: str, anchors: Sequence[Anchor] = ()) -> None:
        try:
            self._url = httpx.URL(url)
        except httpx.InvalidURL:
            raise UsageError("timestamp_urls holds something that is no address", where=SETTINGS_FILE) from None
        if self._url.scheme not in {"http", "https"} or not self._url.host:
            raise UsageError("timestamp_urls takes http and https addresses", where=SETTINGS_FILE)
        # User, password and query may be a customer's secret.
        self.name = str(self._url.copy_with(username=None, password=None, query=None, fragment=None))
        self._anchors = tuple(anchors)

    def stamp(self, sha256: str) -> TimeToken:
        """Return a token over a hex SHA-256.

        Raises:
            SourceUnavailable: it cannot be reached, or does not answer in time.
            SourceRefused: it answers something else than a response.
            InvalidInput: the response is refused, malformed, about something else, or leads to no anchor.
        """
        nonce = secrets.randbits(63) + 1
        token = take_response(self._fetch(make_request(sha256, nonce)), sha256, nonce)
        if self._anchors:
            find_path(token.authority, Search(token.chain, self._anchors, token.at, TIME_STAMPING))
        return token

    def _fetch(self, request: bytes) -> bytes:
        begun = time.monotonic()
        try:
            with (
                httpx.Client(timeout=_TIMEOUT, follow_redirects=False) as client,
                client.stream("POST", self._url, content=request, headers={"Content-Type": _QUERY}) as response,
            ):
                if response.status_code != _SUCCESS:
                    raise SourceRefused(f"it answers with HTTP status {response.status_code}")
                if response.headers.get("content-type", "").split(";")[0].strip().lower() != _REPLY:
                    raise SourceRefused("its answer is not a time-stamp reply")
                body = bytearray()
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > MAX_RESPONSE:
                        raise InvalidInput("its answer is too large")
                    if time.monotonic() - begun > _WHOLE_SECONDS:
                        raise SourceUnavailable("it answers too slowly")
                return bytes(body)
        except httpx.TimeoutException:
            raise SourceUnavailable("it does not answer in time") from None
        except httpx.HTTPError as error:
            raise SourceUnavailable(f"it cannot be reached ({type(error).__name__})") from None
