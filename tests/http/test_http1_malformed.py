"""Responses that are refused, rule by rule. tests/beside/test_responses_read_by_h11.py generates others."""

from __future__ import annotations

import re

import pytest

from novaact_http._http.http1 import ProtocolError
from tests.helpers.http1_readers import CHUNKED, OK, by_h11, outcome, pieces_of, read

REFUSED_BY_BOTH = {
    "a status of two digits": b"HTTP/1.1 20 OK\r\n\r\n",
    "a status of four digits": b"HTTP/1.1 2000 OK\r\n\r\n",
    "a status below 100": b"HTTP/1.1 099 OK\r\n\r\n",
    "a status that is no number": b"HTTP/1.1 2x0 OK\r\n\r\n",
    "a status in other digits": b"HTTP/1.1 20\xb2 OK\r\n\r\n",
    "no status": b"HTTP/1.1\r\n\r\n",
    "two spaces before the status": b"HTTP/1.1  200 OK\r\n\r\n",
    "a tab before the reason": b"HTTP/1.1 200\tOK\r\n\r\n",
    "a version without a minor": b"HTTP/1 200 OK\r\n\r\n",
    "a version of two digits": b"HTTP/1.10 200 OK\r\n\r\n",
    "a version without a dot": b"HTTP/1x1 200 OK\r\n\r\n",
    "a protocol in lower case": b"http/1.1 200 OK\r\n\r\n",
    "another protocol": b"ICY 200 OK\r\n\r\n",
    "an empty line first": b"\r\nHTTP/1.1 204 OK\r\n\r\n",
    "a space first": b" HTTP/1.1 204 OK\r\n\r\n",
    "NUL in the reason": b"HTTP/1.1 204 O\0K\r\n\r\n",
    "CR in the reason": b"HTTP/1.1 204 O\rK\r\n\r\n",
    "a line without a colon": b"HTTP/1.1 204 OK\r\nname\r\n\r\n",
    "an empty name": b"HTTP/1.1 204 OK\r\n: value\r\n\r\n",
    "whitespace before the colon": b"HTTP/1.1 204 OK\r\nname : value\r\n\r\n",
    "whitespace before the first name": b"HTTP/1.1 204 OK\r\n name: value\r\n\r\n",
    "a name that is no token": b"HTTP/1.1 204 OK\r\nna(me: value\r\n\r\n",
    "a name beyond ASCII": b"HTTP/1.1 204 OK\r\nnam\xe9: value\r\n\r\n",
    "NUL in a value": b"HTTP/1.1 204 OK\r\nname: a\0b\r\n\r\n",
    "CR in a value": b"HTTP/1.1 204 OK\r\nname: a\rb\r\n\r\n",
    "CR at the end of a value": b"HTTP/1.1 204 OK\r\nname: a\r\r\n\r\n",
    "VT in a value": b"HTTP/1.1 204 OK\r\nname: a\vb\r\n\r\n",
    "FF in a value": b"HTTP/1.1 204 OK\r\nname: a\fb\r\n\r\n",
    "NUL in a name": b"HTTP/1.1 204 OK\r\nna\0me: a\r\n\r\n",
    "an empty Content-Length": OK + b"Content-Length:\r\n\r\n",
    "a positive Content-Length": OK + b"Content-Length: +5\r\n\r\nabcde",
    "a negative Content-Length": OK + b"Content-Length: -1\r\n\r\n",
    "a hexadecimal Content-Length": OK + b"Content-Length: 0x5\r\n\r\nabcde",
    "a grouped Content-Length": OK + b"Content-Length: 1_0\r\n\r\n0123456789",
    "a Content-Length with a space": OK + b"Content-Length: 1 0\r\n\r\n0123456789",
    "a Content-Length in other digits": OK + b"Content-Length: \xb2\r\n\r\nab",
    "a Content-Length of 21 digits": OK + b"Content-Length: " + b"0" * 20 + b"1\r\n\r\na",
    "two Content-Lengths": OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
    "two Content-Lengths in one": OK + b"Content-Length: 5, 6\r\n\r\nabcdef",
    "two spellings of a Content-Length": OK + b"Content-Length: 5\r\nContent-Length: 05\r\n\r\nabcde",
    "two spellings of a Content-Length in one": OK + b"Content-Length: 5, 05\r\n\r\nabcde",
    "a Content-Length and nothing": OK + b"Content-Length: 5,\r\n\r\nabcde",
    "two Content-Lengths where there is no body": b"HTTP/1.1 204 x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
    "a bad Content-Length before the response": b"HTTP/1.1 100 x\r\nContent-Length: x\r\n\r\nHTTP/1.1 204 x\r\n\r\n",
    "gzip as Transfer-Encoding": OK + b"Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n",
    "gzip and chunked": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "identity as Transfer-Encoding": OK + b"Transfer-Encoding: identity\r\n\r\n",
    "an empty Transfer-Encoding": OK + b"Transfer-Encoding:\r\n\r\n",
    "chunked in quotes": OK + b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n',
    "chunked twice": OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "no size of a chunk": CHUNKED + b"\r\nabc\r\n0\r\n\r\n",
    "only an extension": CHUNKED + b";a=b\r\n\r\n0\r\n\r\n",
    "a positive size of a chunk": CHUNKED + b"+3\r\nabc\r\n0\r\n\r\n",
    "a negative size of a chunk": CHUNKED + b"-3\r\nabc\r\n0\r\n\r\n",
    "a prefixed size of a chunk": CHUNKED + b"0x3\r\nabc\r\n0\r\n\r\n",
    "a grouped size of a chunk": CHUNKED + b"0_3\r\nabc\r\n0\r\n\r\n",
    "a space before the size of a chunk": CHUNKED + b" 3\r\nabc\r\n0\r\n\r\n",
    "a space before an extension": CHUNKED + b"3 ;a\r\nabc\r\n0\r\n\r\n",
    "a size of a chunk that is no number": CHUNKED + b"g\r\nabc\r\n0\r\n\r\n",
    "LF in an extension": CHUNKED + b"3;a\nb\r\nabc\r\n0\r\n\r\n",
    "a size of a chunk of 21 digits": CHUNKED + b"0" * 20 + b"3\r\nabc\r\n0\r\n\r\n",
    "LF after the size of a chunk": CHUNKED + b"3\nabc\r\n0\r\n\r\n",
    "LF after a chunk": CHUNKED + b"3\r\nabc\n0\r\n\r\n",
    "nothing after a chunk": CHUNKED + b"3\r\nabc0\r\n\r\n",
    "too much in a chunk": CHUNKED + b"3\r\nabcd\r\n0\r\n\r\n",
    "too little in a chunk": CHUNKED + b"3\r\nab\r\n0\r\n\r\n",
    "CR after a chunk": CHUNKED + b"3\r\nabc\r\r\n0\r\n\r\n",
    "a trailer without a colon": CHUNKED + b"0\r\nname\r\n\r\n",
    "a trailer with a bad name": CHUNKED + b"0\r\nna me: x\r\n\r\n",
    "NUL in a trailer": CHUNKED + b"0\r\nname: \0\r\n\r\n",
    "CR in a trailer": CHUNKED + b"0\r\nname: a\rb\r\n\r\n",
    "a trailer that continues nothing": CHUNKED + b"0\r\n name: x\r\n\r\n",
    "a bad Content-Length among the trailers": CHUNKED + b"0\r\nContent-Length: x\r\n\r\n",
    "gzip among the trailers": CHUNKED + b"0\r\nTransfer-Encoding: gzip\r\n\r\n",
}

