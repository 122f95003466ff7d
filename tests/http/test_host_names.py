"""Who gets the host's name in which form: what replaces CPython's resolver or TLS gets text, as is documented."""

from __future__ import annotations

import asyncio
import functools
import socket
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from novaact_http import AsyncClient
from novaact_http.testing import LocalService
from tests.helpers.calls import call_for, options_for
from tests.helpers.platforms import needs_own_async_connections
from tests.helpers.programs import run_python

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.helpers.both_clients import Face

LOOK_UP = socket.getaddrinfo
Replacement = Callable[[list[object]], Callable[..., Any]]


@pytest.fixture(scope="module")
def secure() -> Iterator[LocalService]:
    with LocalService(tls=True) as running:
        yield running


def over_tls(service: LocalService) -> dict[str, Any]:
    """Return the options of a client that has a name to look up and to verify."""
    return {**options_for(service), "endpoint_url": service.url.replace("127.0.0.1", "localhost")}


def plain(got: list[object]) -> Callable[..., Any]:
    def getaddrinfo(host: object, *arguments: Any, **options: Any) -> Any:
        got.append(host)
        return LOOK_UP("127.0.0.1", *arguments, **options)

    return getaddrinfo


def wrapping(got: list[object]) -> Callable[..., Any]:
    return functools.wraps(LOOK_UP)(plain(got))


def partially(got: list[object]) -> Callable[..., Any]:
    return functools.partial(plain(got))


class Proxy:
    """Has all attributes of what it wraps, as the proxies of wrapt, which instrumentation uses."""

    def __init__(self, wrapped: Any, function: Callable[..., Any]) -> None:
        self._wrapped = wrapped
        self._function = function

    def __getattr__(self, name: str) -> Any:
        return getattr(self._wrapped, name)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return self._function(*arguments, **options)


def proxying(got: list[object]) -> Callable[..., Any]:
    return Proxy(LOOK_UP, plain(got))


@pytest.mark.parametrize("replacement", [plain, wrapping, partially, proxying])
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "xn--bcher-kva.example"])
def test_what_replaces_the_resolver_gets_text(
    lean_face: Face, service: LocalService, monkeypatch: pytest.MonkeyPatch, replacement: Replacement, host: str
) -> None:
    got: list[object] = []
    monkeypatch.setattr(socket, "getaddrinfo", replacement(got))
    options = {**options_for(service), "endpoint_url": service.url.replace("127.0.0.1", host)}
    with pytest.MonkeyPatch.context() as quiet:
        quiet.setattr("warnings.warn", lambda *_, **__: None)  # about plain HTTP to a host that is not loopback
        lean_face.page(options, **call_for(service.runs[0]))
    assert got == [host]


@needs_own_async_connections
def test_an_event_loop_with_a_resolver_of_its_own_gives_it_text(service: LocalService) -> None:
    got: list[object] = []

    class Loop(asyncio.SelectorEventLoop):
        async def getaddrinfo(self, host: Any, *arguments: Any, **options: Any) -> Any:
            got.append(host)
            return LOOK_UP("127.0.0.1", *arguments, **options)

    async def run() -> None:
        options = {**options_for(service), "endpoint_url": service.url.replace("127.0.0.1", "localhost")}
        async with AsyncClient(**options) as client:
            await client.list_sessions(**call_for(service.runs[0]))

    loop = Loop()
    try:
        loop.run_until_complete(run())
    finally:
        loop.close()
    assert got == ["localhost"]


class Delegating(ssl.SSLContext):
    """Wraps sockets itself, as the contexts of gevent and truststore do, and takes no bytes, as theirs."""

    def wrap_socket(self, *arguments: Any, **options: Any) -> ssl.SSLSocket:
        options["server_hostname"].encode("ascii")
        return super().wrap_socket(*arguments, **options)


class Derived(ssl.SSLContext):
    """Changes something that we do not know."""


@pytest.mark.parametrize("kind", [Delegating, Derived])
def test_a_context_of_another_type_gets_text(
    lean_face: Face, secure: LocalService, monkeypatch: pytest.MonkeyPatch, kind: type[ssl.SSLContext]
) -> None:
    got: list[object] = []
    watch_names(monkeypatch, got)
    context = kind(ssl.PROTOCOL_TLS_CLIENT)
    assert secure.ca_file is not None
    context.load_verify_locations(secure.ca_file)
    lean_face.page({**over_tls(secure), "verify": context}, **call_for(secure.runs[0]))
    assert got == ["localhost"]


def watch_names(monkeypatch: pytest.MonkeyPatch, got: list[object]) -> None:
    """Record the names that `ssl.SSLContext` is given, without replacing what is ours to recognise."""
    encode = ssl.SSLContext._encode_hostname  # type: ignore[attr-defined]

    def record(self: ssl.SSLContext, name: object) -> object:
        if name is not None:  # the server's own sockets have none
            got.append(name)
        return encode(self, name)

    monkeypatch.setattr(ssl.SSLContext, "_encode_hostname", record)


def test_what_replaces_a_method_of_the_context_gets_text(
    lean_face: Face, secure: LocalService, monkeypatch: pytest.MonkeyPatch
) -> None:
    got: list[object] = []
    original = ssl.SSLContext.wrap_socket

    @functools.wraps(original)
    def wrap_socket(self: ssl.SSLContext, *arguments: Any, **options: Any) -> ssl.SSLSocket:
        if not options.get("server_side"):
            got.append(options["server_hostname"])
        return original(self, *arguments, **options)

    monkeypatch.setattr(ssl.SSLContext, "wrap_socket", wrap_socket)
    lean_face.page({**over_tls(secure), "verify": secure.ca_file}, **call_for(secure.runs[0]))
    assert got == ["localhost"]


def test_cpythons_own_gets_what_needs_no_codec(secure: LocalService) -> None:
    code = """
        import asyncio, sys
        from novaact_http import AsyncClient, Client, Credentials

        url, bundle, name, run, key_id, secret = sys.argv[1:]
        keys = Credentials(access_key_id=key_id, secret_access_key=secret)
        options = dict(region="us-east-1", credentials=keys, endpoint_url=url, verify=bundle)
        call = dict(workflow_definition_name=name, workflow_run_id=run)

        async def ask():
            async with AsyncClient(**options) as client:
                await client.list_sessions(**call)

        Client(**options).list_sessions(**call)
        asyncio.run(ask())
        print("encodings.idna" in sys.modules)
    """
    run, keys, options = secure.runs[0], secure.credentials, over_tls(secure)
    told = (options["endpoint_url"], secure.ca_file or "", run.workflow_definition_name, run.workflow_run_id)
    done = run_python("-c", code, *told, keys.access_key_id, keys.secret_access_key)
    assert done.stdout == "False\n"
