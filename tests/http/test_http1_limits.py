"""How large a response may be, and what reading it costs."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest

from novaact_http._http import http1
from novaact_http._http.http1 import LAST_CHUNK, ProtocolError, ResponseReader, encode_chunk
from tests.helpers.http1_readers import CHUNKED, OK, pieces_of, read

EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_heads_and_trailers_share_one_limit(size: int) -> None:
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
def test_a_head_without_an_end_is_refused_when_it_reaches_the_limit(before: bytes, size: int) -> None:
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
    """Counts the bytes that are searched and copied: the work of reading a head in pieces."""

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
def test_a_head_or_trailers_in_many_pieces_are_searched_only_a_few_times(size: int, start: bytes) -> None:
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
def test_no_part_of_a_body_is_kept_after_it_is_taken(head: bytes) -> None:
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


def test_field_names_are_cached_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = http1._Tokens()
    monkeypatch.setattr(http1, "_tokens", tokens)
    data = b"".join(b"Name-%d: x\r\n" % number for number in range(3_000))
    assert read(OK + data + b"\r\n").headers == tuple((f"name-{number}", "x") for number in range(3_000))
    assert len(tokens) == 1_000
    tokens.clear()
    for length in (64, 65):
        assert read(OK + b"N" * length + b": x\r\n\r\n").headers == (("n" * length, "x"),)
    assert list(tokens) == ["N" * 64]
