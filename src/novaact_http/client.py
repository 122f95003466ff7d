"""`Client` and `AsyncClient`: two thin drivers of the one flow."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
import uuid
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import attrs

from novaact_http import _credentials, _flow, _settings, _tls, errors
from novaact_http._locks import renew_after_fork
from novaact_http._profiles import Profile
from novaact_http._retry import Quota
from novaact_http._sigv4 import SigV4Signer
from novaact_http._wire import Request, Response
from novaact_http.attempts import Attempt, log
from novaact_http.config import Credentials, RetryPolicy, Timeout
from novaact_http.errors import ConfigurationError, CredentialsError, DeadlineExceeded, NovaActError
from novaact_http.operations import LIST_SESSIONS, Operation, Output
from novaact_http.pagination import AsyncPager, Options, Pager

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Mapping
    from concurrent.futures import Future
    from types import TracebackType

    import httpx
    from typing_extensions import Self

    from novaact_http._credentials import BotocoreCredentials
    from novaact_http._sigv4 import Signer
    from novaact_http.models import ListSessionsResponse, SessionSummary, SortOrder
    from novaact_http.transports import AsyncSender, Sender

__all__ = ["AsyncClient", "Client"]

OutputT = TypeVar("OutputT", bound="Output")
ResultT = TypeVar("ResultT")
SenderT = TypeVar("SenderT", bound="Sender | AsyncSender")


class _Shared(Generic[SenderT]):
    """What a client shares with those that `with_options` makes of it: what sends, and whether it is closed.

    Args:
        make: makes what sends, when that is first needed, as importing what it is made of takes a while.
        sender: it, if it has been made already.
    """

    def __init__(self, make: Callable[[], SenderT], sender: SenderT | None) -> None:
        self._make = make
        self._sender = sender
        self._closed = False
        self._lock = threading.Lock()
        renew_after_fork(self)

    def after_fork(self) -> None:
        self._lock = threading.Lock()

    @property
    def is_made(self) -> bool:
        return self._sender is not None

    def sender(self) -> SenderT:
        with self._lock:
            if self._closed:
                raise NovaActError("this client is closed; make a new one")
            if self._sender is None:
                self._sender = self._make()
            return self._sender

    def close(self) -> SenderT | None:
        """Close it, and return what is to be closed besides."""
        with self._lock:
            self._closed = True
            sender, self._sender = self._sender, None
            return sender


class _ClientBase:
    """What both clients are made of."""

    exceptions = errors

    def __init__(
        self,
        *,
        region: str | None,
        profile: str | None,
        credentials: object,
        endpoint_url: str | None,
        use_fips: bool | None,
        use_dualstack: bool | None,
        retries: RetryPolicy | None,
        timeout: Timeout | float | None,
        transport: object,
        verify: str | os.PathLike[str] | ssl.SSLContext | None,
        signer: Signer | None,
        on_attempt: Callable[[Attempt], object] | None,
        correct_clock_skew: bool,
        app_id: str | None,
    ) -> None:
        _check_retries(retries)
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
            connects=transport is None,
            verifies=verify is not None,
            environ=os.environ,
            profile=Profile(profile, os.environ),
        )
        endpoint = settings.endpoint
        scheme = "https" if (settings.proxy_url or "").startswith("https:") else endpoint.scheme
        if settings.ca_bundle is not None:
            path, source = settings.ca_bundle
            self._tls = _tls.provider(path, scheme=scheme, source=source)
        else:
            self._tls = _tls.provider(verify, scheme=scheme)
        found = _credentials.find(
            credentials, profile=profile, region=settings.region, environ=os.environ, now=time.time()
        )
        skew = _flow.ClockSkew()
        self._credentials = _credentials.Provider(found, lambda: time.time() + skew.seconds)
        self._context = _flow.Context(
            settings=settings,
            timeout=_timeout(timeout),
            signer=SigV4Signer() if signer is None else signer,
            retries=settings.retries,
            quota=Quota(),
            skew=skew,
            correct_clock_skew=correct_clock_skew,
            clock=time.time,
            monotonic=time.monotonic,
            new_invocation_id=lambda: str(uuid.uuid4()),
            user_agent=_flow.user_agent(settings.app_id),
            on_attempt=on_attempt,
            renews_credentials=self._credentials.renews,
        )
        # What a pickled client is made of again: what was passed, and what was found of the service. What belongs to
        # the machine (credentials, CA bundle, proxy) is looked for anew.
        self._options: dict[str, object] = {
            "region": settings.region,
            "profile": profile,
            "credentials": credentials,
            "endpoint_url": settings.endpoint_url,
            "use_fips": settings.use_fips,
            "use_dualstack": settings.use_dualstack,
            "transport": transport,
            "verify": verify,
            "signer": signer,
            "on_attempt": on_attempt,
            "correct_clock_skew": correct_clock_skew,
            "app_id": settings.app_id,
        }
        for remark in settings.remarks:
            log.warning(remark)
        if endpoint.scheme == "http" and not _settings.is_loopback(endpoint.host):
            warnings.warn(
                f"requests to http://{endpoint.authority} are not encrypted: whoever sees one can read and replay it",
                stacklevel=3,
            )

    def __repr__(self) -> str:
        settings = self._context.settings
        return f"{type(self).__name__}(region={settings.region!r}, endpoint={settings.endpoint.authority!r})"

    def __reduce__(self) -> tuple[partial[Self], tuple[()]]:
        context = self._context
        options: dict[str, Any] = {**self._options, "retries": context.retries, "timeout": context.timeout}
        _check_picklable(options)
        return partial(type(self), **options), ()

    def with_options(self, *, timeout: Timeout | float | None = None, retries: RetryPolicy | None = None) -> Self:
        """This client with other limits, for example `client.with_options(timeout=2).list_sessions(...)`.

        It shares all else with this one: connections, quota of retries, credentials, what was learnt of the clock.
        Closing either closes both.

        Args:
            timeout: instead of this client's, or None for the same.
            retries: instead of this client's, or None for the same.

        Raises:
            ConfigurationError: they are something else.
        """
        _check_retries(retries)
        other = object.__new__(type(self))
        vars(other).update(vars(self))
        context = self._context
        other._context = attrs.evolve(
            context,
            timeout=context.timeout if timeout is None else _timeout(timeout),
            retries=context.retries if retries is None else retries,
        )
        return other


def _check_retries(retries: object) -> None:
    if not isinstance(retries, (RetryPolicy, type(None))):
        raise ConfigurationError(f"retries must be a novaact_http.RetryPolicy, not {type(retries).__name__}")


def _check_picklable(options: Mapping[str, object]) -> None:
    import pickle

    for name, value in options.items():
        if name == "credentials" and not (value is None or _credentials.is_function(value)):
            raise CredentialsError(
                "a client is not pickled with the credentials that were passed to it, so that no secret is written "
                "anywhere: pass credentials=... a function that returns them, or nothing"
            )
        try:
            pickle.dumps(value)
        except Exception as error:
            raise ConfigurationError(f"a client is not pickled with this argument {name}: {error}") from error


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
        region: such as `"us-east-1"`; else AWS_REGION, AWS_DEFAULT_REGION, then the profile's.
        profile: of the shared configuration files; else AWS_DEFAULT_PROFILE, AWS_PROFILE, then `default`.
        credentials: `Credentials`; or a function that returns them, kept until they expire, and called on a thread of
            its own; or what botocore and boto3 have of the kind: a session, or credentials. Else AWS_ACCESS_KEY_ID,
            AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN (not with `profile`), then botocore's chain of providers: roles,
            web identity, SSO, profiles, processes, containers, instances. Where there are none, each call raises a
            `CredentialsError`.
        endpoint_url: else AWS_ENDPOINT_URL_NOVA_ACT, AWS_ENDPOINT_URL, the profile's, then the region's own.
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

    The profile has a say too in what else the environment has, as in boto3: FIPS, dualstack, retries, CA bundle, id.

    Raises:
        ConfigurationError: an argument, or what the environment or the profile has in its place, is missing or wrong.
        CredentialsError: `credentials` is none of these, or the environment has half a key pair, or a malformed one.
    """

    def __init__(
        self,
        *,
        region: str | None = None,
        profile: str | None = None,
        credentials: Credentials | Callable[[], Credentials] | BotocoreCredentials | None = None,
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
            correct_clock_skew=correct_clock_skew,
            app_id=app_id,
        )
        make = partial(_make_sender, transport, self._tls, self._context.settings.proxy_url)
        self._shared = _Shared(make, None if transport is None else make())

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
        sender = self._shared.close()
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
            return self._shared.sender().send(need)
        if isinstance(need, _flow.GetCredentials):
            found = self._credentials.get(need.refused)
            return found if isinstance(found, Credentials) else self._wait(found, need.deadline)
        time.sleep(need.seconds)
        return None

    @staticmethod
    def _wait(found: Future[Credentials | CredentialsError], deadline: float | None) -> Credentials:
        from concurrent import futures  # loaded already, as there is a future

        try:
            got = found.result(None if deadline is None else max(0.0, deadline - time.monotonic()))
        except futures.TimeoutError as error:  # Python's own only from 3.11 on
            raise DeadlineExceeded(
                "the call's time was over before its credentials came", request_sent=False
            ) from error
        return _credentials.outcome(got)


