"""`Client` and `AsyncClient`: two thin drivers of the one flow."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
import uuid
import warnings
from typing import TYPE_CHECKING, Any, TypeVar

from novaact_http import _credentials, _flow, _settings, _tls, errors
from novaact_http._retry import Quota
from novaact_http._sigv4 import SigV4Signer
from novaact_http._wire import Request, Response
from novaact_http.attempts import Attempt, log
from novaact_http.config import Credentials, RetryPolicy, Timeout
from novaact_http.errors import ConfigurationError, DeadlineExceeded, NovaActError
from novaact_http.operations import LIST_SESSIONS, Operation, Output
from novaact_http.pagination import AsyncPager, Options, Pager

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Coroutine, Mapping
    from types import TracebackType

    import httpx
    from typing_extensions import Self

    from novaact_http._sigv4 import Signer
    from novaact_http.models import ListSessionsResponse, SessionSummary, SortOrder
    from novaact_http.transports import AsyncSender, Sender

__all__ = ["AsyncClient", "Client"]

OutputT = TypeVar("OutputT", bound="Output")


class _ClientBase:
    """What both clients are made of."""

    exceptions = errors

    def __init__(
        self,
        *,
        region: str | None,
        credentials: Credentials | None,
        endpoint_url: str | None,
        use_fips: bool | None,
        use_dualstack: bool | None,
        retries: RetryPolicy | None,
        timeout: Timeout | float | None,
        verify: str | os.PathLike[str] | ssl.SSLContext | None,
        signer: Signer | None,
        on_attempt: Callable[[Attempt], object] | None,
        correct_clock_skew: bool,
        app_id: str | None,
        connects: bool,
    ) -> None:
        if not isinstance(retries, (RetryPolicy, type(None))):
            raise ConfigurationError(f"retries must be a novaact_http.RetryPolicy, not {type(retries).__name__}")
        if on_attempt is not None and not callable(on_attempt):
            raise ConfigurationError(f"on_attempt must be a function that takes an Attempt, not {on_attempt!r}")
        if signer is not None and not callable(getattr(signer, "sign", None)):
            raise ConfigurationError(f"signer must have a method sign(), such as BotocoreSigner(), not {signer!r}")
        settings = _settings.resolve(
            region=region,
            endpoint_url=endpoint_url,
            use_fips=use_fips,
            use_dualstack=use_dualstack,
            app_id=app_id,
            retries=retries,
            connects=connects,
            verifies=verify is not None,
            environ=os.environ,
        )
        endpoint = settings.endpoint
        scheme = "https" if (settings.proxy_url or "").startswith("https:") else endpoint.scheme
        if settings.ca_bundle is not None:
            path, source = settings.ca_bundle
            self._tls = _tls.provider(path, scheme=scheme, source=source)
        else:
            self._tls = _tls.provider(verify, scheme=scheme)
        self._credentials = _credentials.resolve(credentials, os.environ)
        self._context = _flow.Context(
            settings=settings,
            timeout=_timeout(timeout),
            signer=SigV4Signer() if signer is None else signer,
            retries=settings.retries,
            quota=Quota(),
            skew=_flow.ClockSkew(),
            correct_clock_skew=correct_clock_skew,
            clock=time.time,
            monotonic=time.monotonic,
            new_invocation_id=lambda: str(uuid.uuid4()),
            user_agent=_flow.user_agent(settings.app_id),
            on_attempt=on_attempt,
        )
        for remark in settings.remarks:
            log.warning(remark)
        self._closed = False
        if endpoint.scheme == "http" and not _settings.is_loopback(endpoint.host):
            warnings.warn(
                f"requests to http://{endpoint.authority} are not encrypted: whoever sees one can read and replay it",
                stacklevel=3,
            )

    def __repr__(self) -> str:
        settings = self._context.settings
        return f"{type(self).__name__}(region={settings.region!r}, endpoint={settings.endpoint.authority!r})"

    def _check_open(self) -> None:
        if self._closed:
            raise NovaActError("this client is closed; make a new one")


def _timeout(given: Timeout | float | None) -> Timeout:
    if given is None:
        return Timeout()
    if isinstance(given, Timeout):
        return given
    try:
        return Timeout(total=given)
    except ConfigurationError as error:
        raise ConfigurationError(f"timeout must be a novaact_http.Timeout or a number of seconds: {error}") from None


def _list_sessions_arguments(
    workflow_definition_name: str, workflow_run_id: str, sort_order: SortOrder | str | None
) -> dict[str, object]:
    return {
        "workflow_definition_name": workflow_definition_name,
        "workflow_run_id": workflow_run_id,
        "sort_order": sort_order,
    }


class Client(_ClientBase):
    """A client for Amazon Nova Act. Safe to share between threads; make one and keep it.

    Use it as a context manager, or call `close()` when done with it.

    Args:
        region: such as `"us-east-1"`; else AWS_REGION, then AWS_DEFAULT_REGION.
        credentials: else AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN. Where there are none, each
            call raises a `CredentialsError`.
        endpoint_url: else AWS_ENDPOINT_URL_NOVA_ACT, then AWS_ENDPOINT_URL, then the region's own.
        use_fips: use the region's FIPS endpoint; else AWS_USE_FIPS_ENDPOINT. Not with an endpoint of one's own.
        use_dualstack: use the region's dualstack endpoint; else AWS_USE_DUALSTACK_ENDPOINT. Likewise.
        retries: three attempts, in AWS's standard mode, by default; else AWS_RETRY_MODE and AWS_MAX_ATTEMPTS.
        timeout: 5 s to connect and 60 s to read by default, and no limit for the whole call; a number of seconds is
            that limit.
        transport: any `httpx.BaseTransport`, used instead of a stock one; it is not closed with the client. A stock one
            goes through the proxy of HTTPS_PROXY or HTTP_PROXY, unless NO_PROXY names the endpoint's host.
        verify: path of a CA bundle (PEM), or an `ssl.SSLContext`, for the stock transport; else AWS_CA_BUNDLE,
            REQUESTS_CA_BUNDLE or SSL_CERT_FILE, then certifi's.
        signer: else the library's own; `BotocoreSigner()` for AWS's code.
        on_attempt: called with an `Attempt` after each one, for metrics and tracing, on the caller's thread or event
            loop. What it raises is logged and goes no further.
        correct_clock_skew: if the service refuses a request because this machine's clock is wrong, learn by how much
            from its response, and sign once more.
        app_id: names the application in the User-Agent, best in up to 50 characters; else AWS_SDK_UA_APP_ID.

    Raises:
        ConfigurationError: an argument, or what the environment has in its place, is missing or wrong.
        CredentialsError: the environment has half a key pair, or a malformed one.
    """

    def __init__(
        self,
        *,
        region: str | None = None,
        credentials: Credentials | None = None,
        endpoint_url: str | None = None,
        use_fips: bool | None = None,
        use_dualstack: bool | None = None,
        retries: RetryPolicy | None = None,
        timeout: Timeout | float | None = None,
        transport: httpx.BaseTransport | None = None,
        verify: str | os.PathLike[str] | ssl.SSLContext | None = None,
        signer: Signer | None = None,
        on_attempt: Callable[[Attempt], object] | None = None,
        correct_clock_skew: bool = True,
        app_id: str | None = None,
    ) -> None:
        super().__init__(
            region=region,
            credentials=credentials,
            endpoint_url=endpoint_url,
            use_fips=use_fips,
            use_dualstack=use_dualstack,
            retries=retries,
            timeout=timeout,
            verify=verify,
            signer=signer,
            on_attempt=on_attempt,
            correct_clock_skew=correct_clock_skew,
            app_id=app_id,
            connects=transport is None,
        )
        self._lock = threading.Lock()
        self._sender: Sender | None = None if transport is None else self._make_sender(transport)

    def list_sessions(
        self,
        *,
        workflow_definition_name: str,
        workflow_run_id: str,
        max_results: int | None = None,
        next_token: str | None = None,
        sort_order: SortOrder | str | None = None,
    ) -> ListSessionsResponse:
        """List one page of a workflow run's sessions.

        Args:
            workflow_definition_name: the workflow definition's name.
            workflow_run_id: the workflow run's id, a UUID.
            max_results: how many sessions at most, from 1; the service allows up to 100.
            next_token: the `next_token` of the page before.
            sort_order: by time of creation; the service decides where it is not given.

        Raises:
            ParameterError: bad arguments, all named at once; nothing was sent.
            CredentialsError: there are no credentials.
            ServiceError: the service answered with an error; a subclass for each code it documents.
            ResponseError: it answered with something that is not a page of sessions.
            TransportError: it did not answer.
        """
        arguments = _list_sessions_arguments(workflow_definition_name, workflow_run_id, sort_order)
        return self._call(LIST_SESSIONS, {**arguments, "max_results": max_results, "next_token": next_token})

    def iter_sessions(
        self,
        *,
        workflow_definition_name: str,
        workflow_run_id: str,
        sort_order: SortOrder | str | None = None,
        page_size: int | None = None,
        max_items: int | None = None,
        starting_token: str | None = None,
    ) -> Pager[ListSessionsResponse, SessionSummary]:
        """List all of a workflow run's sessions, page after page as they are asked for.

        Args:
            workflow_definition_name: the workflow definition's name.
            workflow_run_id: the workflow run's id, a UUID.
            sort_order: as for `list_sessions`.
            page_size: how many sessions each call asks for at most; the service decides where it is not given.
            max_items: stop after so many sessions; 0 lists none and calls nobody.
            starting_token: a pager's `resume_token`, that of a boto3 paginator, or a `next_token`.

        Raises:
            ParameterError: bad arguments, all named at once. The listing itself raises what `list_sessions` raises, and
                `PaginationError` if the service repeats a token.
        """
        arguments = _list_sessions_arguments(workflow_definition_name, workflow_run_id, sort_order)
        options = Options(page_size=page_size, max_items=max_items, starting_token=starting_token)
        options.check(LIST_SESSIONS, arguments)
        return Pager(LIST_SESSIONS.paging, options, lambda page: self._call(LIST_SESSIONS, {**arguments, **page}))

    def close(self) -> None:
        """Close the connections. Calls after that raise a `NovaActError`; closing again does nothing."""
        with self._lock:
            self._closed = True
            sender, self._sender = self._sender, None
        if sender is not None:
            sender.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _call(self, operation: Operation[OutputT], arguments: Mapping[str, object]) -> OutputT:
        flow = _flow.call(self._context, operation, arguments)
        with contextlib.closing(flow):
            step: Any = flow.send
            answer: object = None
            while True:
                try:
                    need = step(answer)
                except StopIteration as finished:
                    return finished.value  # type: ignore[no-any-return]
                try:
                    step, answer = flow.send, self._answer(need)
                except NovaActError as error:  # the flow decides what comes of it
                    step, answer = flow.throw, error

    def _answer(self, need: _flow.Need) -> object:
        if isinstance(need, Request):
            return self._open_sender().send(need)
        if isinstance(need, _flow.GetCredentials):
            return self._credentials.get()
        time.sleep(need.seconds)
        return None

    def _open_sender(self) -> Sender:
        with self._lock:
            self._check_open()
            if self._sender is None:
                self._sender = self._make_sender(None)
            return self._sender

    def _make_sender(self, transport: httpx.BaseTransport | None) -> Sender:
        from novaact_http.transports import Sender

        return Sender(transport, self._tls, self._context.settings.proxy_url)


def _check_asyncio() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise ConfigurationError(
            "AsyncClient works in a running asyncio event loop only; elsewhere use Client"
        ) from None


async def _by(deadline: float, sending: Coroutine[Any, Any, Response]) -> Response:
    # Not `asyncio.wait_for`, which before Python 3.12 may swallow a cancellation from outside.
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None  # noqa: S101 - there is one wherever there is something to await
    before = getattr(task, "cancelling", int)()  # from Python 3.11 on, cancellations are counted
    over = False

    def end() -> None:
        nonlocal over
        over = True
        task.cancel()

    timer = loop.call_at(loop.time() + deadline - time.monotonic(), end)
    try:
        return await sending
    except asyncio.CancelledError as error:
        if not over or getattr(task, "uncancel", int)() > before:
            raise
        raise DeadlineExceeded("the call's time was over before the response came", request_sent=True) from error
    finally:
        timer.cancel()


class AsyncClient(_ClientBase):
    """A client for Amazon Nova Act on asyncio. Safe to share between tasks; make one and keep it.

    Use it as an asynchronous context manager, or await `aclose()` when done with it. It takes the arguments of `Client`
    and raises the same, but `transport` is any `httpx.AsyncBaseTransport`.
    """

    def __init__(
        self,
        *,
        region: str | None = None,
        credentials: Credentials | None = None,
        endpoint_url: str | None = None,
        use_fips: bool | None = None,
        use_dualstack: bool | None = None,
        retries: RetryPolicy | None = None,
        timeout: Timeout | float | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        verify: str | os.PathLike[str] | ssl.SSLContext | None = None,
        signer: Signer | None = None,
        on_attempt: Callable[[Attempt], object] | None = None,
        correct_clock_skew: bool = True,
        app_id: str | None = None,
    ) -> None:
        super().__init__(
            region=region,
            credentials=credentials,
            endpoint_url=endpoint_url,
            use_fips=use_fips,
            use_dualstack=use_dualstack,
            retries=retries,
            timeout=timeout,
            verify=verify,
            signer=signer,
            on_attempt=on_attempt,
            correct_clock_skew=correct_clock_skew,
            app_id=app_id,
            connects=transport is None,
        )
        self._sender: AsyncSender | None = None if transport is None else self._make_sender(transport)

    async def list_sessions(
        self,
        *,
        workflow_definition_name: str,
        workflow_run_id: str,
        max_results: int | None = None,
        next_token: str | None = None,
        sort_order: SortOrder | str | None = None,
    ) -> ListSessionsResponse:
        """List one page of a workflow run's sessions. See `Client.list_sessions`."""
        arguments = _list_sessions_arguments(workflow_definition_name, workflow_run_id, sort_order)
        return await self._call(LIST_SESSIONS, {**arguments, "max_results": max_results, "next_token": next_token})

    def iter_sessions(
        self,
        *,
        workflow_definition_name: str,
        workflow_run_id: str,
        sort_order: SortOrder | str | None = None,
        page_size: int | None = None,
        max_items: int | None = None,
        starting_token: str | None = None,
    ) -> AsyncPager[ListSessionsResponse, SessionSummary]:
        """List all of a workflow run's sessions, with `async for`. See `Client.iter_sessions`."""
        arguments = _list_sessions_arguments(workflow_definition_name, workflow_run_id, sort_order)
        options = Options(page_size=page_size, max_items=max_items, starting_token=starting_token)
        options.check(LIST_SESSIONS, arguments)
        return AsyncPager(LIST_SESSIONS.paging, options, lambda page: self._call(LIST_SESSIONS, {**arguments, **page}))

    async def aclose(self) -> None:
        """Close this event loop's connections. Calls after that raise a `NovaActError`; closing again does nothing."""
        _check_asyncio()
        self._closed = True
        sender, self._sender = self._sender, None
        if sender is not None:
            await sender.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _call(self, operation: Operation[OutputT], arguments: Mapping[str, object]) -> OutputT:
        _check_asyncio()
        flow = _flow.call(self._context, operation, arguments)
        with contextlib.closing(flow):
            step: Any = flow.send
            answer: object = None
            while True:
                try:
                    need = step(answer)
                except StopIteration as finished:
                    return finished.value  # type: ignore[no-any-return]
                try:
                    step, answer = flow.send, await self._answer(need)
                except NovaActError as error:  # the flow decides what comes of it
                    step, answer = flow.throw, error

    async def _answer(self, need: _flow.Need) -> object:
        if isinstance(need, Request):
            sending = self._open_sender().send(need)
            return await (sending if need.deadline is None else _by(need.deadline, sending))
        if isinstance(need, _flow.GetCredentials):
            return self._credentials.get()
        await asyncio.sleep(need.seconds)
        return None

    def _open_sender(self) -> AsyncSender:
        self._check_open()
        if self._sender is None:
            self._sender = self._make_sender(None)
        return self._sender

    def _make_sender(self, transport: httpx.AsyncBaseTransport | None) -> AsyncSender:
        from novaact_http.transports import AsyncSender

        return AsyncSender(transport, self._tls, self._context.settings.proxy_url)
