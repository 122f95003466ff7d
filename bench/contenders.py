"""The contenders, each set up as a good engineer would: one client that keeps enough connections open.

All get the same responses, trust the same CA bundle, use static credentials, and vary run id and token from call to
call. Each has its own process and imports only its own library, when it opens. The raw contenders are the floor: they
send the same prepared request each time and do not parse the response, so nothing can cost less.
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
import socket
import ssl
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from urllib.parse import quote, urlsplit

from bench.server import DELAY, LISTING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

REGION = "us-east-1"
NAME = "checkout-flow"
RUN_ID = "62e6e282-e5c1-457c-b8c3-a967b36711eb"
KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
HEADERS = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Target:
    """The URL of the server, the CA bundle to trust, and the number of concurrent calls."""

    url: str
    ca_bundle: str
    concurrency: int = 1


class Arguments(NamedTuple):
    """The arguments of a call."""

    run_id: str
    token: str
    sessions: int

    def path(self) -> str:
        """Return the path and query of the request."""
        token = quote(self.token, safe="")
        return f"/workflow-definitions/{NAME}/workflow-runs/{self.run_id}?maxResults={self.sessions}&nextToken={token}"


def varied_arguments(count: int, sessions: int) -> list[Arguments]:
    """Return `count` arguments that all differ."""
    rng = random.Random()
    return [
        Arguments(str(uuid.UUID(int=rng.getrandbits(128))), base64.b64encode(rng.randbytes(48)).decode(), sessions)
        for _ in range(count)
    ]


class Work(NamedTuple):
    """Another operation to call than ListSessions.

    Attributes:
        method: the operation, in snake_case.
        arguments: those besides the definition and the run, with names in snake_case.
        found: the member of the output that shows that it is the right one.
    """

    method: str
    arguments: dict[str, Any]
    found: str


STEP_SIZE = 1_000_000
WORKS = {
    "get": Work("get_workflow_run", {}, "workflow_run_id"),
    "create": Work("create_session", {}, "session_id"),
    "step": Work(
        "invoke_act_step",
        {
            "session_id": RUN_ID,
            "act_id": RUN_ID,
            "call_results": [{"call_id": "call-1", "content": [{"text": "x" * STEP_SIZE}]}],
        },
        "step_id",
    ),
}


def camel_case(value: Any) -> Any:
    """Return a value with the service's names, such as `callId`."""
    if isinstance(value, dict):
        return {_camel(name): camel_case(each) for name, each in value.items()}
    return [camel_case(each) for each in value] if isinstance(value, list) else value


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


class SyncContender(Protocol):
    """A blocking contender."""

    modules: tuple[str, ...]

    def __init__(self, target: Target) -> None: ...
    def open(self) -> None: ...
    def call(self, arguments: Arguments) -> Any: ...
    def count(self, page: Any) -> int: ...
    def close(self) -> None: ...


class AsyncContender(Protocol):
    """A contender for asyncio."""

    modules: tuple[str, ...]

    def __init__(self, target: Target) -> None: ...
    async def open(self) -> None: ...
    async def call(self, arguments: Arguments) -> Any: ...
    def count(self, page: Any) -> int: ...
    async def close(self) -> None: ...


class _Contender:
    modules: tuple[str, ...] = ()  # the imports at the top of an application that uses it
    _client: Any

    def keep(self, runs: Sequence[object]) -> Any:
        """Keep a page of a listing, as an application does that writes it to a database, and return its length."""
        time.sleep(DELAY)
        return len(runs)

    def __init__(self, target: Target) -> None:
        self._target = target


class _Json(_Contender):
    def count(self, page: Any) -> int:
        return len(page["sessionSummaries"])


class _Ours(_Contender):
    # The modules of the clients and of `Credentials`; importing the package alone imports none of them.
    modules = ("novaact_http._clients.blocking", "novaact_http._clients.asynchronous", "novaact_http.config")

    def options(self, credentials: object = None) -> dict[str, Any]:
        from novaact_http import Credentials

        return {
            "region": REGION,
            "endpoint_url": self._target.url,
            "credentials": credentials or Credentials(access_key_id=KEY, secret_access_key=SECRET),
            "verify": self._target.ca_bundle,
        }

    def count(self, page: Any) -> int:
        return len(page.session_summaries)

    def work(self, work: Work) -> Callable[[Arguments], Any]:
        """Return a function that does other work than `call`, and returns what shows that it was done."""
        method, given = getattr(self._client, work.method), dict(work.arguments)
        if "call_results" in given:
            from novaact_http.models import CallResult, CallResultContent

            given["call_results"] = [
                CallResult(call_id=each["call_id"], content=[CallResultContent(**part) for part in each["content"]])
                for each in given["call_results"]
            ]
        return lambda arguments: method(workflow_definition_name=NAME, workflow_run_id=arguments.run_id, **given)

    def found(self, output: Any, name: str) -> Any:
        """Return a member of an output."""
        return getattr(output, name)


