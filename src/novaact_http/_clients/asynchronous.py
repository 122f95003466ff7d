"""`AsyncClient`: drives the flow on asyncio."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from novaact_http._aws import credential_cache
from novaact_http._call.flow import GetCredentials, Need, call
from novaact_http._call.http_messages import Request, Response
from novaact_http._clients.async_methods import AsyncMethods
from novaact_http._clients.base import ClientBase, Senders, httpx_needed
from novaact_http._http.asyncio_pool import Pool, running_loop
from novaact_http._http.pool_rules import seconds_left
from novaact_http._http.threads import call_on_thread
from novaact_http._support import traceback_scrubbing
from novaact_http.config import Credentials
from novaact_http.errors import DeadlineExceeded

if TYPE_CHECKING:
    import os
    import ssl
    from collections.abc import Awaitable, Callable, Mapping
    from types import TracebackType

    import httpx
    from typing_extensions import Self

    from novaact_http._aws.botocore_credentials import BotocoreCredentials
    from novaact_http._call.flow import MakeFlow
    from novaact_http._call.sigv4 import Signer
    from novaact_http._http.httpx_sender import AsyncSender
    from novaact_http._operations.shapes import Operation, Output
    from novaact_http.attempts import Attempt, CallReport
    from novaact_http.config import RetryPolicy, Timeout

__all__ = ["AsyncClient"]

OutputT = TypeVar("OutputT", bound="Output")

# On Windows, asyncio's default event loop cannot watch sockets.
_HAS_POOL = sys.platform != "win32"


class AsyncClient(AsyncMethods, ClientBase):
    """A client for Amazon Nova Act on asyncio. It is safe to share between tasks: make one and keep it.

    Use it as an asynchronous context manager, or await `aclose()` when you no longer need it. It takes the arguments of
    `Client` and raises the same errors, with two differences: `transport` is any `httpx.AsyncBaseTransport`, and the
    function for `credentials` may be asynchronous.
    """

    def __init__(
        self,
        *,
        region: str | None = None,
        profile: str | None = None,
        credentials: Credentials
        | Callable[[], Credentials | Awaitable[Credentials]]
        | BotocoreCredentials
        | None = None,
        endpoint_url: str | None = None,
        use_fips: bool | None = None,
        use_dualstack: bool | None = None,
        retries: RetryPolicy | None = None,
        timeout: Timeout | float | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        verify: str | os.PathLike[str] | ssl.SSLContext | None = None,
        signer: Signer | None = None,
        on_attempt: Callable[[Attempt], object] | None = None,
        on_call: Callable[[CallReport], object] | None = None,
        correct_clock_skew: bool = True,
        app_id: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(
            region=region,
            profile=profile,
            credentials=credentials,
            endpoint_url=endpoint_url,
            use_fips=use_fips,
            use_dualstack=use_dualstack,
            retries=retries,
            timeout=timeout,
            transport=transport,
            verify=verify,
            signer=signer,
            on_attempt=on_attempt,
            on_call=on_call,
            correct_clock_skew=correct_clock_skew,
            app_id=app_id,
            headers=headers,
        )
        make = partial(_make_sender, transport, self._tls, self._proxy)
        self._senders: Senders[Pool, AsyncSender] = Senders(
            Pool(self._tls) if transport is None and self._proxy is None and _HAS_POOL else None,
            make,
            None if transport is None else make(),
            "handle_async_request",
        )

    async def aclose(self) -> None:
        """Close the connections of this event loop. Later calls raise a `NovaActError`. Closing again does nothing."""
        running_loop()
        sender = self._senders.close()
        if sender is not None:
            await sender.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _call(
        self, operation: Operation[OutputT], arguments: dict[str, Any], make_flow: MakeFlow[OutputT] = call
    ) -> OutputT:
        flow = make_flow(self._context, operation, arguments)
        try:
            step: Any = flow.send
            answer: object = None
            while True:
                try:
                    need = step(answer)
                except StopIteration as finished:
                    return finished.value  # type: ignore[no-any-return]
                try:
                    step, answer = flow.send, await self._answer(need)
                except BaseException as error:  # noqa: BLE001 - the flow decides what to do about it
                    step, answer = flow.throw, error
        except BaseException as error:
            traceback_scrubbing.clear(error)
            # These two functions still run, so they were not cleared: the called method has the arguments, and this one
            # would keep the error alive, as the error keeps its frame.
            arguments.clear()
            answer = need = None
            raise
        finally:
            flow.close()

    async def _answer(self, need: Need) -> object:
        if isinstance(need, Request):
            pool = self._senders.pool()
            return await (self._send_through_httpx(need) if pool is None else pool.send(need))
        if isinstance(need, GetCredentials):
            return await self._get_credentials(need)
        await asyncio.sleep(need.seconds)
        return None

    async def _get_credentials(self, need: GetCredentials) -> Credentials:
        loop = running_loop()
        found = self._credentials.get(need.refused, loop)
        if isinstance(found, Credentials):
            return found
        with self._credentials.waiting():
            while not isinstance(found, Credentials):
                left = seconds_left(credential_cache.LOOK_AGAIN_AFTER, need.deadline, time.monotonic())
                if not left:
                    raise DeadlineExceeded("the call's time was over before there were credentials", request_sent=False)
                kept = loop.create_future()
                found.when_kept(partial(_tell, kept))
                timer = loop.call_later(left, _wake, kept)
                try:
                    await kept
                finally:
                    timer.cancel()
                result = found.result
                credentials = None if result is None else credential_cache.credentials_or_raise(result, loop)
                found = self._credentials.get(need.refused, loop) if credentials is None else credentials
        return found

    async def _send_through_httpx(self, request: Request) -> Response:
        loop = running_loop()  # what comes after the first request needs one
        if not self._senders.has_httpx:
            # On a thread, as importing httpx takes long.
            await call_on_thread(loop, self._senders.through_httpx)
        return await self._senders.through_httpx().send(request)


def _make_sender(
    transport: httpx.AsyncBaseTransport | None, tls: Callable[[], ssl.SSLContext], proxy: tuple[str, str] | None
) -> AsyncSender:
    with httpx_needed(transport, proxy):
        from novaact_http._http.httpx_sender import AsyncSender

    max_body = None
    if transport is not None:
        from novaact_http.transports import (
            LeanAsyncTransport,
        )  # the one transport that has a limit of its own on bodies

        max_body = transport.max_body if isinstance(transport, LeanAsyncTransport) else None
    return AsyncSender(transport, tls, proxy, max_body)


def _tell(waiting: asyncio.Future[None]) -> None:
    """Wake the task that waits, from any thread."""
    with contextlib.suppress(RuntimeError):  # its event loop has ended
        waiting.get_loop().call_soon_threadsafe(_wake, waiting)


def _wake(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)
