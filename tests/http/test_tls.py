"""Both pools over TLS, with certificates that the tests make."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from novaact_http._http import tls as tls_contexts
from novaact_http.errors import TransportError, TransportTimeout
from tests.helpers.answers import page_body
from tests.helpers.calls import CALL, KEYS, OPTIONS
from tests.helpers.pool_drivers import (
    AsyncDriver,
    Driver,
    MakeDriver,
    bodies,
    uvloop_driver,
    wait_for_news,
)
from tests.helpers.programs import run_python
from tests.helpers.servers import (
    BIG,
    OK,
    Peer,
    Server,
    always,
    answers,
    answers_and_resets,
    answers_early,
    echo,
    endpoint,
    http_response,
    never,
    request_to,
    serve,
    server_context,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from novaact_http._call.http_messages import Endpoint
    from tests.helpers.both_clients import Face

VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


@pytest.fixture(scope="module")
def certificate(ca: trustme.CA) -> trustme.LeafCert:
    return ca.issue_cert("localhost", "127.0.0.1")


@pytest.fixture
def tls(certificate: trustme.LeafCert) -> ssl.SSLContext:
    return server_context(certificate)


@pytest.fixture
def driver(make_driver: MakeDriver, bundle: str) -> Driver:
    return make_driver(tls_contexts.provider(bundle, scheme="https"))


def ssl_socket(server: Server, number: int = 0) -> ssl.SSLSocket:
    made = server.peers[number].socket
    assert isinstance(made, ssl.SSLSocket)
    return made


# Handshakes.


@pytest.mark.parametrize(("host", "told"), [("localhost", "localhost"), ("127.0.0.1", None)])
def test_the_host_is_verified_and_sent_as_sni_unless_it_is_an_address(
    driver: Driver, tls: ssl.SSLContext, host: str, told: str | None
) -> None:
    names: list[str | None] = []
    tls.sni_callback = lambda _, name, __: names.append(name)
    with Server(serve, tls=tls) as server:
        for _ in range(2):
            assert driver.send(request_to(server.endpoint(host))).body == b"ok"
        assert names == [told]
        assert server.accepted == 1


@pytest.mark.parametrize("stock", [False, True])
def test_a_dot_at_the_end_of_a_host_is_used_for_dns_only(
    face: Face, stock: bool, tls: ssl.SSLContext, bundle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up, looked_up = socket.getaddrinfo, set[str]()

    def local(host: Any, *arguments: Any, **options: Any) -> Any:
        looked_up.add(host if isinstance(host, str) else host.decode())
        return look_up("127.0.0.1", *arguments, **options)

    heads: list[bytes] = []

    def script(peer: Peer) -> None:
        heads.append(peer.socket.recv(65_536))
        peer.send(http_response(page_body()))

    names: list[str | None] = []
    tls.sni_callback = lambda _, name, __: names.append(name)
    monkeypatch.setattr(socket, "getaddrinfo", local)
    with Server(script, tls=tls) as server:
        options = {**OPTIONS, "endpoint_url": f"https://localhost.:{server.port}", "verify": bundle}
        if stock:
            options["transport"] = face.stock_transport(verify=ssl.create_default_context(cafile=bundle))
        assert face.page(options, **CALL).session_summaries == ()
    assert looked_up == {"localhost."}
    assert names == ["localhost"]
    (head,) = heads
    assert b"\r\nHost: localhost:%d\r\n" % server.port in head


def test_alpn_offers_http_1_1(driver: Driver, tls: ssl.SSLContext) -> None:
    spoken: list[str | None] = []

    def script(peer: Peer) -> None:
        assert isinstance(peer.socket, ssl.SSLSocket)
        spoken.append(peer.socket.selected_alpn_protocol())
        serve(peer)

    with Server(script, tls=tls) as server:
        driver.send(request_to(server))
        assert spoken == ["http/1.1"]


def test_a_context_of_the_users_is_used_as_it_is(make_driver: MakeDriver, tls: ssl.SSLContext) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    spoken: list[Any] = []

    def script(peer: Peer) -> None:
        assert isinstance(peer.socket, ssl.SSLSocket)
        spoken.append(peer.socket.selected_alpn_protocol())
        serve(peer)

    driver = make_driver(tls_contexts.provider(context, scheme="https"))
    with Server(script, tls=tls) as server:
        assert driver.send(request_to(server)).body == b"ok"
        assert spoken == [None]


def issued_to_another_host(ca: trustme.CA) -> trustme.LeafCert:
    return ca.issue_cert("other.example")


def expired(ca: trustme.CA) -> trustme.LeafCert:
    now = dt.datetime.now(dt.timezone.utc)
    return ca.issue_cert("127.0.0.1", not_before=now - dt.timedelta(days=2), not_after=now - dt.timedelta(days=1))


def issued_by_nobody_we_know(_: trustme.CA) -> trustme.LeafCert:
    return trustme.CA().issue_cert("127.0.0.1")


@pytest.mark.parametrize(
    ("issue", "why"),
    [
        (issued_to_another_host, "IP address mismatch"),
        (expired, "certificate has expired"),
        (issued_by_nobody_we_know, "unable to get local issuer certificate"),
    ],
)
def test_a_certificate_that_cannot_be_verified_is_an_error(
    driver: Driver, ca: trustme.CA, issue: Callable[[trustme.CA], trustme.LeafCert], why: str
) -> None:
    with Server(serve, tls=server_context(issue(ca))) as server:
        with pytest.raises(TransportError, match=f"SSLCertVerificationError.*{why}") as caught:
            driver.send(request_to(server, repeatable=True))
        assert type(caught.value) is TransportError
        assert not caught.value.request_sent
        assert isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)
        assert driver.connections.count == 0
        assert server.requests == []


def test_a_certificate_of_another_name_is_an_error(driver: Driver, ca: trustme.CA) -> None:
    with Server(serve, tls=server_context(issued_to_another_host(ca))) as server:
        with pytest.raises(TransportError, match="Hostname mismatch") as caught:
            driver.send(request_to(server.endpoint("localhost")))
        assert not caught.value.request_sent


def over_tls(server: Server) -> Endpoint:
    """Return the endpoint of a server that does not speak TLS, with https."""
    return endpoint("127.0.0.1", server.port, "https")


def test_a_peer_that_speaks_plain_http_is_an_error(driver: Driver) -> None:
    def script(peer: Peer) -> None:
        peer.socket.recv(1)
        peer.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        peer.stall()

    with Server(script) as server:
        with pytest.raises(TransportError, match="SSLError") as caught:
            driver.send(request_to(over_tls(server)))
        assert not caught.value.request_sent
        server.wait_for_end()


@pytest.mark.parametrize("resets", [False, True])
def test_a_failed_handshake_is_an_error(driver: Driver, resets: bool) -> None:
    def script(peer: Peer) -> None:
        peer.socket.recv(1_000)
        if resets:
            peer.reset()

    with Server(script) as server:
        with pytest.raises(TransportError, match=r"SSL|ConnectionReset|Connection reset") as caught:
            driver.send(request_to(over_tls(server)))
        assert not caught.value.request_sent
        assert driver.connections.count == 0


def test_the_connect_timeout_covers_the_handshake(driver: Driver) -> None:
    with Server(never) as server:
        with pytest.raises(TransportTimeout, match="connecting took too long") as caught:
            driver.send(request_to(over_tls(server), connect=0.2))
        assert not caught.value.request_sent
        server.wait_for_end()


def test_a_context_that_refuses_the_host_closes_the_connection(make_driver: MakeDriver) -> None:
    class Refuses(ssl.SSLContext):
        def wrap_socket(self, *_: Any, **__: Any) -> Any:
            raise ValueError("check_hostname requires server_hostname")

    driver = make_driver(lambda: Refuses(ssl.PROTOCOL_TLS_CLIENT))
    with Server(never) as server:
        with pytest.raises(ValueError, match="check_hostname"):
            driver.send(request_to(over_tls(server)))
        server.wait_for_end()
        assert driver.connections.count == 0


# Sending and receiving.


@pytest.mark.parametrize("version", VERSIONS, ids=["1.2", "1.3"])
def test_large_bodies_are_sent_and_received(
    driver: Driver, certificate: trustme.LeafCert, version: ssl.TLSVersion
) -> None:
    def script(peer: Peer) -> None:
        time.sleep(0.02)  # long enough to fill the buffers
        echo(peer)

    with Server(script, tls=server_context(certificate, version)) as server:
        for body in (BIG, b"", b"x"):
            assert driver.send(request_to(server, body=body)).body == b"/" + body
            driver.turn()
        assert ssl_socket(server).version() == version.name.replace("_", ".")
        assert server.accepted == 1


def test_a_response_that_comes_before_the_request_was_sent_whole_counts_over_tls(
    make_driver: MakeDriver, tls: ssl.SSLContext, bundle: str
) -> None:
    driver = make_driver(tls_contexts.provider(bundle, scheme="https"))
    with Server(answers_early(http_response(b"", status=b"413 Too Large")), tls=tls) as server:
        assert driver.send(request_to(server, body=BIG)).status == 413
        assert driver.connections.count == 0


def use_each_connection_once(driver: Driver, server: Server, count: int, turns: int) -> None:
    """Send this number of requests, and check that each went over a new connection."""
    for number in range(1, count + 1):
        assert driver.send(request_to(server)).body == b"ok"
        assert server.accepted == number
        if number < count:
            wait_for_news(driver, turns)


@pytest.mark.parametrize("turns", [0, 1])
def test_a_tls_connection_that_was_closed_while_idle_is_not_used(
    driver: Driver, tls: ssl.SSLContext, turns: int
) -> None:
    def says_goodbye(peer: Peer) -> None:
        answers(OK)(peer)
        assert isinstance(peer.socket, ssl.SSLSocket)
        peer.socket.settimeout(0.0)
        with contextlib.suppress(ssl.SSLWantReadError):
            peer.socket.unwrap()
        peer.socket.settimeout(None)

    with Server(answers(OK), says_goodbye, serve, tls=tls) as server:
        use_each_connection_once(driver, server, 3, turns)


@pytest.mark.parametrize("turns", [0, 1])
def test_a_tls_connection_that_was_reset_or_got_data_while_idle_is_not_used(
    driver: Driver, tls: ssl.SSLContext, turns: int
) -> None:
    def talks(peer: Peer) -> None:
        answers(OK)(peer)
        peer.send(OK)
        peer.stall()

    def garbles(peer: Peer) -> None:
        answers(OK)(peer)
        os.write(peer.socket.fileno(), b"HTTP/1.1 408 Request Timeout\r\n\r\n")
        peer.stall()

    with Server(answers_and_resets(OK), talks, garbles, serve, tls=tls) as server:
        use_each_connection_once(driver, server, 4, turns)


@pytest.mark.parametrize("says_goodbye", [False, True])
def test_a_response_without_a_length_ends_with_close_notify_and_not_with_the_connection(
    driver: Driver, tls: ssl.SSLContext, says_goodbye: bool
) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\nso much")
        assert isinstance(peer.socket, ssl.SSLSocket)
        if says_goodbye:
            with contextlib.suppress(OSError):
                peer.socket.unwrap()

    with Server(script, tls=tls) as server:
        if says_goodbye:
            assert driver.send(request_to(server)).body == b"so much"
        else:  # or an attacker who cuts the connection could decide where the response ends
            with pytest.raises(TransportError, match=r"EOF occurred|UNEXPECTED_EOF") as caught:
                driver.send(request_to(server))
            assert caught.value.request_sent
        assert driver.connections.count == 0


def test_a_request_over_a_used_tls_connection_that_had_ended_is_sent_again(driver: Driver, tls: ssl.SSLContext) -> None:
    with Server(answers(OK, b""), serve, tls=tls) as server:
        driver.send(request_to(server))
        assert driver.send(request_to(server, repeatable=True)).body == b"ok"
        assert server.accepted == 2


def test_the_read_timeout_holds_over_tls(driver: Driver, tls: ssl.SSLContext) -> None:
    with Server(never, tls=tls) as server:
        with pytest.raises(TransportTimeout) as caught:
            driver.send(request_to(server, read=0.02))
        assert caught.value.request_sent


@pytest.mark.skipif(shutil.which("openssl") is None, reason="Python's servers cannot send messages of TLS alone")
@pytest.mark.parametrize("turns", [0, 1])
def test_a_connection_that_got_only_tls_messages_while_idle_is_used(
    driver: Driver, certificate: trustme.LeafCert, tmp_path: Path, turns: int
) -> None:
    pem = tmp_path / "server.pem"
    certificate.private_key_and_cert_chain_pem.write_to_path(str(pem))
    command = ["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", str(pem), "-tls1_3", "-naccept", "1"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0
    ) as process:
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            seen = b""
            while b"ACCEPT 127.0.0.1:" not in seen or not seen.endswith(b"\n"):
                seen += process.stdout.read(1)
            port = int(seen.rpartition(b":")[2])

            def answer(target: bytes) -> None:
                assert process.stdin is not None
                assert process.stdout is not None
                seen = b""
                while target not in seen:
                    seen += process.stdout.read(1)
                process.stdin.write(OK)

            for target in ("/first", "/second"):
                answering = threading.Thread(target=answer, args=(target.encode(),))
                answering.start()
                assert driver.send(request_to(endpoint("127.0.0.1", port, "https"), target)).body == b"ok"
                answering.join()
                process.stdin.write(b"K\n")  # new keys, which come like a session ticket
                wait_for_news(driver, turns)
            # A second connection would have been refused.
        finally:
            process.kill()


@pytest.mark.parametrize("make", [AsyncDriver, uvloop_driver])
def test_many_calls_are_made_at_once(make: Callable[..., AsyncDriver], tls: ssl.SSLContext, bundle: str) -> None:
    if make is uvloop_driver:
        pytest.importorskip("uvloop")
    driver = make(tls_contexts.provider(bundle, scheme="https"), max_connections=10)
    with Server(echo, tls=tls) as server:
        targets = [f"/{number}" for number in range(50)]
        got = driver.together([request_to(server, target) for target in targets])
        assert bodies(got) == [target.encode() for target in targets]
        assert server.accepted <= 10
        driver.end()


# In a separate process.

PRELUDE = f"""
    import asyncio, os, sys, threading
    from novaact_http import AsyncClient, Client, Credentials, models

    url, bundle = sys.argv[1:]
    keys = Credentials(access_key_id={KEYS.access_key_id!r}, secret_access_key={KEYS.secret_access_key!r})
    options = dict(region="us-east-1", credentials=keys, endpoint_url=url, verify=bundle)
    call = dict(workflow_definition_name="a", workflow_run_id="01234567-89ab-4cde-8f01-23456789abcd")
