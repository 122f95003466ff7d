"""`Client`: the flow, driven by blocking calls."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from novaact_http._aws.credentials import credentials_or_raise
from novaact_http._call.flow import GetCredentials, Need, call
from novaact_http._call.messages import Request
from novaact_http._clients.base import ClientBase, Shared, list_sessions_arguments
from novaact_http._clients.pagers import Options, Pager
from novaact_http._http.blocking_pool import Pool
from novaact_http._operations.sessions import LIST_SESSIONS
from novaact_http._support import traceback_scrubbing
from novaact_http.config import Credentials
from novaact_http.errors import CredentialsError, DeadlineExceeded, NovaActError

if TYPE_CHECKING:
    import os
    import ssl
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future
    from types import TracebackType

    import httpx
    from typing_extensions import Self

    from novaact_http._aws.credentials import BotocoreCredentials
    from novaact_http._call.sigv4 import Signer
    from novaact_http._http.httpx_sender import Sender
    from novaact_http._operations.common import SortOrder
    from novaact_http._operations.sessions import ListSessionsResponse, SessionSummary
    from novaact_http._operations.shapes import Operation, Output
    from novaact_http.attempts import Attempt
    from novaact_http.config import RetryPolicy, Timeout

__all__ = ["Client"]

OutputT = TypeVar("OutputT", bound="Output")


class Client(ClientBase):
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
        transport: any `httpx.BaseTransport`, used instead of the library's own connections; it is not closed with the
            client. Without one, httpx's own is used where the proxy of HTTPS_PROXY or HTTP_PROXY applies and NO_PROXY
            does not name the endpoint's host, and while a mocking tool patches httpx.
        verify: path of a CA bundle (PEM), or an `ssl.SSLContext`, unless there is a `transport`; else AWS_CA_BUNDLE,
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
        make = partial(_make_sender, transport, self._tls, self._proxy_url)
        self._shared: Shared[Pool, Sender] = Shared(
            Pool(self._tls) if transport is None and self._proxy_url is None else None,
            make,
            None if transport is None else make(),
            "handle_request",
        )

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
        arguments = list_sessions_arguments(workflow_definition_name, workflow_run_id, sort_order)
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
        arguments = list_sessions_arguments(workflow_definition_name, workflow_run_id, sort_order)
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
        flow = call(self._context, operation, arguments)
        try:
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
        except BaseException as error:
            traceback_scrubbing.clear(error)
            raise
        finally:
            flow.close()

    def _answer(self, need: Need) -> object:
        if isinstance(need, Request):
            pool = self._shared.pool()
            return self._shared.through_httpx().send(need) if pool is None else pool.send(need)
        if isinstance(need, GetCredentials):
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
        return credentials_or_raise(got)


def _make_sender(transport: httpx.BaseTransport | None, tls: Callable[[], ssl.SSLContext], proxy: str | None) -> Sender:
    from novaact_http._http.httpx_sender import Sender

    max_body = None
    if transport is not None:
        from novaact_http.transports import LeanTransport  # the one transport that has a limit of its own on bodies

        max_body = transport.max_body if isinstance(transport, LeanTransport) else None
    return Sender(transport, tls, proxy, max_body)