class Ours(_Ours):
    """The library's `Client`."""

    def open(self) -> None:
        from novaact_http import Client

        self._client = Client(**self.options())

    def call(self, arguments: Arguments) -> Any:
        return self._client.list_sessions(
            workflow_definition_name=NAME,
            workflow_run_id=arguments.run_id,
            max_results=arguments.sessions,
            next_token=arguments.token,
        )

    def listing(self) -> int:
        pager = self._client.iter_workflow_runs(workflow_definition_name=LISTING, page_size=100)
        return sum(self.keep(page.workflow_run_summaries) for page in pager.pages())

    def close(self) -> None:
        self._client.close()


class _Async:
    async def keep(self, runs: Sequence[object]) -> int:
        await asyncio.sleep(DELAY)
        return len(runs)


class AsyncOurs(_Async, _Ours):
    """The library's `AsyncClient`; `credentials` takes the same values as the client."""

    prefetch = False

    def __init__(self, target: Target, credentials: object = None) -> None:
        super().__init__(target)
        self._credentials = credentials

    async def open(self) -> None:
        from novaact_http import AsyncClient

        self._client = AsyncClient(**self.options(self._credentials))

    async def call(self, arguments: Arguments) -> Any:
        return await self._client.list_sessions(
            workflow_definition_name=NAME,
            workflow_run_id=arguments.run_id,
            max_results=arguments.sessions,
            next_token=arguments.token,
        )

    async def listing(self) -> int:
        pager = self._client.iter_workflow_runs(workflow_definition_name=LISTING, page_size=100, prefetch=self.prefetch)
        return sum([await self.keep(page.workflow_run_summaries) async for page in pager.pages()])

    async def close(self) -> None:
        await self._client.aclose()


class Prefetching(AsyncOurs):
    """The library's `AsyncClient`, whose listings fetch the next page while this one is processed."""

    prefetch = True


class _Botocore(_Json):
    def options(self) -> dict[str, Any]:
        return {
            "region_name": REGION,
            "endpoint_url": self._target.url,
            "aws_access_key_id": KEY,
            "aws_secret_access_key": SECRET,
            "verify": self._target.ca_bundle,
        }

    def botocore_arguments(self, arguments: Arguments) -> dict[str, Any]:
        return {
            "workflowDefinitionName": NAME,
            "workflowRunId": arguments.run_id,
            "maxResults": arguments.sessions,
            "nextToken": arguments.token,
        }

    def paginate(self, client: Any) -> Any:
        return client.get_paginator("list_workflow_runs").paginate(
            workflowDefinitionName=LISTING, PaginationConfig={"PageSize": 100}
        )

    def work(self, work: Work) -> Callable[[Arguments], Any]:
        """See `_Ours.work`."""
        method, given = getattr(self._client, work.method), camel_case(work.arguments)
        return lambda arguments: method(workflowDefinitionName=NAME, workflowRunId=arguments.run_id, **given)

    def found(self, output: Any, name: str) -> Any:
        """See `_Ours.found`."""
        return output[_camel(name)]


class Boto3(_Botocore):
    """boto3's client, made by the default session."""

    modules = ("boto3", "botocore.config")

    def open(self) -> None:
        import boto3
        from botocore.config import Config

        config = Config(max_pool_connections=self._target.concurrency, retries={"mode": "standard"})
        self._client = boto3.client("nova-act", config=config, **self.options())

    def call(self, arguments: Arguments) -> Any:
        return self._client.list_sessions(**self.botocore_arguments(arguments))

    def listing(self) -> int:
        return sum(self.keep(page["workflowRunSummaries"]) for page in self.paginate(self._client))

    def close(self) -> None:
        self._client.close()


