"""Responses, rule by rule. Generated and broken responses are in test_http1_generated.py."""

from __future__ import annotations

import re
import tracemalloc
from typing import Any

import pytest

from novaact_http._http import http1
from novaact_http._http.http1 import LAST_CHUNK, ProtocolError, ResponseReader, encode_chunk
from tests.helpers.http1_readers import CHUNKED, OK, Read, by_h11, outcome, pieces_of, read

# Responses, by example.


@pytest.mark.parametrize("space", [b"", b" ", b"\t", b" \t "])
def test_names_come_in_lower_case_and_values_without_the_whitespace_around(space: bytes) -> None:
    answer = read(OK + b"X-Name:" + space + b"a \t b" + space + b"\r\ncontent-LENGTH:" + space + b"0\r\n\r\n")
    assert answer.headers == (("x-name", "a \t b"), ("content-length", "0"))


def test_fields_keep_their_order_their_repetitions_and_their_latin_1() -> None:
    answer = read(OK + b"b: 1\r\nA: \xe9\x85\xa0\r\nb: 2\r\nempty:\r\nc: x:y\x01\r\n\r\n", eof=True)
    assert answer.headers == (("b", "1"), ("a", "\xe9\x85\xa0"), ("b", "2"), ("empty", ""), ("c", "x:y\x01"))


def test_a_head_may_have_no_fields() -> None:
    assert read(b"HTTP/1.1 204 No Content\r\n\r\n") == Read(204, "No Content", "1.1", (), b"", True, True, False)


@pytest.mark.parametrize(
    ("line", "reason"),
    [(b"HTTP/1.1 200", ""), (b"HTTP/1.1 200 ", ""), (b"HTTP/1.1 200  a\tb\xe9 ", " a\tb\xe9 ")],
)
def test_the_reason_is_kept_as_it_is_and_may_be_missing(line: bytes, reason: str) -> None:
    assert read(line + b"\r\n\r\n").reason == reason


@pytest.mark.parametrize("status", [200, 404, 503, 999])
def test_any_status_is_given_as_a_number(status: int) -> None:
    assert read(b"HTTP/1.1 %d x\r\n\r\n" % status).status == status


def test_a_body_of_known_length_is_complete_with_its_last_byte() -> None:
    assert not read(OK + b"Content-Length: 3\r\n\r\nab").complete
    assert read(OK + b"Content-Length: 3\r\n\r\nabc") == Read(
        200, "OK", "1.1", (("content-length", "3"),), b"abc", complete=True, keep_alive=True, leftovers=False
    )


def test_a_body_of_unknown_length_ends_with_the_connection() -> None:
    assert read(OK + b"\r\n", b"ab", b"c") == Read(200, "OK", "1.1", (), b"abc", False, False, False)
    assert read(OK + b"\r\n", b"ab", b"c", eof=True) == Read(200, "OK", "1.1", (), b"abc", True, False, False)


def test_what_comes_after_the_end_of_the_connection_is_no_body() -> None:
    reader = ResponseReader("GET")
    reader.feed(OK + b"\r\nab")
    for feed, leftovers in (
        (reader.feed_eof, False),
        (reader.feed_eof, False),
        (lambda: reader.feed(b"c"), True),
    ):
        feed()
        assert (reader.complete, reader.leftovers) == (True, leftovers)
    assert reader.take() == b"ab"


def test_a_chunked_body_is_complete_with_the_empty_line_after_its_trailers() -> None:
    chunks = b'3\r\nabc\r\n00A;name;other="\xe9\t"\r\n0123456789\r\n1a\r\nabcdefghijklmnopqrstuvwxyz\r\n'
    end = b"0;last\r\nx-trailer: 1\r\n\r\n"
    whole = read(CHUNKED + chunks + end)
    assert whole.body == b"abc0123456789abcdefghijklmnopqrstuvwxyz"
    assert whole.complete
    assert whole.keep_alive
    assert whole.headers == (("transfer-encoding", "chunked"),)
    assert not read(CHUNKED + chunks + end[:-1]).complete


