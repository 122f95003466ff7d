"""Blanks out a request's secrets wherever the service or a gateway echoes them, whole or in part, however spelt.

A gateway may encode what it echoes for a URL, JSON or HTML, or several of them, cut it short, wrap it over lines, write
`+` as a space, or leave out padding. So escapes are decoded, and then only letters and digits are compared: wherever
those of eight characters in a row of a secret stand one after another in a text, they are blanked out, with what is
between them.

Hardly any text has something to blank out, but the headers of successes are looked at too. So a text is first searched
for pieces of four letters and digits, which is quick. Every run has one at a place that can be divided by four; if the
run has punctuation, by two, or one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from novaact_http._call.http_messages import Headers
    from novaact_http.config import Credentials

    Redact = Callable[[str], str]

# AWS's secrets have at least 40 characters. Shorter ones are for tests, and blanking out every "b" would garble a text.
_SHORTEST_RUN = 8
# Fewer letters and digits than these say nothing. Among a million of AWS's keys there are 50 with such a run.
_PIECE = 4
_PUNCTUATION = bytes(each for each in range(128) if not chr(each).isalnum())
_SIGNATURE = 64  # hexadecimal digits
_FOUR_OF_SIGNATURE = re.compile("[0-9a-f]{4}")  # each run has four of these, wherever the search began
# What most headers of successes are. A UUID could hold a part of a secret, but gateways do not write one so.
_USUAL = re.compile(
    r"(?m)^(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|application/json|keep-alive"
    r"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT)$"
)
_BEGINS_ESCAPE = re.compile(r"[%\\&<]")
_ESCAPE = (  # compiled when there is one
    r"(?:%|%u00|\\+u00|\\+x)([0-9a-fA-F]{2})"
    r"|&#[xX]0*([0-9a-fA-F]{1,2});|&#0*([0-9]{1,3});|&([A-Za-z]{2,20});"
    r"|\\+[nrtbf]|<w?br */?>"  # wrapped lines
)
_DEEPEST = 10  # escapes in escapes


class Redaction:
    """Makes the functions that blank out secrets in a client's responses. Safe to share between threads."""

    def __init__(self) -> None:
        # The last credentials and what to look for, as a client has one set of credentials at a time. The whole tuple
        # is replaced, so that threads need no lock.
        self._last: tuple[Credentials, _Runs] | None = None

    def for_request(self, credentials: Credentials, headers: Headers) -> Redact:
        """Return a function that blanks out the secrets of a request in a text.

        Args:
            credentials: what the request is signed with.
            headers: its headers, the signature among them.
        """

        def redact(text: str) -> str:
            last = self._last
            if last is None or last[0] is not credentials:
                secrets = (credentials.secret_access_key, credentials.session_token or "")
                self._last = last = (credentials, _runs(*secrets))
            runs = last[1]
            unusual = text if runs.may_look_usual else _USUAL.sub("", text)
            if len(unusual) < _SHORTEST_RUN + unusual.count("\n"):
                return text
            signature = ""
            for name, value in headers:
                if name == "Authorization":
                    signature = value.rpartition("Signature=")[2]
            return _redacted(text, runs, signature)

        return redact


class _Runs(NamedTuple):
    """All runs of eight characters of some secrets.

    Attributes:
        letters: the letters and digits of each run.
        pieces: all pieces of these, as numbers.
        step: every run has a piece at a place that can be divided by this.
        may_look_usual: whether a run could be a part of a UUID.
    """

    letters: frozenset[bytes]
    pieces: frozenset[int]
    step: int
    may_look_usual: bool


def _runs(*secrets: str) -> _Runs:
    plain = [_decoded(each)[0] for each in secrets]
    runs = {_letters(each[at : at + _SHORTEST_RUN]) for each in plain for at in range(len(each) - _SHORTEST_RUN + 1)}
    runs = {each for each in runs if len(each) >= _PIECE}
    pieces = frozenset(piece for each in runs for start in range(_PIECE) for piece in _pieces(each, start))
    fewest = min(map(len, runs), default=_SHORTEST_RUN)
    step = max(step for step in (1, 2, 4) if step + _PIECE - 1 <= fewest)
    may_look_usual = any(not each.strip(b"0123456789abcdef") for each in runs)
    return _Runs(frozenset(runs), pieces, step, may_look_usual)


