"""Requests: h11's server reads what we meant, and we never write what a server could misread."""

from __future__ import annotations

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from novaact_http._http.http1 import LAST_CHUNK, UnsendableError, encode_chunk, encode_head
from tests.helpers.http1_readers import HOST, request_by_h11


def test_a_request_is_its_line_its_fields_in_order_and_an_empty_line() -> None:
    head = encode_head("POST", "/a%20b?c=d", [HOST, ("x-Name", ""), ("Content-Length", "2"), ("x-Name", "a \t\xe9")])
    assert head.decode("latin-1").split("\r\n") == [
        "POST /a%20b?c=d HTTP/1.1",
        "Host: service.example",
        "x-Name: ",
        "Content-Length: 2",
        "x-Name: a \t\xe9",
        "",
        "",
    ]


def test_a_chunk_has_its_size_before_it() -> None:
    assert encode_chunk(b"0123456789") == b"a\r\n0123456789\r\n"
    assert LAST_CHUNK == b"0\r\n\r\n"


def test_an_empty_piece_is_not_sent_as_a_chunk_because_that_would_end_the_body() -> None:
    assert encode_chunk(b"") == b""


@pytest.mark.parametrize("character", [*map(chr, range(32)), "\x7f"])
def test_control_characters_are_never_sent(character: str) -> None:
    for method, target, name, value in (
        (f"G{character}T", "/", "a", "b"),
        ("GET", f"/{character}x", "a", "b"),
        ("GET", "/", f"a{character}b", "b"),
        ("GET", "/", "a", f"b{character}c"),
        ("GET", "/", "a", f"{character}c"),
        ("GET", "/", "a", f"b{character}"),
    ):
        if character == "\t" and value == "b\tc":
            continue
        with pytest.raises(UnsendableError):
            encode_head(method, target, [HOST, (name, value)])


@pytest.mark.parametrize(
    ("method", "target", "headers", "message"),
    [
        ("", "/", [HOST], "not a token"),
        ("GE T", "/", [HOST], "not a token"),
        ("G\xe9T", "/", [HOST], "not a token"),
        ("GET", "", [HOST], "target is empty"),
        ("GET", "/a b", [HOST], "whitespace"),
        ("GET", "/\xe9", [HOST], "non-ASCII"),
        ("GET", "/\u2028", [HOST], "non-ASCII"),
        ("GET", "/ HTTP/1.1\r\nX: y\r\n\r\nGET /", [HOST], "whitespace"),
        ("GET", "/\r\nX:y", [HOST], "control characters"),
        ("GET", "/", [HOST, ("", "x")], "not a token"),
        ("GET", "/", [HOST, ("a b", "x")], "not a token"),
        ("GET", "/", [HOST, ("a:", "x")], "not a token"),
        ("GET", "/", [HOST, ("\xe9", "x")], "not a token"),
        ("GET", "/", [HOST, ("a\n", "x")], "not a token"),
        ("GET", "/", [HOST, ("a", " x")], "whitespace around the value of a"),
        ("GET", "/", [HOST, ("a", "x\t")], "whitespace around the value of a"),
        ("GET", "/", [HOST, ("a", " ")], "whitespace around the value of a"),
        ("GET", "/", [HOST, ("a", "x\r\nInjected: y")], "control characters"),
        ("GET", "/", [HOST, ("a", "\u20ac")], "beyond Latin-1"),
        ("GET", "/", [HOST, ("a", "\ud800")], "beyond Latin-1"),
        ("GET", "/", [], "one Host"),
        ("GET", "/", [HOST, ("host", "b")], "one Host"),
        ("GET", "/", [HOST, ("Content-Length", "+1")], "not a number of bytes"),
        ("GET", "/", [HOST, ("Content-Length", "1, 1")], "not a number of bytes"),
        ("GET", "/", [HOST, ("Content-Length", "\xb2")], "not a number of bytes"),
        ("GET", "/", [HOST, ("Content-Length", "1" * 21)], "not a number of bytes"),
        ("GET", "/", [HOST, ("Content-Length", "1"), ("content-length", "1")], "more than one"),
        ("GET", "/", [HOST, ("Content-Length", "1"), ("Transfer-Encoding", "chunked")], "more than one"),
        ("GET", "/", [HOST, ("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")], "more than one"),
        ("GET", "/", [HOST, ("Transfer-Encoding", "gzip, chunked")], "not chunked"),
        ("GET", "/", [HOST, ("transfer-encoding", "Chunked")], "not chunked"),
    ],
)
def test_a_request_that_could_be_read_as_another_is_not_sent(
    method: str, target: str, headers: list[tuple[str, str]], message: str
) -> None:
    with pytest.raises(UnsendableError, match=message) as caught:
        encode_head(method, target, headers)
    assert isinstance(caught.value, ValueError)