def _make_sender(transport: httpx.BaseTransport | None, tls: Callable[[], ssl.SSLContext], proxy: str | None) -> Sender:
    from novaact_http.transports import Sender

    return Sender(transport, tls, proxy)


def _make_async_sender(
    transport: httpx.AsyncBaseTransport | None, tls: Callable[[], ssl.SSLContext], proxy: str | None
) -> AsyncSender:
    from novaact_http.transports import AsyncSender

    return AsyncSender(transport, tls, proxy)


def _check_asyncio() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise ConfigurationError(
            "AsyncClient works in a running asyncio event loop only; elsewhere use Client"
        ) from None


async def _by(deadline: float, waited_for: Awaitable[ResultT], what: str) -> ResultT:
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
        return await waited_for
    except asyncio.CancelledError as error:
        if not over or getattr(task, "uncancel", int)() > before:
            raise
        raise DeadlineExceeded(f"the call's time was over before {what} came", request_sent=True) from error
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
        correct_clock_skew: bool = True,
        app_id: str | None = None,
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
            correct_clock_skew=correct_clock_skew,
            app_id=app_id,
        )
        make = partial(_make_async_sender, transport, self._tls, self._context.settings.proxy_url)
        self._shared = _Shared(make, None if transport is None else make())

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
        sender = self._shared.close()
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
            sending = self._send(need)
            return await (sending if need.deadline is None else _by(need.deadline, sending, "the response"))
        if isinstance(need, _flow.GetCredentials):
            found = self._credentials.get(need.refused, asyncio.get_running_loop())
            if isinstance(found, Credentials):
                return found
            waiting = asyncio.wrap_future(found)
            if need.deadline is None:
                return _credentials.outcome(await waiting)
            return _credentials.outcome(await _by(need.deadline, waiting, "its credentials"))
        await asyncio.sleep(need.seconds)
        return None

    async def _send(self, request: Request) -> Response:
        if not self._shared.is_made:
            await asyncio.get_running_loop().run_in_executor(None, self._shared.sender)  # it imports httpx
        return await self._shared.sender().send(request)