def _letters(text: str) -> bytes:
    return text.encode("ascii", "ignore").translate(None, _PUNCTUATION)


def _pieces(letters: bytes, start: int) -> memoryview[int]:
    """Return the pieces of four letters at every fourth place from the start on, as numbers."""
    end = len(letters) - (len(letters) - start) % _PIECE
    return memoryview(letters)[start:end].cast("I")


def _redacted(text: str, runs: _Runs, signature: str) -> str:
    letters = _letters(text if _BEGINS_ESCAPE.search(text) is None else _decoded(text)[0])
    if _may_have(letters.decode(), signature):
        more = _runs(signature)
        runs = _Runs(runs.letters | more.letters, runs.pieces | more.pieces, min(runs.step, more.step), True)
    for start in range(0, _PIECE, runs.step):
        if not runs.pieces.isdisjoint(_pieces(letters, start)):
            return _blanked(text, runs)
    return text


def _may_have(letters: str, signature: str) -> bool:
    """Tell whether letters may have a run of a signature. Each request has another one: nothing can be prepared."""
    if len(signature) != _SIGNATURE:  # no signature of AWS's, or none at all
        return len(signature) >= _SHORTEST_RUN
    if not any(each in signature for each in _FOUR_OF_SIGNATURE.findall(letters)):
        return False
    return any(signature[at : at + _SHORTEST_RUN] in letters for at in range(_SIGNATURE - _SHORTEST_RUN + 1))


def _blanked(text: str, runs: _Runs) -> str:
    decoded, origins = _decoded(text)
    places = [place for place, each in enumerate(decoded) if each.isascii() and each.isalnum()]
    letters = "".join([decoded[place] for place in places]).encode("ascii")
    lengths = range(_SHORTEST_RUN, _PIECE - 1, -1)
    pieces: list[str] = []
    done = 0
    for start in _candidates(letters, runs):
        found = next(filter(runs.letters.__contains__, [letters[start : start + each] for each in lengths]), b"")
        if found:
            begin, end = places[start], places[start + len(found) - 1] + 1
            while decoded[begin - 1 : begin] in ("+", "/"):
                begin -= 1
            while decoded[end : end + 1] in ("+", "/", "="):
                end += 1
            if origins[begin] > done or not pieces:
                pieces += [text[done : origins[begin]], "***"]
            done = max(done, origins[end])
    return "".join([*pieces, text[done:]])


def _candidates(letters: bytes, runs: _Runs) -> Iterable[int]:
    """Return the places where runs may begin, in order."""
    return sorted(
        {
            start + number * _PIECE - before
            for start in range(0, _PIECE, runs.step)
            for number, piece in enumerate(_pieces(letters, start))
            if piece in runs.pieces
            for before in range(min(start + number * _PIECE, _SHORTEST_RUN - _PIECE) + 1)
        }
    )


def _decoded(text: str) -> tuple[str, list[int]]:
    """Return a text without escapes, and for each of its characters, and for its end, the place in the original."""
    origins = list(range(len(text) + 1))
    for _ in range(_DEEPEST):
        pieces: list[str] = []
        kept: list[int] = []
        done = 0
        for escape in re.finditer(_ESCAPE, text):
            character = _character(escape)
            begin, end = escape.span()
            pieces += (text[done:begin], character)
            kept += origins[done:begin]
            kept += [origins[begin]] * len(character)
            done = end
        if not done:
            break
        text, origins = "".join([*pieces, text[done:]]), kept + origins[done:]
    return text, origins


def _character(escape: re.Match[str]) -> str:
    hexadecimal, decimal, name = escape[1] or escape[2], escape[3], escape[4]
    if hexadecimal or decimal:
        return chr(int(hexadecimal, 16) if hexadecimal else int(decimal))
    if name:
        from html.entities import html5

        return html5.get(f"{name};", "?")
    return " "
