"""Responses, rule by rule. tests/beside/test_responses_read_by_h11.py generates others."""

from __future__ import annotations

import pytest

from novaact_http._http.http1 import ProtocolError, ResponseReader
from tests.helpers.http1_readers import CHUNKED, OK, Read, by_h11, read


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


def test_bytes_after_the_end_of_the_connection_are_not_part_of_the_body() -> None:
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


def test_a_response_has_started_with_its_first_byte() -> None:
    for piece, started in ((b"", False), (b"H", True), (b"HTTP/1.1 100 Continue\r\n\r\n", True)):
        reader = ResponseReader("GET")
        reader.feed(piece)
        assert reader.started is started
        assert reader.status is None


def test_a_connection_that_ends_before_a_response_differs_from_one_that_ends_within_it() -> None:
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
