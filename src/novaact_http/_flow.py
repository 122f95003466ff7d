"""One call as a generator: all that is decided about a call is decided here, and nothing here waits or connects.

The generator yields what it needs and is told the result: `GetCredentials` (answered with `Credentials`), a
`_wire.Request` (answered with a `_wire.Response`), `Sleep` (answered with None). What goes wrong is thrown in. It
returns the operation's output, or raises a `NovaActError`. `Client` and `AsyncClient` are two drivers of it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

import attrs

from novaact_http import _parameters, _restjson
from novaact_http._dates import parse_date
from novaact_http._retry import Quota, Retries
from novaact_http._settings import Settings
from novaact_http._sigv4 import Scope, Signer, amz_date
from novaact_http._version import __version__
from novaact_http._wire import Headers, Request
from novaact_http.config import Credentials, RetryPolicy, Timeout
from novaact_http.errors import ResponseError, ServiceError, TransportError

if TYPE_CHECKING:
    from novaact_http.operations import Operation

OutputT = TypeVar("OutputT")

SERVICE = "nova-act"

# AWS's have 40 characters and more. Shorter ones are stand-ins in tests: blanking out each "b" would garble all text.
_SHORTEST_SECRET = 8


@attrs.frozen
class GetCredentials:
    """Asks for credentials that are good now; asked for anew before every attempt."""


@attrs.frozen
class Sleep:
    """Asks to wait before the next attempt."""

    seconds: float


Need = GetCredentials | Request | Sleep
Flow = Generator[Need, Any, OutputT]


@attrs.frozen(kw_only=True)
class Context:
    """What all calls of a client have in common. Time and randomness come in here.

    Attributes:
        clock: seconds since the epoch.
        new_invocation_id: a fresh UUID, as text.
    """

    settings: Settings
    timeout: Timeout
    signer: Signer
    retries: RetryPolicy
    quota: Quota
    clock: Callable[[], float]
    new_invocation_id: Callable[[], str]


def call(context: Context, operation: Operation[OutputT], arguments: Mapping[str, object]) -> Flow[OutputT]:
    """Call an operation.

    Args:
        context: the client's.
        operation: what to call.
        arguments: by Python name; None for those not given.

    Raises:
        ParameterError: bad arguments; nothing was asked for.
        NovaActError: whatever the call ends with, once there are no more attempts.
    """
    _parameters.check(operation.name, operation.inputs, arguments)
    target, body = _target_and_body(context.settings, operation, arguments)
    invocation_id = context.new_invocation_id()
    retries = Retries(context.retries, context.quota)
    attempt = 1
    ttl = ""
    while True:
        credentials: Credentials = yield GetCredentials()
        request, redact = _sign(
            context,
            operation,
            target=target,
            body=body,
            credentials=credentials,
            invocation_id=invocation_id,
            sdk_request=f"{ttl}attempt={attempt}; max={retries.max_attempts}",
        )
        try:
            response = yield request
            output = _restjson.decode(operation, response, attempts=attempt, now=context.clock(), redact=redact)
        except (TransportError, ServiceError, ResponseError) as error:
            error.attempts = attempt
            delay = retries.delay(operation, error, attempt)
            if delay is None:
                raise
            ttl = _ttl(error, context.timeout) or ttl
        else:
            retries.succeeded()
            return output
        yield Sleep(delay)
        attempt += 1


def _ttl(failure: TransportError | ServiceError | ResponseError, timeout: Timeout) -> str:
    """Until when, by the service's own clock, this client waits for the next attempt's answer; `""` if unknown."""
    date = None if isinstance(failure, TransportError) else parse_date(failure.headers.get("date", ""))
    return "" if date is None else f"ttl={amz_date(date + timeout.read)}; "


def _target_and_body(
    settings: Settings, operation: Operation[object], arguments: Mapping[str, object]
) -> tuple[str, bytes]:
    path, query, body = _restjson.encode(operation, arguments)
    query = "&".join(filter(None, (settings.endpoint.query, query)))
    return f"{settings.endpoint.path}{path}{'?' if query else ''}{query}", body


def _sign(
    context: Context,
    operation: Operation[object],
    *,
    target: str,
    body: bytes,
    credentials: Credentials,
    invocation_id: str,
    sdk_request: str,
) -> tuple[Request, _restjson.Redact]:
    settings = context.settings
    signed = context.signer.sign(
        operation.method,
        target,
        (("Host", settings.endpoint.authority), ("Content-Type", _restjson.CONTENT_TYPE)),
        body,
        credentials=credentials,
        scope=Scope(settings.region, SERVICE),
        now=context.clock(),
    )
    # The rest is not signed, as proxies may change it: AWS's own SDKs leave out the same.
    headers = (
        *signed,
        ("Accept-Encoding", "identity"),
        ("User-Agent", USER_AGENT),
        ("amz-sdk-invocation-id", invocation_id),
        ("amz-sdk-request", sdk_request),
        ("Content-Length", str(len(body))),
    )
    request = Request(
        method=operation.method,
        endpoint=settings.endpoint,
        target=target,
        headers=headers,
        body=body,
        timeout=context.timeout,
    )
    return request, _redactor(credentials, signed)


def _redactor(credentials: Credentials, signed: Headers) -> _restjson.Redact:
    """Blanks out this request's secrets where the service echoes them, as it does in a signature mismatch."""
    signatures = [value.rpartition("Signature=")[2] for name, value in signed if name == "Authorization"]
    known = (credentials.secret_access_key, credentials.session_token or "", *signatures)
    # As it is, and as JSON and URLs may spell it.
    spellings = {
        spelling
        for secret in known
        if len(secret) >= _SHORTEST_SECRET
        for spelling in (secret, secret.replace("/", "\\/"), quote(secret, safe=""))
    }

    def redact(text: str) -> str:
        for spelling in spellings:
            text = text.replace(spelling, "***")
        return text

    return redact


def _user_agent() -> str:
    # The form of AWS's SDKs: https://docs.aws.amazon.com/sdkref/latest/guide/feature-application-id.html
    # `platform` would tell more about the OS, but importing it costs more than the rest of this module.
    system = {"darwin": "macos", "win32": "windows"}.get(sys.platform, sys.platform)
    python = ".".join(map(str, sys.version_info[:3]))
    implementation = {"cpython": "CPython", "pypy": "PyPy"}.get(sys.implementation.name, sys.implementation.name)
    return f"novaact-http/{__version__} ua/2.1 os/{system} lang/python#{python} md/pyimpl#{implementation}"


USER_AGENT = _user_agent()