# Everything that h11 accepts and we refuse: examples, what our error says, and what the bytes contain if it is right.
DIFFERENCES: dict[str, tuple[list[bytes], str, bytes]] = {
    "a bare LF": (
        [
            b"HTTP/1.1 204 OK\nname: a\r\n\r\n",
            b"HTTP/1.1 204 OK\r\nname: a\n\r\n",
            b"HTTP/1.1 204 OK\r\nname: a\nother: b\r\n\r\n",
            b"HTTP/1.1 204 OK\r\nname: a\n\n",
            b"HTTP/1.1 204 OK\r\n\n",
            CHUNKED + b"0\r\nname: a\n\r\n",
            CHUNKED + b"0\r\nname: a\nother: b\r\n\r\n",
            CHUNKED + b"0\r\n\n",
        ],
        "a bare",
        rb"(?<!\r)\n",
    ),
    "obsolete line folding": (
        [
            b"HTTP/1.1 204 OK\r\nname: a\r\n b: c\r\n\r\n",
            b"HTTP/1.1 204 OK\r\nname: a\r\n\tb: c\r\n\r\n",
            b"HTTP/1.1 204 OK\r\nname: a\r\n b\r\n\r\n",
            CHUNKED + b"0\r\nname: a\r\n b: c\r\n\r\n",
        ],
        "not the name of a field|without a colon",
        rb"\r\n[ \t]",
    ),
    "another version": (
        [b"HTTP/2.0 204 OK\r\n\r\n", b"HTTP/1.2 204 OK\r\n\r\n", b"HTTP/0.9 204 OK\r\n\r\n"],
        "HTTP/1.0 or HTTP/1.1",
        rb"HTTP/(?!1\.[01])[0-9]\.[0-9] ",
    ),
    "Transfer-Encoding and Content-Length": (
        [
            OK + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
            OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"HTTP/1.1 204 OK\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n",
        ],
        "both Transfer-Encoding and Content-Length",
        rb"(?is)^(?=.*transfer-encoding:)(?=.*content-length:)",
    ),
    "Transfer-Encoding in HTTP/1.0": (
        [b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
        "Transfer-Encoding in a response of HTTP/1.0",
        rb"(?s)HTTP/1\.0.*(?i:transfer-encoding:)",
    ),
    "the line of a chunk": (
        [
            CHUNKED + b"3 \r\nabc\r\n0\r\n\r\n",
            CHUNKED + b"0\t\r\n\r\n",
            CHUNKED + b"0" * 16 + b"3\r\nabc\r\n0\r\n\r\n",
            CHUNKED + b"3;\0\r\nabc\r\n0\r\n\r\n",
            CHUNKED + b"3;a\rb\r\nabc\r\n0\r\n\r\n",
            CHUNKED + b"3;a\r\r\nabc\r\n0\r\n\r\n",
            CHUNKED + b"3;\x7f\r\nabc\r\n0\r\n\r\n",
            CHUNKED + b"3;" + b"a" * 1_025 + b"\r\nabc\r\n0\r\n\r\n",
        ],
        "bad end of a chunk, or size of the next",
        rb"[0-9A-Fa-f](?:[ \t]+\r\n|[0-9A-Fa-f]{16}|;[^\r\n]*[\0-\x08\v\f\r\x0e-\x1f\x7f]|;[^\r\n]{1025})",
    ),
    "an extension of a chunk": (
        [
            CHUNKED + b"3" + extension + b"\r\nabc\r\n0\r\n\r\n"
            for extension in (
                *(
                    b";",
                    b"; ",
                    b";;a",
                    b";a;",
                    b";=b",
                    b";a=",
                    b";a b",
                    b";a/b",
                    b";a=b c",
                    b";a=(b)",
                    b";a ",
                    b";\xe9",
                ),
                *(b';a="b', b';a=b"', b';"a"', b';a="b\\"', b';a="b"c', b';a="b";', b';a="\\', b";a='b c'", b';a="b" '),
            )
        ],
        "bad extension of a chunk",
        (
            rb"[0-9A-Fa-f](?=;)(?!(?:[\t ]*;[\t ]*[!#-'*+\-.^-`|~\w]+"
            rb"""(?:[\t ]*=[\t ]*(?:[!#-'*+\-.^-`|~\w]+|"(?:[^"\\]|\\.)*"))?)*\r\n)"""
        ),
    ),
    "a framing field among the trailers": (
        [
            CHUNKED + b"0\r\nContent-Length: 0\r\n\r\n",
            CHUNKED + b"0\r\nTransfer-Encoding: chunked\r\n\r\n",
            CHUNKED + b"0\r\nConnection: close\r\n\r\n",
        ],
        "among the trailers|both Transfer-Encoding and Content-Length",
        rb"(?is)\r\n0+(?:;[^\r\n]*)?\r\n.*(?:content-length|transfer-encoding|connection):",
    ),
}


@pytest.mark.parametrize("data", REFUSED_BY_BOTH.values(), ids=REFUSED_BY_BOTH)
def test_a_malformed_or_ambiguous_response_is_refused(data: bytes) -> None:
    assert by_h11(data, eof=True) is None
    with pytest.raises(ProtocolError) as caught:
        read(data)  # and without waiting for more
    assert len(str(caught.value)) < 150
    assert outcome(*pieces_of(data, 1)) is None


@pytest.mark.parametrize(
    ("data", "message", "trait"),
    [(data, message, trait) for examples, message, trait in DIFFERENCES.values() for data in examples],
)
def test_each_response_that_h11_accepts_and_we_refuse_is_listed(data: bytes, message: str, trait: bytes) -> None:
    assert by_h11(data, eof=True) is not None
    assert re.search(trait, data)
    with pytest.raises(ProtocolError, match=message):
        read(data, eof=True)
    assert outcome(*pieces_of(data, 1), eof=True) is None


@pytest.mark.parametrize("method", ["GET", "CONNECT"])
def test_a_switch_to_another_protocol_is_refused(method: str) -> None:
    switch = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"
    for data in (switch, b"HTTP/1.1 100 Continue\r\n\r\n" + switch):
        with pytest.raises(ProtocolError, match="switched to another protocol"):
            read(data, method=method)


@pytest.mark.parametrize("status", [200, 299])
def test_a_tunnel_is_refused(status: int) -> None:
    with pytest.raises(ProtocolError, match="switched to another protocol"):
        read(b"HTTP/1.1 %d x\r\nContent-Length: 0\r\n\r\n" % status, method="CONNECT")


@pytest.mark.parametrize("status", [300, 407])
def test_a_refusal_to_open_a_tunnel_is_a_response_like_any_other(status: int) -> None:
    data = b"HTTP/1.1 100 x\r\n\r\nHTTP/1.1 %d x\r\nContent-Length: 1\r\n\r\nx" % status
    assert read(data, method="CONNECT").body == b"x"


@pytest.mark.parametrize("lengths", [b"1, 1", b"1 ,\t1,1", b"1\r\nContent-Length: 1", b"1, 1\r\ncontent-length: 1,1"])
def test_equal_content_lengths_count_as_one(lengths: bytes) -> None:
    data = OK + b"Content-Length: " + lengths + b"\r\nx: y\r\n\r\na"
    assert read(data).headers == (("content-length", "1"), ("x", "y"))
    assert read(data) == by_h11(data)


def test_a_content_length_may_have_twenty_digits() -> None:
    data = OK + b"Content-Length: " + b"0" * 19 + b"1\r\n\r\na"
    assert read(data) == by_h11(data)
    # Nobody sends that much, but it is a valid number.
    assert read(OK + b"Content-Length: " + b"9" * 20 + b"\r\n\r\na").body == b"a"


def test_the_name_of_a_transfer_coding_may_be_in_any_case() -> None:
    data = OK + b"TRANSFER-ENCODING: Chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"
    assert read(data).headers == (("transfer-encoding", "chunked"),)
    assert read(data) == by_h11(data)


@pytest.mark.parametrize("line", [b"0" * 15 + b"1", b"1;" + b"a" * 1_024, b"1;a", b'1; a = " \t~\x80\xff"'])
def test_the_line_of_a_chunk_may_be_as_long_as_its_limit(line: bytes) -> None:
    data = CHUNKED + line + b"\r\na\r\n" + line.replace(b"1", b"0", 1) + b"\r\n\r\n"
    assert outcome(data) == by_h11(data) == outcome(*pieces_of(data, 1))
    assert read(data).complete


@pytest.mark.parametrize(
    ("part", "rest"),
    [
        (b"", b"x"),
        (b"", b"\x15\x03\x01"),  # TLS
        (b"", b"SSH-2.0-"),
        (b"", b"\r"),
        (b"", b"\n"),
        (b"HTT", b"p"),
        (b"HTTP/", b"2"),
        (b"HTTP/1", b" "),
        (OK + b"a: b", b"\n"),
        (OK + b"a: b\r\n", b"\n"),
        (b"", b"HTTP/1.1 200 OK\n"),
        (OK + b"a: b", b"\nc: d\r\ne"),
        (CHUNKED, b"\r"),
        (CHUNKED, b"\n"),
        (CHUNKED, b"g"),
        (CHUNKED, b";"),
        (CHUNKED, b"0" * 17),
        (CHUNKED + b"1", b" "),
        (CHUNKED + b"1", b"\n"),
        (CHUNKED + b"1\r", b"a"),
        (CHUNKED + b"1;", b"\0"),
        (CHUNKED + b"1;" + b"a" * 1_024, b"a"),
        (CHUNKED + b"1\r\na", b"a"),
        (CHUNKED + b"1\r\na", b"\n"),
        (CHUNKED + b"1\r\na\r", b"\r"),
        (CHUNKED + b"1\r\na\r\n", b"\r"),
        (CHUNKED + b"0\r\na: b", b"\n"),
        (CHUNKED + b"0\r\n", b"\n"),
    ],
)
def test_a_response_is_refused_at_its_first_wrong_byte(part: bytes, rest: bytes) -> None:
    assert read(part) == read(*pieces_of(part, 1))
    for pieces in ([part + rest], [part, rest], pieces_of(part + rest, 1)):
        with pytest.raises(ProtocolError):
            read(*pieces)


def test_a_bare_cr_may_still_become_a_line_end() -> None:
    assert read(b"HTTP/1.1 204 OK\r", b"\na: b\r", b"\n\r", b"\n").headers == (("a", "b"),)


def test_an_error_shows_little_of_the_response_and_nothing_of_a_value() -> None:
    for data in (
        b"secret" * 1_000,
        b"HTTP/1.1 " + b"secret" * 1_000 + b"\r\n\r\n",
        OK + b"secret " * 1_000 + b": x\r\n\r\n",
        OK + b"Content-Length: " + b"secret" * 1_000 + b"\r\n\r\n",
        CHUNKED + b"secret" * 1_000,
    ):
        with pytest.raises(ProtocolError) as caught:
            read(data)
        assert str(caught.value).count("secret") <= 4
        assert len(str(caught.value)) < 100
    for data in (OK + b"x: secret\0\r\n\r\n", OK + b"Transfer-Encoding: secret\r\n\r\n", OK + b"secret\r\n\r\n"):
        with pytest.raises(ProtocolError) as caught:
            read(data)
        assert "secret" not in str(caught.value)
