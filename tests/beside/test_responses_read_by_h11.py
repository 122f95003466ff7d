"""Generated and then broken responses: h11 accepts all that our reader accepts, and reads the same."""

from __future__ import annotations

import itertools
import re

from hypothesis import example, given
from hypothesis import strategies as st

from novaact_http._http.http1 import ProtocolError
from tests.helpers.http1_readers import CHUNKED, OK, Read, by_h11, outcome, pieces_of, read
from tests.http.test_http1_malformed import DIFFERENCES, REFUSED_BY_BOTH

BASES = [*REFUSED_BY_BOTH.values(), *[data for examples, _, _ in DIFFERENCES.values() for data in examples]]

spaces = st.sampled_from(["", " ", "\t", "  \t "])
text = st.sampled_from('aZ0 \t,:;="()\\/\x01\x7f\x80\x85\xa0\xe9\xff')
texts = st.text(text, max_size=10).map(lambda value: value.strip(" \t"))
names = st.text(st.sampled_from("aZ0-_!~|"), min_size=1, max_size=6) | st.sampled_from(
    ["Date", "SERVER", "x-amzn-RequestId", "Keep-Alive", "Set-Cookie", "Upgrade", "Trailer"]
)
connections = st.sampled_from(["close", "Close", "keep-alive", "x, close", "close,", "closed", "", ",", "\xa0close"])
fields = st.builds("{}:{}{}{}\r\n".format, names, spaces, texts, spaces)
connection_fields = st.builds("Connection: {}\r\n".format, connections)
others = st.lists(fields | connection_fields, max_size=4)
reasons = st.sampled_from(["", " ", " OK", " Not \t Found ", " \xe9\x85"])
chunk_ends = st.sampled_from(["", "", ";a;b", ";a=b", ';a="\xe9\t"'])
bodies = st.lists(st.binary(min_size=1, max_size=30), max_size=4)


@st.composite
def responses(draw: st.DrawFn) -> tuple[bytes, str]:
    """Return a response that a strict service may send, and the method of its request."""
    head = "".join(
        f"HTTP/1.{draw(st.sampled_from('01'))} {draw(st.sampled_from([100, 102, 103, 199]))}{draw(reasons)}\r\n"
        f"{''.join(draw(others))}\r\n"
        for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2])))
    )
    version = draw(st.sampled_from(["1.0", "1.1", "1.1", "1.1"]))
    status = draw(st.sampled_from([200, 200, 201, 204, 304, 400, 503, 600, 999]))
    method = draw(st.sampled_from(["GET", "POST", "HEAD"]))
    framing = draw(st.sampled_from(["length", "chunked", "close"] if version == "1.1" else ["length", "close"]))
    pieces = draw(bodies)
    lines = draw(others)
    body = b"".join(pieces)
    if framing == "length":
        length = f"{draw(st.sampled_from(['', '0', '000']))}{len(body)}"
        form = draw(st.sampled_from(["Content-Length: {0}", "content-length:{0} ", "Content-Length: {0}, {0}"]))
        for _ in range(draw(st.sampled_from([1, 1, 1, 2]))):
            lines.insert(draw(st.integers(0, 5)), f"{form.format(length)}\r\n")
    elif framing == "chunked":
        coding = draw(st.sampled_from(["Transfer-Encoding: chunked", "transfer-encoding:Chunked\t"]))
        lines.insert(draw(st.integers(0, 5)), f"{coding}\r\n")
        size = draw(st.sampled_from(["{:x}", "{:X}", "{:05x}"]))
        chunks = [
            f"{size.format(len(piece))}{draw(chunk_ends)}\r\n".encode("latin-1") + piece + b"\r\n" for piece in pieces
        ]
        trailers = "".join(draw(st.lists(fields, max_size=2)))
        last = f"{draw(st.sampled_from(['0', '000']))}{draw(chunk_ends)}\r\n{trailers}"
        body = b"".join(chunks) + f"{last}\r\n".encode("latin-1")
    head += f"HTTP/{version} {status}{draw(reasons)}\r\n{''.join(lines)}\r\n"
    if method == "HEAD" or status in (204, 304):
        body = b""
    return head.encode("latin-1") + body, method


