"""Those that are measured, each set up as a good engineer would: one client, kept connections, enough of them.

What they have in common: the same answers, the same CA bundle, static credentials, a run id and a token that vary from
call to call, and no other library in their process, as each imports its own when it is opened. The raw floors alone
send the same prebuilt request again and again, and do not look at the response: nothing can cost less.
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
import socket
import ssl
import uuid
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote, urlsplit

from bench.server import LISTING

REGION = "us-east-1"
NAME = "checkout-flow"
RUN_ID = "62e6e282-e5c1-457c-b8c3-a967b36711eb"
KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
HEADERS = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Target:
    """Where the server is, whom to trust, and how many calls there will be at a time."""

    url: str
    ca_bundle: str
    concurrency: int = 1


class Arguments(NamedTuple):
    """What differs between calls."""

    run_id: str
    token: str
    sessions: int

    def path(self) -> str:
        """The path and query."""
        token = quote(self.token, safe="")
        return f"/workflow-definitions/{NAME}/workflow-runs/{self.run_id}?maxResults={self.sessions}&nextToken={token}"


def varied_arguments(count: int, sessions: int) -> list[Arguments]:
    """So many, all different."""
    rng = random.Random()
    return [
        Arguments(str(uuid.UUID(int=rng.getrandbits(128))), base64.b64encode(rng.randbytes(48)).decode(), sessions)
        for _ in range(count)
    ]


class SyncContender(Protocol):
    """One that blocks."""

    modules: tuple[str, ...]

    def __init__(self, target: Target) -> None: ...
    def open(self) -> None: ...
    def call(self, arguments: Arguments) -> Any: ...
    def count(self, page: Any) -> int: ...
    def close(self) -> None: ...


class AsyncContender(Protocol):
    """One for asyncio."""

    modules: tuple[str, ...]

    def __init__(self, target: Target) -> None: ...
    async def open(self) -> None: ...
    async def call(self, arguments: Arguments) -> Any: ...
    def count(self, page: Any) -> int: ...
    async def close(self) -> None: ...


class _Contender:
    modules: tuple[str, ...] = ()  # what an application that uses it imports at its top

    def __init__(self, target: Target) -> None:
        self._target = target


class _Json(_Contender):
    def count(self, page: Any) -> int:
        return len(page["sessionSummaries"])


class _Ours(_Contender):
    # Those that the clients and `Credentials` are imported from; the package alone imports nothing.
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
        pager = self._client.iter_sessions(workflow_definition_name=LISTING, workflow_run_id=RUN_ID, page_size=100)
        return sum(1 for _ in pager)

    def close(self) -> None:
        self._client.close()


class AsyncOurs(_Ours):
    """The library's `AsyncClient`; `credentials` are whatever it takes."""

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
        pager = self._client.iter_sessions(workflow_definition_name=LISTING, workflow_run_id=RUN_ID, page_size=100)
        return len([session async for session in pager])

    async def close(self) -> None:
        await self._client.aclose()


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
        return client.get_paginator("list_sessions").paginate(
            workflowDefinitionName=LISTING, workflowRunId=RUN_ID, PaginationConfig={"PageSize": 100}
        )


class Boto3(_Botocore):
    """boto3's client, of the default session."""

    modules = ("boto3", "botocore.config")

    def open(self) -> None:
        import boto3
        from botocore.config import Config

        config = Config(max_pool_connections=self._target.concurrency, retries={"mode": "standard"})
        self._client = boto3.client("nova-act", config=config, **self.options())

    def call(self, arguments: Arguments) -> Any:
        return self._client.list_sessions(**self.botocore_arguments(arguments))

    def listing(self) -> int:
        return sum(1 for page in self.paginate(self._client) for _ in page["sessionSummaries"])

    def close(self) -> None:
        self._client.close()


class Aiobotocore(_Botocore):
    """aiobotocore's client; all clients of one session."""

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
        return len([session async for page in self.paginate(self._client) for session in page["sessionSummaries"]])

    async def close(self) -> None:
        await self._context.__aexit__(None, None, None)


class ThreadedBoto3(Boto3):
    """boto3 from asyncio, each call on a thread; for the heartbeat."""

    async def open(self) -> None:  # type: ignore[override]
        await asyncio.to_thread(super().open)

    async def call(self, arguments: Arguments) -> Any:
        return await asyncio.to_thread(super().call, arguments)

    async def close(self) -> None:  # type: ignore[override]
        await asyncio.to_thread(super().close)


class Httpx(_Json):
    """`httpx.Client`, an unsigned POST and `json.loads`."""

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
    """`httpx.AsyncClient`, the same."""

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
    """aiohttp, the same."""

    modules = ("aiohttp",)

    library = "aiohttp"

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
    """The length of the response that starts like this."""
    head, _, _ = response.partition(b"\r\n\r\n")
    return len(head) + 4 + int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])


class Raw(_Raw):
    """A blocking TLS socket: what anything in Python must cost."""

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
    """A bare `asyncio.Protocol`: what anything on asyncio must cost."""

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


SYNC: dict[str, type[Any]] = {"ours": Ours, "boto3": Boto3, "httpx": Httpx, "raw": Raw}
ASYNC: dict[str, type[Any]] = {
    "ours": AsyncOurs,
    "aiobotocore": Aiobotocore,
    "aiohttp": Aiohttp,
    "httpx": AsyncHttpx,
    "raw": AsyncRaw,
    "boto3 on threads": ThreadedBoto3,
}