class Aiobotocore(_Async, _Botocore):
    """aiobotocore's client; one session makes all clients."""

    modules = ("aiobotocore.session", "aiobotocore.config")
    _session: Any = None

    async def open(self) -> None:
        from aiobotocore.config import AioConfig
        from aiobotocore.session import get_session

        if Aiobotocore._session is None:
            Aiobotocore._session = get_session()
        config = AioConfig(
            max_pool_connections=max(self._target.concurrency, 10),
            retries={"mode": "standard"},
            connector_args={"keepalive_timeout": 60},
        )
        self._context = Aiobotocore._session.create_client("nova-act", config=config, **self.options())
        self._client = await self._context.__aenter__()

    async def call(self, arguments: Arguments) -> Any:
        return await self._client.list_sessions(**self.botocore_arguments(arguments))

    async def listing(self) -> int:
        return sum([await self.keep(page["workflowRunSummaries"]) async for page in self.paginate(self._client)])

    async def close(self) -> None:
        await self._context.__aexit__(None, None, None)


class _Capo(_Contender):
    modules = ("capo_nova_act",)

    def options(self) -> dict[str, Any]:
        from capo_nova_act import Credentials

        return {
            "region": REGION,
            "endpoint": self._target.url,
            "credentials": Credentials(access_key=KEY, secret_key=SECRET),
        }

    def limits(self) -> Any:
        most = max(self._target.concurrency, 10)
        return {"max_connections_per_host": most, "max_idle_connections_per_host": most, "max_idle_seconds": 60}

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._target.ca_bundle)

    def count(self, page: Any) -> int:
        return len(page["session_summaries"])

    def work(self, work: Work) -> Callable[[Arguments], Any]:
        """See `_Ours.work`."""
        method = getattr(self._client, work.method)
        return lambda arguments: method(NAME, arguments.run_id, **work.arguments)

    def found(self, output: Any, name: str) -> Any:
        """See `_Ours.found`."""
        return output[name]

    def call(self, arguments: Arguments) -> Any:
        return self._client.list_sessions(
            NAME, arguments.run_id, max_results=arguments.sessions, next_token=arguments.token
        )


class Capo(_Capo):
    """capo-nova-act's client, with TCP_NODELAY, without which each call waits 40 ms."""

    def open(self) -> None:
        from capo_nova_act import NovaActClient
        from zapros import StdNetworkHandler, SyncTransport

        class Transport(SyncTransport):  # type: ignore[misc]  # it is not installed where types are checked
            def connect(self, *args: Any, **options: Any) -> Any:
                stream = super().connect(*args, **options)
                stream.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return stream

        self._handler = StdNetworkHandler(transport=Transport(ssl_context=self.trust()), http1=self.limits())
        self._client = NovaActClient(http_handler=self._handler, **self.options())

    def close(self) -> None:
        self._handler.close()


class AsyncCapo(_Capo):
    """capo-nova-act's asynchronous client."""

    async def open(self) -> None:
        from capo_nova_act import AsyncNovaActClient
        from zapros import AsyncIOTransport, AsyncStdNetworkHandler

        self._handler = AsyncStdNetworkHandler(
            transport=AsyncIOTransport(ssl_context=self.trust()), http1=self.limits()
        )
        self._client = AsyncNovaActClient(http_handler=self._handler, **self.options())

    async def close(self) -> None:
        await self._handler.aclose()


class ThreadedBoto3(Boto3):
    """boto3 used from asyncio, each call on a thread; for the heartbeat."""

    async def open(self) -> None:  # type: ignore[override]
        await asyncio.to_thread(super().open)

    async def call(self, arguments: Arguments) -> Any:
        return await asyncio.to_thread(super().call, arguments)

    async def close(self) -> None:  # type: ignore[override]
        await asyncio.to_thread(super().close)


class Httpx(_Json):
    """`httpx.Client`, with an unsigned POST and `json.loads`."""

    modules = ("httpx",)

    def open(self) -> None:
        import httpx

        self._client = httpx.Client(verify=ssl.create_default_context(cafile=self._target.ca_bundle))

    def call(self, arguments: Arguments) -> Any:
        response = self._client.post(self._target.url + arguments.path(), headers=HEADERS, content=b"{}")
        return json.loads(response.content)

    def close(self) -> None:
        self._client.close()