"""
PAGE = http_response(page_body())


def printed_by(code: str, server: Server, bundle: str, host: str = "127.0.0.1") -> str:
    """Run a program that may use the names of `PRELUDE`, and return what it printed."""
    where = server.endpoint(host)
    script = dedent(PRELUDE) + dedent(code)
    done = run_python("-W", "ignore::DeprecationWarning", "-c", script, f"{where.scheme}://{where.authority}", bundle)
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_no_file_is_opened_on_the_event_loops_thread(tls: ssl.SSLContext, bundle: str, host: str) -> None:
    code = """
        opened, watched = [], None

        def hook(event, arguments):
            if event == "open" and threading.get_ident() == watched:
                opened.append(arguments[0])

        async def run():
            global watched
            # From the first call to the last, no file at all may be opened, if the models are imported before.
            watched = threading.get_ident()
            for _ in range(2):
                await client.list_sessions(**call)
            await client.aclose()
            watched = None

        models.ListSessionsResponse
        client = AsyncClient(**options)
        sys.addaudithook(hook)
        open(os.devnull).close()
        asyncio.run(run())
        print(opened)
    """
    with Server(always(PAGE), tls=tls) as server:
        assert printed_by(code, server, bundle, host) == "[]\n"
        assert server.accepted == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.parametrize("over_tls", [False, True])
def test_a_forked_child_and_its_parent_each_use_their_own_connections(
    tls: ssl.SSLContext, bundle: str, over_tls: bool
) -> None:
    code = """
        client, other = Client(**options), AsyncClient(**options)
        loop = asyncio.new_event_loop()

        def both(loop):
            client.list_sessions(**call)
            loop.run_until_complete(other.list_sessions(**call))

        both(loop)
        child = os.fork()
        if child == 0:
            own = asyncio.new_event_loop()
            for _ in range(2):
                both(own)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        for _ in range(2):
            both(loop)
        client.close()
        loop.run_until_complete(other.aclose())
        loop.close()
        print("forked")
    """
    with Server(always(PAGE), tls=tls if over_tls else None) as server:
        assert printed_by(code, server, bundle) == "forked\n"
        assert server.accepted == 4
        assert len(server.requests) == 10
