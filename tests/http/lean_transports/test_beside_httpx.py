"""Our transports in httpx's clients: requests and responses are as with httpx's own transports."""

from __future__ import annotations

import gzip
import ssl
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.helpers.httpx_clients import HttpxClient, Parts, compare_with_httpx, response_or_error, url_of
from tests.helpers.servers import (
    BIG,
    OK,
    Peer,
    Server,
    answers,
    echo,
    serve,
    server_context,
)

if TYPE_CHECKING:
    import trustme


RESPONSES = {
    "a body": OK,
    "a reason of its own": b"HTTP/1.1 418 I'm a teapot, really\r\nContent-Length: 0\r\n\r\n",
    "no reason": b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
    "204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "304": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n3\r\nay!\r\n0\r\n\r\n",
    "fields that repeat": b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n",
    "a field beyond ASCII": b"HTTP/1.1 200 OK\r\nX: \xe9\r\nContent-Length: 0\r\n\r\n",
    "informational ones before it": b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" + OK,
    "gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n" + gzip.compress(b"ok"),
    "nothing": b"",
    "half a head": OK[:25],
    "half a body": OK[:-1],
    "half a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nok",
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "a bad length": b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
}


@pytest.mark.parametrize("response", RESPONSES.values(), ids=RESPONSES)
def test_a_response_is_read_as_httpxs_transport_reads_it(asynchronous: bool, response: bytes) -> None:
    compare_with_httpx(asynchronous, answers(response))


def test_a_response_to_head_has_no_body(asynchronous: bool) -> None:
    assert compare_with_httpx(asynchronous, answers(OK[:-2]), "HEAD")[0][0] == 200


@pytest.mark.parametrize(
    "options",
    [
        {"content": b"hello"},
        {"content": Parts(b"he", b"", b"llo"), "headers": {"Content-Length": "5"}},
        {"content": BIG},
        {"json": {"a": [1, "é"]}},
        {"data": {"a": "b c"}},
        {"headers": {"X": "a\r\nHost: evil"}},
        {"headers": {"X Y": "a"}},
        {"headers": [("X", "1"), ("X", "é".encode("latin-1"))]},
    ],
    ids=lambda each: "+".join(map(str, each))[:30],
)
def test_a_request_is_sent_as_httpxs_transport_sends_it(asynchronous: bool, options: dict[str, Any]) -> None:
    compare_with_httpx(asynchronous, echo, "POST", **options)


@pytest.mark.parametrize("parts", [Parts(b"hel", b"lo, too long"), Parts(b"hell"), Parts()])
def test_a_request_body_that_differs_from_its_content_length_is_refused(client: HttpxClient, parts: Parts) -> None:
    with Server(echo) as server:  # httpx's own transport raises an error of h11 here
        found = response_or_error(client, "POST", url_of(server), content=parts, headers={"Content-Length": "5"})
        assert found is httpx.LocalProtocolError
        assert client.connections == 0


def test_a_body_of_unknown_length_is_sent_in_chunks(asynchronous: bool) -> None:
    received: list[bytes] = []

    def script(peer: Peer) -> None:
        data = b""
        while not data.endswith(b"0\r\n\r\n"):
            data += peer.socket.recv(65_536)
        received.append(data.partition(b"\r\n\r\n")[2])
        peer.send(OK)

    big = b"y" * 20_000
    compare_with_httpx(asynchronous, script, "POST", content=Parts(b"he", b"", big, b"llo"))
    theirs, ours = received
    assert ours == theirs == b"2\r\nhe\r\n4e20\r\n" + big + b"\r\n3\r\nllo\r\n0\r\n\r\n"


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/a", "unix:///a"])
def test_other_schemes_are_refused(client: HttpxClient, url: str) -> None:
    assert response_or_error(client, "GET", url) is httpx.UnsupportedProtocol


def test_httpx_follows_redirects(asynchronous: bool) -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n"
    ours, server = compare_with_httpx(asynchronous, answers(moved, OK), follow_redirects=True)
    assert ours[0] == 200
    assert [each.target for each in server.requests] == ["/a?b=c", "/b"]
    assert server.accepted == 1


def test_an_address_of_ipv6_is_connected_to(client: HttpxClient) -> None:
    try:
        server = Server(serve, host="::1")
    except OSError:  # pragma: no cover - not on this machine
        pytest.skip("there is no IPv6 here")
    with server:
        assert client.request("GET", url_of(server, host="[::1]")).status_code == 200


def test_certificates_are_checked_as_httpxs_transport_checks_them(
    asynchronous: bool, ca: trustme.CA, bundle: str
) -> None:
    for names, trusted, expected in (
        (("127.0.0.1", "localhost"), True, 200),
        (("elsewhere.example",), True, httpx.ConnectError),
        (("127.0.0.1",), False, httpx.ConnectError),
    ):
        found = []
        for lean in (True, False):
            context = ssl.create_default_context(cafile=bundle if trusted else None)
            with (
                Server(serve, tls=server_context(ca.issue_cert(*names))) as server,
                HttpxClient(asynchronous=asynchronous, lean=lean, verify=context) as client,
            ):
                found.append(response_or_error(client, "GET", url_of(server)))
        assert found[0] == found[1]
        assert (found[0] if isinstance(found[0], type) else found[0][0]) == expected
    with (
        Server(serve, tls=server_context(ca.issue_cert("127.0.0.1"))) as server,
        HttpxClient(asynchronous=asynchronous, verify=bundle) as client,
    ):
        assert client.request("GET", url_of(server)).status_code == 200