INTERESTING = [
    *(bytes([code]) for code in b"\r\n\0\v\f\x01\x1f\x7f\x80\xff \t:,;=0159afgHT/."),
    b"\r\n",
    b"\r\n\r\n",
    b"\n\n",
    b"\r\n ",
    b"0\r\n\r\n",
    b"close",
    b"Content-Length: 5\r\n",
    b"Content-Length: 0\r\n",
    b"Content-Length: 5, 5\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: gzip\r\n",
    b"Connection: close\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    b"HTTP/1.0 ",
    b"HTTP/2.0 ",
]


@st.composite
def broken(draw: st.DrawFn) -> tuple[bytes, str]:
    """Return a response with one or a few random changes."""
    data, method = draw(responses() | st.tuples(st.sampled_from(BASES), st.just("GET")))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data)))
        until = min(len(data), at + draw(st.integers(0, 20)))
        piece = draw(st.sampled_from(INTERESTING) | st.binary(max_size=2))
        line_ends = [match.end() for match in re.finditer(rb"\r\n", data)] or [0]
        line_end = draw(st.sampled_from(line_ends))
        line = data[data.rfind(b"\r\n", 0, max(line_end - 2, 0)) + 2 : line_end]
        data = draw(
            st.sampled_from(
                [
                    data[:at] + piece + data[at:],
                    data[:at] + piece + data[at + len(piece) :],
                    data[:line_end] + piece + data[line_end:],
                    data[: max(line_end - 2, 0)] + piece + data[line_end:],
                    data[: max(line_end - 2, 0)] + piece + data[max(line_end - 2, 0) :],
                    data[:at] + data[until:],
                    data[:at],
                    data[:at] + data[at:until].swapcase() + data[until:],
                    data[:at] + data[at:until] + data[at:],
                    data[:line_end] + line + data[line_end:],
                    data + data,
                ]
            )
        )
    return data, method


@given(responses())
def test_a_response_is_read_as_h11_reads_it(response: tuple[bytes, str]) -> None:
    data, method = response
    for eof in (False, True):
        answer = read(data, method=method, eof=eof)
        assert answer == by_h11(data, method, eof=eof)
        assert answer.status is not None
    assert read(data, method=method, eof=True).complete


@given(responses() | broken(), st.lists(st.integers(0, 400), max_size=6), st.booleans())
def test_a_response_is_read_the_same_in_any_pieces(response: tuple[bytes, str], cuts: list[int], eof: bool) -> None:
    data, method = response
    whole = outcome(data, method=method, eof=eof)
    at = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    assert outcome(*pieces_of(data, 1), method=method, eof=eof) == whole
    pieces = [data[start:end] for start, end in itertools.pairwise(at)]
    assert outcome(*pieces, method=method, eof=eof) == whole


@given(responses(), st.binary(min_size=1, max_size=20))
def test_what_follows_a_response_changes_nothing_in_it(response: tuple[bytes, str], rest: bytes) -> None:
    data, method = response
    clean = read(data, method=method)
    if clean.complete:
        expected: Read | None = clean._replace(keep_alive=False, leftovers=True)
    else:  # its body goes on until the connection ends
        expected = clean._replace(body=clean.body + rest)
    assert outcome(data + rest, method=method) == outcome(data, rest, method=method) == expected


@given(broken())
@example((CHUNKED + b"1\r\na\r\n0 \r\n\r\n", "GET"))
@example((OK + b"a: b\n\r\n\r\n", "GET"))
def test_a_broken_response_is_refused_or_read_as_h11_reads_it(response: tuple[bytes, str]) -> None:
    data, method = response
    # First while more could come, then with the end of the connection.
    ours, theirs = outcome(data, method=method), by_h11(data, method)
    assert ours in (None, theirs)
    theirs = by_h11(data, method, eof=True)
    try:
        assert read(data, method=method, eof=True) == theirs
    except ProtocolError as error:
        message = str(error)
        assert theirs is None or any(
            re.search(said, message) and re.search(trait, data) for _, said, trait in DIFFERENCES.values()
        ), message