def test_an_error_shows_no_value_of_a_field() -> None:
    for value in ("secret\n", " secret", "secret\u20ac"):
        with pytest.raises(UnsendableError) as caught:
            encode_head("GET", "/", [HOST, ("Authorization", value)])
        assert "secret" not in str(caught.value)


TOKEN = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
FRAMING = ("host", "content-length", "transfer-encoding")

tokens = st.text(TOKEN, min_size=1, max_size=8)
targets = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=20)
text = st.sampled_from("\t") | st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_categories=["Cc"])
values = st.text(text, max_size=12).map(lambda value: value.strip(" \t"))
fields = st.lists(st.tuples(tokens.filter(lambda name: name.lower() not in FRAMING), values), max_size=6)
bodies = st.lists(st.binary(max_size=20), max_size=4)


@given(tokens, targets, fields, bodies, st.sampled_from(["sized", "chunked", "none"]), st.integers(0, 6))
def test_a_server_reads_the_request_that_was_meant(
    method: str, target: str, others: list[tuple[str, str]], pieces: list[bytes], framing: str, position: int
) -> None:
    headers, wire = [HOST, *others], b""
    if framing == "sized":
        wire = b"".join(pieces)
        headers.insert(position, ("Content-Length", str(len(wire))))
    elif framing == "chunked":
        wire = b"".join(map(encode_chunk, pieces)) + LAST_CHUNK
        headers.insert(position, ("transfer-encoding", "chunked"))
    request, body = request_by_h11(encode_head(method, target, headers) + wire)
    assert (request.method, request.target, request.http_version) == (method.encode(), target.encode(), b"1.1")
    assert request.headers.raw_items() == [(name.encode(), value.encode("latin-1")) for name, value in headers]
    assert body == (b"" if framing == "none" else b"".join(pieces))


# Many are malformed: they have characters that no part of a request may have, or that only some parts may have.
odd = st.text(st.sampled_from([*"aZ0:,;/ \t\r\n\0\x0b\x0c\x01\x7f\x80\x85\xa0\xff", "\u2028", "\u0661"]), max_size=4)
odd_fields = st.lists(
    st.tuples(odd, odd)
    | st.tuples(st.sampled_from(["Host", "hOST", "a"]), odd)
    | st.tuples(
        st.sampled_from(["Content-Length", "content-length", "Transfer-Encoding"]),
        st.sampled_from(["0", "00", "1", "+1", "1,1", "\u0661", "", "chunked", "Chunked", "gzip", "0" * 20, "0" * 21])
        | odd,
    ),
    max_size=3,
)


def h11_writes(method: str, target: str, headers: list[tuple[str, str]]) -> bool:
    try:
        h11.Request(
            method=method.encode("latin-1"),
            target=target.encode("latin-1"),
            headers=[(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers],
        )
    except (h11.LocalProtocolError, UnicodeEncodeError):
        return False
    return True


def written_by_h11_alone(target: str, headers: list[tuple[str, str]]) -> bool:
    """Tell whether a request is one that h11 writes and we refuse."""
    framing = [(name.lower(), value) for name, value in headers if name.lower() in FRAMING[1:]]
    return (
        any(character < " " and character != "\t" for _, value in headers for character in value)
        or any("\x7f" in value for _, value in headers)
        or len(framing) > 1
        or any("," in value for name, value in framing if name == "content-length")
        or any(value != value.lower() for name, value in framing if name == "transfer-encoding")
    )


@given(odd | tokens, odd | targets, odd_fields, st.booleans())
def test_no_request_is_written_that_h11_would_not_write(
    method: str, target: str, headers: list[tuple[str, str]], with_host: bool
) -> None:
    headers = [HOST, *headers] if with_host else headers
    try:
        head = encode_head(method, target, headers)
    except UnsendableError:
        assert not h11_writes(method, target, headers) or written_by_h11_alone(target, headers)
    else:
        assert h11_writes(method, target, headers)
        connection = h11.Connection(h11.SERVER)
        connection.receive_data(head)
        request = connection.next_event()
        assert isinstance(request, h11.Request)
        assert (request.method, request.target) == (method.encode(), target.encode())
        assert [(name.decode(), value.decode("latin-1")) for name, value in request.headers.raw_items()] == headers
