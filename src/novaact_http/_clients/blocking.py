"""`Client`: drives the flow with blocking calls."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from novaact_http._aws.credential_cache import LOOK_AGAIN_AFTER, credentials_or_raise
from novaact_http._call.flow import GetCredentials, Need, call
from novaact_http._call.http_messages import Request
from novaact_http._clients.base import ClientBase, Senders, httpx_needed
from novaact_http._clients.methods import Methods
from novaact_http._http.blocking_pool import Pool
from novaact_http._http.pool_rules import seconds_left
from novaact_http._support import traceback_scrubbing
from novaact_http.config import Credentials
from novaact_http.errors import DeadlineExceeded

if TYPE_CHECKING:
    import os
    import ssl
    from collections.abc import Callable, Mapping
    from types import TracebackType

    import httpx
    from typing_extensions import Self

    from novaact_http._aws.botocore_credentials import BotocoreCredentials
    from novaact_http._aws.credential_cache import Promise
    from novaact_http._call.flow import MakeFlow
    from novaact_http._call.sigv4 import Signer
    from novaact_http._http.httpx_sender import Sender
    from novaact_http._operations.shapes import Operation, Output
    from novaact_http.attempts import Attempt, CallReport
    from novaact_http.config import RetryPolicy, Timeout

__all__ = ["Client"]

OutputT = TypeVar("OutputT", bound="Output")


class Client(Methods, ClientBase):
    """A client for Amazon Nova Act. It is safe to share between threads: make one and keep it.

    Use it as a context manager, or call `close()` when you no longer need it.

    Where an argument is not given, the environment decides, then the profile, as in boto3.

    Args:
        region: such as `"us-east-1"`. By default AWS_REGION, then AWS_DEFAULT_REGION, then the profile's region.
        profile: a profile of the shared configuration files. By default AWS_DEFAULT_PROFILE, then AWS_PROFILE, then
            `default`.
        credentials: `Credentials`; or a function that returns them, which is called on a thread of its own and again
            when they expire; or a session or credentials of botocore or boto3. By default AWS_ACCESS_KEY_ID,
            AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN (not if `profile` is given), then botocore's chain of providers:
            roles, web identity, SSO, profiles, processes, containers, instances. If none of them has credentials, each
            call raises a `CredentialsError`.
        endpoint_url: your own endpoint. By default AWS_ENDPOINT_URL_NOVA_ACT, then AWS_ENDPOINT_URL, then the
            profile's, then the region's endpoint.
        use_fips: whether to use the region's FIPS endpoint; not together with your own endpoint. By default
            AWS_USE_FIPS_ENDPOINT, then the profile, then False.
        use_dualstack: whether to use the region's dualstack endpoint; not together with your own endpoint. By default
            AWS_USE_DUALSTACK_ENDPOINT, then the profile, then False.
        retries: the retry policy. By default AWS_RETRY_MODE and AWS_MAX_ATTEMPTS, then the profile's, then three
            attempts in AWS's standard mode.
        timeout: a `Timeout`, or a number of seconds as the limit for a whole call. By default 5 s to connect, 60 s to
            read, and no limit for a whole call.
        transport: any `httpx.BaseTransport`, which then replaces the library's own connections. Closing the client does
            not close it. By default the library's own connections; or httpx's, if HTTPS_PROXY or HTTP_PROXY applies to
            the endpoint and NO_PROXY does not exclude its host, and while something replaces functions of httpx.
        verify: the path of a CA bundle (PEM), or an `ssl.SSLContext`; ignored if there is a `transport`. By default
            AWS_CA_BUNDLE, then the profile's bundle, then REQUESTS_CA_BUNDLE, then SSL_CERT_FILE, then certifi's,
            then the system's trust store if certifi is not installed.
        signer: what signs requests. By default the library's own signer; `BotocoreSigner()` uses AWS's code.
        on_attempt: a function for metrics and tracing, called with an `Attempt` after each attempt, on the caller's
            thread or event loop. If it raises, that is logged and the call continues.
        on_call: the same for whole calls, called with a `CallReport` after each call that began, also if that failed or
            was cancelled.
        correct_clock_skew: whether to sign a refused request again when this machine's clock is wrong; the service's
            response tells by how much.
        app_id: the application's name in the User-Agent, at most 50 characters long if possible. By default
            AWS_SDK_UA_APP_ID, then the profile's.
        headers: further headers for every request, such as a tenant's name for a gateway. They are signed, except
            those that proxies and tracing change: `traceparent`, `tracestate`, `baggage`, `X-Amzn-Trace-Id`. Headers
            that the library sets itself, or that are about the connection, are refused.

    Raises:
        ConfigurationError: an argument is missing or wrong, or its replacement in the environment or the profile is.
        CredentialsError: `credentials` is none of the above, or the environment has half a key pair or a malformed one.
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
        self._senders: Senders[Pool, Sender] = Senders(
            Pool(self._tls) if transport is None and self._proxy is None else None,
            make,
            None if transport is None else make(),
            "handle_request",
        )

    def close(self) -> None:
        """Close the connections. Later calls raise a `NovaActError`. Closing again does nothing."""
        sender = self._senders.close()
        if sender is not None:
            sender.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _call(
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
                    step, answer = flow.send, self._answer(need)
                except StopIteration:  # of the user's code: a generator must not raise it
                    raise
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

    def _answer(self, need: Need) -> object:
        if isinstance(need, Request):
            pool = self._senders.pool()
            return self._senders.through_httpx().send(need) if pool is None else pool.send(need)
        if isinstance(need, GetCredentials):
            found = self._credentials.get(need.refused)
            if isinstance(found, Credentials):
                return found
            with self._credentials.waiting():
                return self._wait(found, need)
        time.sleep(need.seconds)
        return None

    def _wait(self, found: Credentials | Promise, need: GetCredentials) -> Credentials:
        while not isinstance(found, Credentials):
            left = seconds_left(LOOK_AGAIN_AFTER, need.deadline, time.monotonic())
            if not left:
                raise DeadlineExceeded("the call's time was over before there were credentials", request_sent=False)
            result = found.wait(left)
            credentials = None if result is None else credentials_or_raise(result)
            found = self._credentials.get(need.refused) if credentials is None else credentials
        return found


def _make_sender(
    transport: httpx.BaseTransport | None, tls: Callable[[], ssl.SSLContext], proxy: tuple[str, str] | None
) -> Sender:
    with httpx_needed(transport, proxy):
        from novaact_http._http.httpx_sender import Sender

    max_body = None
    if transport is not None:
        from novaact_http.transports import LeanTransport  # the one transport that has a limit of its own on bodies

        max_body = transport.max_body if isinstance(transport, LeanTransport) else None
    return Sender(transport, tls, proxy, max_body)
