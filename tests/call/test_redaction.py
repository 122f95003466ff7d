"""A secret that a gateway echoes is blanked out, whichever part of it comes back and however it is spelt."""

from __future__ import annotations

import html
import json
import re
import string
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from novaact_http import Client, Credentials, ServiceError
from tests.helpers.calls import CALL, OPTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

BASE64 = string.ascii_letters + string.digits + "+/"
secrets = st.text(BASE64, min_size=40, max_size=80).filter(
    # A run of mostly punctuation, which not one of ten thousand keys has, is not looked for.
    lambda text: all(sum(map(str.isalnum, text[at : at + 8])) >= 4 for at in range(len(text) - 7))
)


def percent(character: str) -> str:
    return f"%{ord(character):02x}"


def named(character: str) -> str:
    return {"+": "&plus;", "/": "&sol;", "=": "&equals;"}.get(character, character)


SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "percent": lambda each: quote(each, safe=""),
    "lower case": lambda each: quote(each, safe="").lower() if not each.isalnum() else each,
    "double percent": lambda each: quote(quote(each, safe=""), safe=""),
    "triple percent": lambda each: quote(quote(quote(each, safe=""), safe=""), safe=""),
    "all percent": percent,
    "all double percent": lambda each: quote(percent(each), safe=""),
    "IIS": lambda each: each if each.isalnum() else f"%u{ord(each):04x}",
    "form": quote_plus,
    "read as a form": lambda each: " " if each == "+" else each,
    "escaped slash": lambda each: each.replace("/", "\\/"),
    ".NET and Java": lambda each: each if each.isalnum() else f"\\u{ord(each):04X}",
    "gson": lambda each: each if each.isalnum() else f"\\u{ord(each):04x}",
    "JSON in JSON": lambda each: json.dumps(f"\\u{ord(each):04x}")[1:-1],
    "JavaScript": lambda each: f"\\x{ord(each):02x}",
    "decimal": lambda each: each if each.isalnum() else f"&#{ord(each)};",
    "hexadecimal": lambda each: f"&#x{ord(each):04X};",
    "names": named,
    "HTML of HTML": lambda each: html.escape(named(each)),
    "percent of HTML": lambda each: quote(f"&#x{ord(each):x};", safe=""),
    "JSON of percent": lambda each: quote(each, safe="").replace("%", "\\u0025"),
    "URL-safe": lambda each: {"+": "-", "/": "_"}.get(each, each),
    "without punctuation": lambda each: each if each.isalnum() else "",
}
WRAPS = ("\n", "\r\n  ", " ", "\\n", "\\r\\n", "%0A", "&#10;", "<br>", "<br />\n", '",\n "', "&NewLine;")


def message_for(said: str, credentials: Credentials) -> str:
    """Return the message of the error when a gateway answers this text, as its page and in a header."""
    header = said.encode("ascii", "replace").replace(b"\r", b"").replace(b"\n", b"")

    def gateway(_: httpx.Request) -> httpx.Response:
        return httpx.Response(502, content=said.encode(), headers=[(b"x-echo", header), (b"x-plain", b"plain")])

    options = {**OPTIONS, "credentials": credentials, "transport": httpx.MockTransport(gateway)}
    with Client(**options) as client, pytest.raises(ServiceError) as caught:
        client.list_sessions(**CALL)
    assert caught.value.headers["x-plain"] == "plain"
    said_again = caught.value.headers["x-echo"]
    assert "***" in said_again
    return caught.value.message


def left_of(message: str, spell: Callable[[str], str], wrap: str) -> str:
    """Return the letters and digits that stand where the secret stood, except those of escapes of punctuation."""
    between = re.fullmatch(r"<(.*)>", message, re.DOTALL)
    assert between
    text = between[1]
    for each in (spell("+"), spell("/"), spell("="), wrap):
        text = text.replace(each, "") if each else text
    return re.sub(r"[^A-Za-z0-9]", "", text)