def test_the_body_can_be_taken_as_it_comes() -> None:
    reader = ResponseReader("GET")
    reader.feed(CHUNKED + b"4\r\nab")
    assert reader.take() == b"ab"
    assert reader.take() == b""
    reader.feed(b"c")
    reader.feed(b"d\r\n1\r\ne\r\n")
    assert reader.take() == b"cde"


@pytest.mark.parametrize(("status", "method"), [(204, "GET"), (304, "GET"), (200, "HEAD"), (404, "HEAD")])
@pytest.mark.parametrize("framing", [b"", b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n"])
def test_there_is_no_body_after_head_204_and_304(status: int, method: str, framing: bytes) -> None:
    answer = read(b"HTTP/1.1 %d x\r\n%b\r\n" % (status, framing), method=method, max_body=0)
    assert (answer.body, answer.complete, answer.keep_alive) == (b"", True, True)


def test_informational_responses_are_skipped() -> None:
    early = b"HTTP/1.1 100 Continue\r\nContent-Length: 9\r\nConnection: close\r\n\r\n"
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 199\r\n\r\n"
    whole = early + hints + OK + b"Content-Length: 1\r\n\r\nx"
    assert read(whole) == read(early + hints, whole[len(early + hints) :]) == read(OK + b"Content-Length: 1\r\n\r\nx")
    assert read(early + hints).status is None


@pytest.mark.parametrize(
    ("version", "fields", "expected"),
    [
        (b"1.1", b"", True),
        (b"1.1", b"Connection: keep-alive\r\n", True),
        (b"1.1", b"Connection: closed, x-close\r\n", True),
        (b"1.1", b"Connection: Close\r\n", False),
        (b"1.1", b"Connection: x ,\tclose\r\n", False),
        (b"1.1", b"Connection: close\r\nConnection: keep-alive\r\n", False),
        (b"1.1", b"Connection: keep-alive\r\nConnection: CLOSE\r\n", False),
        (b"1.1", b"Connection: \xa0close\r\n", True),
        (b"1.0", b"", False),
        (b"1.0", b"Connection: keep-alive\r\n", False),
    ],
)
def test_a_connection_is_kept_unless_the_service_closes_it(version: bytes, fields: bytes, expected: bool) -> None:
    data = b"HTTP/" + version + b" 200 OK\r\n" + fields + b"Content-Length: 0\r\n\r\n"
    answer = read(data)
    assert answer.complete
    assert answer.keep_alive is expected
    assert answer == by_h11(data)


def test_a_connection_that_ended_after_the_response_is_not_kept() -> None:
    answer = read(OK + b"Content-Length: 0\r\n\r\n", eof=True)
    assert answer.complete
    assert not answer.keep_alive


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("framing", [b"Content-Length: 2\r\n\r\nab", b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"])
def test_bytes_after_the_end_are_noticed_and_dropped(method: str, framing: bytes) -> None:
    data = OK + (framing if method == "GET" else framing.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
    clean = read(data, method=method)
    assert clean.keep_alive
    assert not clean.leftovers
    for pieces in ([data + b"H"], [data, b"H"], [data, b"H", b"T"]):
        assert read(*pieces, method=method) == clean._replace(keep_alive=False, leftovers=True)


def test_nothing_has_started_until_a_byte_has_come() -> None:
    for piece, started in ((b"", False), (b"H", True), (b"HTTP/1.1 100 Continue\r\n\r\n", True)):
        reader = ResponseReader("GET")
        reader.feed(piece)
        assert reader.started is started
        assert reader.status is None


def test_the_end_of_the_connection_before_a_response_is_told_from_one_in_the_middle() -> None:
    with pytest.raises(ProtocolError, match="ended before any of the response came"):
        read(eof=True)
    for part in (OK, b"HTTP/1.1 100 x\r\n\r\n", OK + b"Content-Length: 3\r\n\r\nab", CHUNKED, CHUNKED + b"0\r\n"):
        with pytest.raises(ProtocolError, match="ended in the middle of the response"):
            read(part, eof=True)


def test_a_reader_that_has_failed_stays_failed() -> None:
    reader = ResponseReader("GET")
    reader.feed(OK)
    with pytest.raises(ProtocolError, match="bare LF"):
        reader.feed(b"a: b\n")
    for piece in (b"\r\n\r\n", b""):
        with pytest.raises(ProtocolError, match="broken before"):
            reader.feed(piece)
    with pytest.raises(ProtocolError):
        reader.feed_eof()
    assert not reader.complete
    assert not reader.keep_alive
    ended = ResponseReader("GET")
    with pytest.raises(ProtocolError):
        ended.feed_eof()
    with pytest.raises(ProtocolError, match="broken before"):
        ended.feed(OK)


# Responses that are refused, by example.

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

# All that h11 accepts and we do not, with what our error says and what must be in the bytes for it to be right.
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
def test_what_is_malformed_or_ambiguous_is_refused(data: bytes) -> None:
    assert by_h11(data, eof=True) is None
    with pytest.raises(ProtocolError) as caught:
        read(data)  # and without waiting for more
    assert len(str(caught.value)) < 150
    assert outcome(*pieces_of(data, 1)) is None


@pytest.mark.parametrize(
    ("data", "message", "trait"),
    [(data, message, trait) for examples, message, trait in DIFFERENCES.values() for data in examples],
)
def test_what_h11_accepts_and_we_refuse_is_listed(data: bytes, message: str, trait: bytes) -> None:
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
def test_one_and_the_same_content_length_many_times_is_one(lengths: bytes) -> None:
    data = OK + b"Content-Length: " + lengths + b"\r\nx: y\r\n\r\na"
    assert read(data).headers == (("content-length", "1"), ("x", "y"))
    assert read(data) == by_h11(data)


def test_a_content_length_may_be_written_at_length() -> None:
    data = OK + b"Content-Length: " + b"0" * 19 + b"1\r\n\r\na"
    assert read(data) == by_h11(data)
    # Nobody sends that much, but it is a valid number.
    assert read(OK + b"Content-Length: " + b"9" * 20 + b"\r\n\r\na").body == b"a"


def test_the_name_of_the_coding_is_in_any_case() -> None:
    data = OK + b"TRANSFER-ENCODING: Chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"
    assert read(data).headers == (("transfer-encoding", "chunked"),)
    assert read(data) == by_h11(data)


@pytest.mark.parametrize("line", [b"0" * 15 + b"1", b"1;" + b"a" * 1_024, b"1;a", b'1; a = " \t~\x80\xff"'])
def test_a_line_of_a_chunk_may_be_as_long_as_this(line: bytes) -> None:
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
def test_what_cannot_become_a_response_is_refused_with_its_first_wrong_byte(part: bytes, rest: bytes) -> None:
    assert read(part) == read(*pieces_of(part, 1))
    for pieces in ([part + rest], [part, rest], pieces_of(part + rest, 1)):
        with pytest.raises(ProtocolError):
            read(*pieces)


def test_a_bare_cr_may_still_become_a_line_end() -> None:
    assert read(b"HTTP/1.1 204 OK\r", b"\na: b\r", b"\n\r", b"\n").headers == (("a", "b"),)


def test_an_error_shows_little_of_what_came_and_nothing_of_a_value() -> None:
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


# Limits, and the cost.


EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_heads_and_trailers_together_have_as_much_room_as_they_are_given(size: int) -> None:
    head = EARLY + EARLY + CHUNKED
    trailers = b"\r\na: b\r\n\r\n"  # with the end of the line before
    for data, length in (
        (OK + b"Content-Length: 1\r\n\r\nx", len(OK + b"Content-Length: 1\r\n\r\n")),
        (head + b"1\r\nx\r\n0" + trailers, len(head + trailers)),
    ):
        assert read(*pieces_of(data, size), max_head=length).complete
        with pytest.raises(ProtocolError, match="too large"):
            read(*pieces_of(data, size), max_head=length - 1)


@pytest.mark.parametrize("before", [b"", EARLY * 2, CHUNKED + b"0"])
@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_a_head_without_an_end_is_refused_when_its_room_is_used_up(before: bytes, size: int) -> None:
    section = b"\r\n" if before.endswith(b"0") else OK
    section += b"x" * (200 - len(section))
    room = len(before.removesuffix(b"0")) + len(section)
    assert not read(*pieces_of(before + section, size), max_head=room + 1).complete
    with pytest.raises(ProtocolError, match="too large"):
        read(*pieces_of(before + section, size), max_head=room)


def test_informational_responses_without_an_end_are_refused() -> None:
    with pytest.raises(ProtocolError, match="too large"):
        read(*[EARLY] * 10_000)
    with pytest.raises(ProtocolError, match="too large"):
        read(EARLY * 10_000)


@pytest.mark.parametrize("size", [1, 2, 1_000])
@pytest.mark.parametrize(
    "data", [OK + b"Content-Length: 5\r\n\r\nabcde", CHUNKED + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", OK + b"\r\nabcde"]
)
def test_a_body_may_be_as_large_as_allowed(size: int, data: bytes) -> None:
    assert read(*pieces_of(data, size), eof=True, max_body=5).body == b"abcde"
    with pytest.raises(ProtocolError, match="body of the response is too large"):
        read(*pieces_of(data, size), eof=True, max_body=4)


def test_a_body_that_will_be_too_large_is_refused_before_it_comes() -> None:
    for head in (OK + b"Content-Length: 5\r\n\r\n", CHUNKED + b"5\r\n", CHUNKED + b"1\r\na\r\n4\r\n"):
        with pytest.raises(ProtocolError, match="body of the response is too large"):
            read(head, max_body=4)


class Counting(bytearray):
    """Counts the bytes that are searched and copied, as that is the work of reading a head in pieces."""

    work = 0

    def find(self, sub: Any, start: Any = 0, end: Any = None) -> int:
        Counting.work += len(self) - start
        return super().find(sub, start)

    def count(self, sub: Any, start: Any = 0, end: Any = None) -> int:
        Counting.work += len(self) - start
        return super().count(sub, start)

    def __bytes__(self) -> bytes:
        Counting.work += len(self)
        return bytes(memoryview(self))


@pytest.mark.parametrize("size", [1, 10])
@pytest.mark.parametrize("start", [b"", CHUNKED + b"0\r\n"])
def test_a_head_or_trailers_in_many_pieces_are_looked_at_a_few_times_and_no_more(size: int, start: bytes) -> None:
    section = (OK if not start else b"") + b"name: value\r\n" * 4_000 + b"\r\n"
    reader = ResponseReader("GET", max_head=100_000)
    reader.feed(start)
    reader._pending, Counting.work = Counting(reader._pending), 0
    for piece in pieces_of(section, size):
        reader.feed(piece)
    assert reader.complete or reader.status == 200
    assert 0 < Counting.work < 20 * len(section)


@pytest.mark.parametrize(("length", "size", "chunk"), [(1_000_000, 10, 99_999), (100_000, 1, 99_999), (100_000, 10, 1)])
def test_a_large_body_may_come_in_small_pieces(length: int, size: int, chunk: int) -> None:
    body = b"0123456789" * (length // 10)
    chunks = b"".join(map(encode_chunk, pieces_of(body, chunk))) + LAST_CHUNK
    for data in (OK + b"Content-Length: %d\r\n\r\n" % length + body, CHUNKED + chunks):
        reader = ResponseReader("GET")
        for start in range(0, len(data), size):
            reader.feed(data[start : start + size])
        assert reader.complete
        assert reader.take() == body


@pytest.mark.parametrize("head", [OK + b"Content-Length: 99999999\r\n\r\n", OK + b"\r\n", CHUNKED])
def test_nothing_of_a_body_is_kept_once_it_is_taken(head: bytes) -> None:
    reader = ResponseReader("GET")
    reader.feed(head)
    piece = b"x" * 10_000
    wire = encode_chunk(piece) if head == CHUNKED else piece
    tracemalloc.start()
    try:
        for _ in range(1_000):
            reader.feed(wire)
            assert reader.take() == piece
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100_000


def test_names_are_remembered_but_not_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = http1._Tokens()
    monkeypatch.setattr(http1, "_tokens", tokens)
    data = b"".join(b"Name-%d: x\r\n" % number for number in range(3_000))
    assert read(OK + data + b"\r\n").headers == tuple((f"name-{number}", "x") for number in range(3_000))
    assert len(tokens) == 1_000
    tokens.clear()
    for length in (64, 65):
        assert read(OK + b"N" * length + b": x\r\n\r\n").headers == (("n" * length, "x"),)
    assert list(tokens) == ["N" * 64]
