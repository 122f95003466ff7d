"""Blanks out a request's secrets wherever the service echoes them, as it does when a signature does not match."""

from __future__ import annotations

from typing import TYPE_CHECKING

from novaact_http._support import percent_encoding

if TYPE_CHECKING:
    from collections.abc import Callable

    from novaact_http._call.http_messages import Headers
    from novaact_http.config import Credentials

    Redact = Callable[[str], str]

# AWS's secrets have at least 40 characters. Shorter ones are for tests, and blanking out every "b" would garble a text.
_SHORTEST_SECRET = 8


class Redaction:
    """Makes the functions that blank out secrets in a client's responses. Safe to share between threads."""

    def __init__(self) -> None:
        # The last credentials and how they are spelt, as a client has one set of credentials at a time. The whole tuple
        # is replaced, so that threads need no lock.
        self._last: tuple[Credentials, tuple[str, ...]] | None = None

    def for_request(self, credentials: Credentials, signed: Headers) -> Redact:
        """Return a function that blanks out the secrets of a request in a text.

        Args:
            credentials: what the request is signed with.
            signed: its headers, the signature among them.
        """
        last = self._last
        if last is None or last[0] is not credentials:
            self._last = last = (
                credentials,
                _spellings(credentials.secret_access_key, credentials.session_token or ""),
            )
        spellings = last[1]
        signatures = [value.rpartition("Signature=")[2] for name, value in signed if name == "Authorization"]
        spellings += tuple([each for each in signatures if len(each) >= _SHORTEST_SECRET])

        def redact(text: str) -> str:
            for spelling in spellings:
                text = text.replace(spelling, "***")
            return text

        return redact


def _spellings(*secrets: str) -> tuple[str, ...]:
    """Return the secrets as they are, and as JSON and URLs may spell them."""
    known = [each for each in secrets if len(each) >= _SHORTEST_SECRET]
    return tuple({spelt for each in known for spelt in (each, each.replace("/", "\\/"), percent_encoding.encode(each))})
