"""One way to call both clients."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Protocol

import httpx

from novaact_http import (
    AsyncClient,
    Client,
    LeanAsyncTransport,
    LeanTransport,
    ListSessionsResponse,
    SessionSummary,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


class Face(Protocol):
    """One of the two clients, called synchronously. Each call makes a new client (and event loop).

    Attributes:
        stock_transport: the class of httpx's own transport for the client.
        lean_transport: the class of our transport for it.
    """

    stock_transport: type[Any]
    lean_transport: type[Any]

    def page(self, options: Mapping[str, Any], **arguments: Any) -> ListSessionsResponse:
        """Return the page of one call."""
        ...

    def call(self, method: str, options: Mapping[str, Any], **arguments: Any) -> Any:
        """Return what a method of the client returns, and close the transport, if there is one."""
        ...

    def listing(self, method: str, options: Mapping[str, Any], **arguments: Any) -> list[Any]:
        """Return all items of the listing that a method of the client returns."""
        ...

    def items(self, options: Mapping[str, Any], **arguments: Any) -> tuple[list[SessionSummary], str | None]:
        """Return all items of a listing, and the resume token after the last."""
        ...

    def pages(self, options: Mapping[str, Any], **arguments: Any) -> tuple[list[ListSessionsResponse], str | None]:
        """Return all pages of a listing, and the resume token after the last."""
        ...


class SyncFace(Face):
    stock_transport = httpx.HTTPTransport
    lean_transport = LeanTransport

    def page(self, options: Mapping[str, Any], **arguments: Any) -> ListSessionsResponse:
        with Client(**options) as client:
            return client.list_sessions(**arguments)

    def call(self, method: str, options: Mapping[str, Any], **arguments: Any) -> Any:
        with options.get("transport") or contextlib.nullcontext(), Client(**options) as client:
            return getattr(client, method)(**arguments)

    def listing(self, method: str, options: Mapping[str, Any], **arguments: Any) -> list[Any]:
        with Client(**options) as client:
            return list(getattr(client, method)(**arguments))

    def items(self, options: Mapping[str, Any], **arguments: Any) -> tuple[list[SessionSummary], str | None]:
        with Client(**options) as client:
            pager = client.iter_sessions(**arguments)
            return list(pager), pager.resume_token

    def pages(self, options: Mapping[str, Any], **arguments: Any) -> tuple[list[ListSessionsResponse], str | None]:
        with Client(**options) as client:
            pager = client.iter_sessions(**arguments)
            return list(pager.pages()), pager.resume_token


class AsyncFace(Face):
    stock_transport = httpx.AsyncHTTPTransport
    lean_transport = LeanAsyncTransport

    def page(self, options: Mapping[str, Any], **arguments: Any) -> ListSessionsResponse:
        async def run() -> ListSessionsResponse:
            async with AsyncClient(**options) as client:
                return await client.list_sessions(**arguments)

        return asyncio.run(run())

    def call(self, method: str, options: Mapping[str, Any], **arguments: Any) -> Any:
        async def run() -> Any:
            transport = options.get("transport") or contextlib.nullcontext()
            async with transport, AsyncClient(**options) as client:
                return await getattr(client, method)(**arguments)

        return asyncio.run(run())

    def listing(self, method: str, options: Mapping[str, Any], **arguments: Any) -> list[Any]:
        async def run() -> list[Any]:
            async with AsyncClient(**options) as client:
                return [each async for each in getattr(client, method)(**arguments)]

        return asyncio.run(run())

    def items(self, options: Mapping[str, Any], **arguments: Any) -> tuple[list[SessionSummary], str | None]:
        async def run() -> tuple[list[SessionSummary], str | None]:
            async with AsyncClient(**options) as client:
                pager = client.iter_sessions(**arguments)
                return [item async for item in pager], pager.resume_token

        return asyncio.run(run())

    def pages(self, options: Mapping[str, Any], **arguments: Any) -> tuple[list[ListSessionsResponse], str | None]:
        async def run() -> tuple[list[ListSessionsResponse], str | None]:
            async with AsyncClient(**options) as client:
                pager = client.iter_sessions(**arguments)
                return [page async for page in pager.pages()], pager.resume_token

        return asyncio.run(run())


FACES = (SyncFace, AsyncFace)
