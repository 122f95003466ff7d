"""Extensions of chunks are those of RFC 9112, 7.1.1: whoever splits them differently could see another body."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from novaact_http._http.http1 import ProtocolError
from novaact_http.errors import TransportError
from tests.helpers.calls import CALL, OPTIONS
from tests.helpers.http1_readers import CHUNKED, read
from tests.helpers.servers import Server, answers

if TYPE_CHECKING:
    from tests.helpers.both_clients import Face

PAGE = b'{"sessionSummaries": []}'
WELL_FORMED = [
    b";a",
    b";a=b",
    b'; a = "b"',
    b'\t;\ta\t=\t"\xe9;=\\"\\\\"'[1:],
    b';a=""',
    b";a;b;c=d",
    b';a ;b="1" ; c',
    b";!#$%&'*+-.^_`|~0aZ=!#$%&'*+-.^_`|~0aZ",
    b";" + b"a" * 1_023,
]
MALFORMED = [b";", b"; ", b";;a", b";=b", b";a=", b';a="b', b';a=b"', b';"a"', b';a="b"c', b';a="\\"', b";a b", b";a "]


def page_with(extension: bytes) -> bytes:
    return CHUNKED + b"%x%b\r\n" % (len(PAGE), extension) + PAGE + b"\r\n0%b\r\n\r\n" % extension


def options(server: Server) -> dict[str, Any]:
    return OPTIONS | {"endpoint_url": f"http://127.0.0.1:{server.port}"}


@pytest.mark.parametrize("extension", WELL_FORMED)
def test_a_well_formed_extension_is_passed_over(face: Face, extension: bytes) -> None:
    with Server(answers(page_with(extension))) as server:
        assert face.page(options(server), **CALL).session_summaries == ()


@pytest.mark.parametrize("extension", MALFORMED)
def test_an_extension_without_a_name_or_with_an_open_quote_is_refused(lean_face: Face, extension: bytes) -> None:
    with (
        Server(answers(page_with(extension))) as server,
        pytest.raises(TransportError, match="bad extension of a chunk"),
    ):
        lean_face.page(options(server), **CALL)


@pytest.mark.parametrize("extension", WELL_FORMED)
def test_it_does_not_matter_how_an_extension_is_split(extension: bytes) -> None:
    data = page_with(extension)
    assert read(*[data[at : at + 1] for at in range(len(data))]).body == read(data).body == PAGE


@pytest.mark.parametrize("extension", [b";a" * 512 + b"!", b";a" + b" " * 1_000 + b"b", b';a="' + b"\\" * 1_000])
def test_a_long_bad_extension_is_refused_at_once(extension: bytes) -> None:
    began = time.process_time()
    with pytest.raises(ProtocolError):
        read(page_with(extension + b"("))
    assert time.process_time() - began < 0.5