@given(
    secrets,
    secrets,
    st.booleans(),
    st.sampled_from(sorted(SPELLINGS)),
    st.sampled_from(WRAPS),
    st.integers(4, 200),
    st.data(),
)
def test_no_part_of_a_secret_is_left_in_whatever_spelling(
    key: str, token: str, of_token: bool, spelling: str, wrap: str, width: int, data: st.DataObject
) -> None:
    secret = f"{token}==" if of_token else key
    start = data.draw(st.integers(0, len(secret) - 8))
    part = secret[start : data.draw(st.integers(start + 8, len(secret)))]
    spell = SPELLINGS[spelling]
    lines = [part[at : at + width] for at in range(0, len(part), width)]
    said = wrap.join("".join(map(spell, line)) for line in lines)
    credentials = Credentials(access_key_id="AKIA", secret_access_key=key, session_token=f"{token}==")
    assert not left_of(message_for(f"<{said}>", credentials), spell, wrap)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_whole_secret_is_blanked_out_in_every_spelling(spelling: str) -> None:
    key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY/+"
    said = "".join(map(SPELLINGS[spelling], key))
    credentials = Credentials(access_key_id="AKIA", secret_access_key=key)
    assert not left_of(message_for(f"<{said}>", credentials), SPELLINGS[spelling], "")


@given(st.integers(0, 56), st.integers(8, 64), st.sampled_from(sorted(SPELLINGS)))
@example(8, 8, "plain")
def test_no_part_of_a_signature_is_left(start: int, length: int, spelling: str) -> None:
    spell = SPELLINGS[spelling]

    def gateway(request: httpx.Request) -> httpx.Response:
        signature = request.headers["Authorization"].rpartition("=")[2]
        said = "".join(map(spell, signature[start : start + length]))
        header = {"x-echo": said, "x-amzn-RequestId": "01234567-89ab-4cde-8f01-23456789abcd"}
        return httpx.Response(400, content=f"<{said}>", headers=header)

    with (
        Client(**{**OPTIONS, "transport": httpx.MockTransport(gateway)}) as client,
        pytest.raises(ServiceError) as caught,
    ):
        client.list_sessions(**CALL)
    assert not left_of(caught.value.message, spell, "")
    assert caught.value.headers["x-echo"] == "***"
    assert caught.value.request_id == "01234567-89ab-4cde-8f01-23456789abcd"


@pytest.mark.parametrize("secret", ["wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "01234567-89ab-4cde-8f01-23456789abcd"])
def test_a_success_shows_no_part_of_a_secret_in_its_headers(secret: str) -> None:
    def gateway(request: httpx.Request) -> httpx.Response:
        signature = request.headers["Authorization"].rpartition("=")[2]
        headers = {
            "x-echo": f"z {secret[3:20]} b",
            "x-whole": secret,
            "x-sig": signature[7:30],
            "Date": "Thu, 26 Nov 2026 03:00:00 GMT",
        }
        return httpx.Response(200, json={"sessionSummaries": []}, headers=headers)

    keys = Credentials(access_key_id="AKIA", secret_access_key=secret)
    options = {**OPTIONS, "credentials": keys, "transport": httpx.MockTransport(gateway)}
    with Client(**options) as client:
        headers = client.list_sessions(**CALL).metadata.headers
    assert (headers["x-echo"], headers["x-whole"], headers["x-sig"]) == ("z *** b", "***", "***")
    assert headers["date"] == "Thu, 26 Nov 2026 03:00:00 GMT"


@pytest.mark.parametrize("signature", ["", "short", "not/hexadecimal+at/all"])
def test_signatures_that_are_not_awss_are_blanked_out_too(signature: str) -> None:
    class Signer:
        def sign(self, _method: str, _target: str, headers: tuple[tuple[str, str], ...], *_: object, **__: object):  # type: ignore[no-untyped-def]  # noqa: ANN202
            return (*headers, ("Authorization", f"X Signature={signature}"))

    def gateway(request: httpx.Request) -> httpx.Response:
        return httpx.Response(400, text=f"{request.headers['Authorization']}, please")

    options = {**OPTIONS, "signer": Signer(), "transport": httpx.MockTransport(gateway)}
    with Client(**options) as client, pytest.raises(ServiceError) as caught:
        client.list_sessions(**CALL)
    assert caught.value.message == f"X Signature={'***' if len(signature) > 8 else signature}, please"


@example("%" + "25" * 100 + "41")
@given(st.text() | st.text("%\\&#;<>ux25fF2bB+/=nbr "))
def test_a_text_without_a_secret_stays_as_it_is(text: str) -> None:
    said = f"1 {text} 2"

    def gateway(_: httpx.Request) -> httpx.Response:
        return httpx.Response(400, json={"message": said})

    with (
        Client(**{**OPTIONS, "transport": httpx.MockTransport(gateway)}) as client,
        pytest.raises(ServiceError) as caught,
    ):
        client.list_sessions(**CALL)
    assert caught.value.message == said