class AsyncHttpx(_Json):
    """`httpx.AsyncClient`, with an unsigned POST and `json.loads`."""

    modules = ("httpx",)

    async def open(self) -> None:
        import httpx

        self._client = httpx.AsyncClient(
            verify=ssl.create_default_context(cafile=self._target.ca_bundle),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=60),
        )

    async def call(self, arguments: Arguments) -> Any:
        response = await self._client.post(self._target.url + arguments.path(), headers=HEADERS, content=b"{}")
        return json.loads(response.content)

    async def close(self) -> None:
        await self._client.aclose()


class Aiohttp(_Json):
    """aiohttp, with an unsigned POST and `json.loads`."""

    modules = ("aiohttp",)

    async def open(self) -> None:
        import aiohttp

        connector = aiohttp.TCPConnector(
            limit=0, keepalive_timeout=60, ssl=ssl.create_default_context(cafile=self._target.ca_bundle)
        )
        self._session = aiohttp.ClientSession(connector=connector)

    async def call(self, arguments: Arguments) -> Any:
        async with self._session.post(self._target.url + arguments.path(), headers=HEADERS, data=b"{}") as response:
            return json.loads(await response.read())

    async def close(self) -> None:
        await self._session.close()


class _Raw(_Contender):
    def connect(self) -> None:
        url = urlsplit(self._target.url)
        self.host, self.port = url.hostname or "", url.port or 0
        self.tls = ssl.create_default_context(cafile=self._target.ca_bundle)
        self.requests = {sessions: self._request(url.netloc, sessions) for sessions in (1, 100)}

    def _request(self, host: str, sessions: int) -> bytes:
        path = Arguments(RUN_ID, "token", sessions).path()
        return (
            f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}"
        ).encode()

    def count(self, page: bytes) -> int:
        return len(json.loads(page.partition(b"\r\n\r\n")[2])["sessionSummaries"])


def _response_length(response: bytes) -> int:
    """Return the length of a response, from its head."""
    head, _, _ = response.partition(b"\r\n\r\n")
    return len(head) + 4 + int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])


class Raw(_Raw):
    """A blocking TLS socket: the least that a client in Python costs."""

    def open(self) -> None:
        self.connect()
        plain = socket.create_connection((self.host, self.port))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = self.tls.wrap_socket(plain, server_hostname=self.host)
        self._lengths: dict[int, int] = {}

    def call(self, arguments: Arguments) -> bytes:
        receive = self._socket.recv
        self._socket.sendall(self.requests[arguments.sessions])
        received = receive(65536)
        if arguments.sessions not in self._lengths:
            self._lengths[arguments.sessions] = _response_length(received)
        while len(received) < self._lengths[arguments.sessions]:
            received += receive(65536)
        return received

    def close(self) -> None:
        self._socket.close()


class _RawConnection(asyncio.Protocol):
    def __init__(self) -> None:
        self._lengths: dict[int, int] = {}

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def send(self, request: bytes, sessions: int) -> asyncio.Future[bytes]:
        self._received = b""
        self._sessions = sessions
        self._response = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self._response

    def data_received(self, data: bytes) -> None:
        received = self._received = self._received + data
        if self._sessions not in self._lengths:
            self._lengths[self._sessions] = _response_length(received)
        if len(received) >= self._lengths[self._sessions]:
            self._response.set_result(received)


class AsyncRaw(_Raw):
    """A bare `asyncio.Protocol`: the least that a client on asyncio costs."""

    async def open(self) -> None:
        self.connect()
        self._idle: list[_RawConnection] = []

    async def call(self, arguments: Arguments) -> bytes:
        connection = self._idle.pop() if self._idle else await self._connect()
        page = await connection.send(self.requests[arguments.sessions], arguments.sessions)
        self._idle.append(connection)
        return page

    async def _connect(self) -> _RawConnection:
        loop = asyncio.get_running_loop()
        return (await loop.create_connection(_RawConnection, self.host, self.port, ssl=self.tls))[1]

    async def close(self) -> None:
        for connection in self._idle:
            connection.transport.close()


SYNC: dict[str, type[Any]] = {"ours": Ours, "boto3": Boto3, "capo": Capo, "httpx": Httpx, "raw": Raw}
ASYNC: dict[str, type[Any]] = {
    "ours": AsyncOurs,
    "prefetching": Prefetching,
    "aiobotocore": Aiobotocore,
    "capo": AsyncCapo,
    "aiohttp": Aiohttp,
    "httpx": AsyncHttpx,
    "raw": AsyncRaw,
    "boto3 on threads": ThreadedBoto3,
}
