"""What both clients have in common: options, settings, and what a client shares with its copies. Nothing here waits."""

from __future__ import annotations

import os
import time
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from novaact_http import errors
from novaact_http._aws.credential_cache import CredentialCache
from novaact_http._aws.credential_sources import choose_source
from novaact_http._aws.endpoints import is_loopback
from novaact_http._aws.profiles import Profile
from novaact_http._aws.settings import resolve
from novaact_http._call import flow
from novaact_http._call.clock_skew import ClockSkew
from novaact_http._call.heads import Heads
from novaact_http._call.rate_limiter import RateLimiter
from novaact_http._call.redaction import Redaction
from novaact_http._call.retries import Quota
from novaact_http._call.sigv4 import Scope, SigV4Signer
from novaact_http._call.user_agent import user_agent
from novaact_http._http import httpx_patches, tls
from novaact_http._http.pool_rules import check_open
from novaact_http._support import traceback_scrubbing
from novaact_http._support.logs import log
from novaact_http.config import RetryPolicy, Timeout
from novaact_http.errors import ConfigurationError, CredentialsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from typing_extensions import Self

    from novaact_http._call.http_messages import Headers
    from novaact_http._http import asyncio_pool, blocking_pool
    from novaact_http._needed_packages import needed


_SERVICE = "nova-act"

PoolT = TypeVar("PoolT", bound="blocking_pool.Pool | asyncio_pool.Pool")
HttpxSenderT = TypeVar("HttpxSenderT")


class Senders(Generic[PoolT, HttpxSenderT]):
    """What sends the requests of a client, and of its copies by `with_options`: the library's pool, or httpx.

    Safe to share between threads, and to interrupt anywhere.

    Args:
        pool: the library's pool; None if all requests go through httpx.
        make_httpx_sender: makes the object that sends through httpx. It is called when that is first needed, as
            importing httpx takes long.
        httpx_sender: the result of `make_httpx_sender`, if it was called already; else None.
        patched: the method of httpx's transports. While something stands in its place, or in that of another function
            of httpx that sends, all requests go through httpx.
    """

    def __init__(
        self,
        pool: PoolT | None,
        make_httpx_sender: Callable[[], HttpxSenderT],
        httpx_sender: HttpxSenderT | None,
        patched: str,
    ) -> None:
        self._pool = pool
        self._make_httpx_sender = make_httpx_sender
        self._httpx_sender: dict[None, HttpxSenderT] = {} if httpx_sender is None else {None: httpx_sender}
        self._patched = patched
        self._closed = False

    def pool(self) -> PoolT | None:
        """Return the pool if requests go through it now; None if they go `through_httpx`."""
        return None if self._pool is None or httpx_patches.are_installed(self._patched) else self._pool

    @property
    def has_httpx(self) -> bool:
        """Whether httpx is imported, so that `through_httpx` returns at once."""
        return bool(self._httpx_sender)

    def through_httpx(self) -> HttpxSenderT:
        """Return what sends through httpx.

        Raises:
            NovaActError: the client is closed.
        """
        sender = self._httpx_sender.get(None)
        if sender is None and not self._closed:
            sender = self._httpx_sender.setdefault(None, self._make_httpx_sender())
        check_open(closed=self._closed)
        assert sender is not None  # noqa: S101 - or it is closed
        return sender

    def close(self) -> HttpxSenderT | None:
        """Close the pool, and return what sends through httpx, for the caller to close; None if there is nothing."""
        self._closed = True
        if self._pool is not None:
            self._pool.close()
        return self._httpx_sender.pop(None, None)


def httpx_needed(transport: object, proxy: tuple[str, str] | None) -> needed:
    """Return the context to import httpx in.

    Args:
        transport: the argument of that name.
        proxy: the proxy's URL, and where it came from; None if there is none.
    """
    from novaact_http._needed_packages import needed  # most clients send without httpx

    if transport is not None:
        return needed("httpx", by="the argument transport", setting="transport", otherwise="pass none")
    return needed("httpx", by="a tool that replaces functions of httpx" if proxy is None else proxy[1])


class ClientBase:
    """The base of both clients.

    Args:
        options: the arguments of the client's constructor, all of them, as `Client` documents them.
    """

    exceptions = errors

    def __init__(self, **options: Any) -> None:
        _check(options)
        profile, verify = options["profile"], options["verify"]
        with traceback_scrubbing.cleared():  # the environment and the credentials file contain secrets
            settings = resolve(
                region=options["region"],
                endpoint_url=options["endpoint_url"],
                use_fips=options["use_fips"],
                use_dualstack=options["use_dualstack"],
                app_id=options["app_id"],
                retries=options["retries"],
                connects=options["transport"] is None,
                verifies=verify is not None,
                environ=os.environ,
                profile=Profile(profile, os.environ),
            )
            source = choose_source(
                options["credentials"], profile=profile, region=settings.region, environ=os.environ, now=time.time()
            )
        endpoint = settings.endpoint
        proxy_url = settings.proxy_url
        self._proxy = None if proxy_url is None else (proxy_url, settings.sources["proxy_url"].source)
        scheme = "https" if (proxy_url or "").startswith("https:") else endpoint.scheme
        if settings.ca_bundle is not None:
            path, bundle_source, _ = settings.ca_bundle
            self._tls = tls.provider(path, scheme=scheme, source=bundle_source)
        else:
            self._tls = tls.provider(verify, scheme=scheme)
        skew = ClockSkew()
        # Only a negative skew counts for the expiry of credentials. A positive one may be outdated, as somebody may
        # have set a slow clock right since. It would make credentials look expired, so nothing would be sent and the
        # skew never learnt again. If credentials really are expired, the service says so.
        self._credentials = CredentialCache(source, lambda: time.time() + min(skew.seconds, 0.0))
        signed_headers, call_headers = _headers(options["headers"])
        self._context = flow.Context(
            endpoint=endpoint,
            region=settings.region,
            timeout=_timeout(options["timeout"]),
            heads=Heads(
                signer=SigV4Signer() if options["signer"] is None else options["signer"],
                scope=Scope(settings.region, _SERVICE),
                authority=endpoint.authority,
                user_agent=user_agent(settings.app_id, os.environ.get("AWS_EXECUTION_ENV", "")),
                headers=signed_headers,
            ),
            redaction=Redaction(),
            retries=settings.retries,
            quota=Quota(),
            limiter=RateLimiter(_monotonic()),
            skew=skew,
            correct_clock_skew=options["correct_clock_skew"],
            clock=_clock,
            monotonic=_monotonic,
            new_invocation_id=_uuid4,
            credentials_at_hand=self._credentials.at_hand,
            on_attempt=options["on_attempt"],
            on_call=options["on_call"],
            renews_credentials=self._credentials.renews,
            call_headers=call_headers,
        )
        # A pickled client is made again from what was passed and from the resolved settings of the service. The
        # settings of the machine (credentials, CA bundle, proxy) are resolved anew where it is unpickled.
        self._options: Mapping[str, Any] = {
            **options,
            "region": settings.region,
            "endpoint_url": settings.endpoint_url,
            "use_fips": settings.use_fips,
            "use_dualstack": settings.use_dualstack,
            "app_id": settings.app_id,
            "headers": dict(options["headers"] or {}),
        }
        for remark in settings.remarks:
            log().warning(remark)
        if endpoint.scheme == "http" and not is_loopback(endpoint.host):
            warnings.warn(
                f"requests to http://{endpoint.authority} are not encrypted: "
                "use https, or others can read and replay them",
                stacklevel=3,
            )

    def __repr__(self) -> str:
        context = self._context
        return f"{type(self).__name__}(region={context.region!r}, endpoint={context.endpoint.authority!r})"

    def __reduce__(self) -> tuple[partial[Self], tuple[()]]:
        context = self._context
        options = {**self._options, "retries": context.retries, "timeout": context.timeout}
        _check_picklable(options)
        return partial(type(self), **options), ()

    def with_options(
        self,
        *,
        timeout: Timeout | float | None = None,
        retries: RetryPolicy | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Self:
        """Return this client with other limits, for example `client.with_options(timeout=2).list_sessions(...)`.

        The two share all else: connections, the retry quota, credentials, the clock skew, and in adaptive mode the rate
        of sending. Closing one closes both.

        Args:
            timeout: a `Timeout`, or seconds for a whole call; None to keep this client's.
            retries: a `RetryPolicy`; None to keep this client's.
            headers: further headers for every request, in place of this client's; None to keep these.

        Raises:
            ConfigurationError: a value is none of these.
        """
        _check_retries(retries)
        changes: dict[str, Any] = {}
        if headers is not None:
            signed, changes["call_headers"] = _headers(headers)
            changes["heads"] = self._context.heads.replace(headers=signed)
        if timeout is not None:
            changes["timeout"] = _timeout(timeout)
        if retries is not None:
            changes["retries"] = retries
        other = object.__new__(type(self))
        vars(other).update(vars(self))
        other._context = self._context.replace(**changes)
        if headers is not None:
            other._options = {**self._options, "headers": dict(headers)}
        return other


# Clocks are looked up whenever they are read, here as in pools: tests replace them after a client was made.
def _clock() -> float:
    return time.time()


def _monotonic() -> float:
    return time.monotonic()


def _headers(given: Mapping[str, str] | None) -> tuple[Headers, Callable[[], Headers] | None]:
    """Return the user's headers that are signed, and what returns those of each call that are not."""
    in_lambda = "AWS_LAMBDA_FUNCTION_NAME" in os.environ
    if not given and isinstance(given, (dict, type(None))):
        return (), _trace_header if in_lambda else None
    from novaact_http._call.user_headers import check  # few programs have any

    signed, unsigned = check(given)
    names = {name.lower() for name, _ in unsigned}
    if not in_lambda or "x-amzn-trace-id" in names:
        return signed, (lambda: unsigned) if unsigned else None
    return signed, lambda: (*unsigned, *_trace_header())


def _trace_header() -> Headers:
    from novaact_http._call.lambda_trace import trace_header  # elsewhere nobody needs it

    return trace_header(os.environ)


_VARIANTS = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))  # of RFC 9562, 4.1: the first two bits are 10


def _uuid4() -> str:
    # The same as `uuid.uuid4`, which is slower and takes 2 ms to import.
    digits = os.urandom(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{_VARIANTS[digits[16]]}{digits[17:20]}-{digits[20:]}"


def _check(options: Mapping[str, Any]) -> None:
    """Raise a `ConfigurationError` if an option is wrong; for those options that nothing else checks."""
    _check_retries(options["retries"])
    correct_clock_skew, signer = options["correct_clock_skew"], options["signer"]
    on_attempt, on_call = options["on_attempt"], options["on_call"]
    if not isinstance(correct_clock_skew, bool):
        raise _wrong_type("correct_clock_skew", correct_clock_skew, "pass True or False")
    if on_attempt is not None and not callable(on_attempt):
        raise _wrong_type("on_attempt", on_attempt, "pass a function that takes a novaact_http.Attempt")
    if on_call is not None and not callable(on_call):
        raise _wrong_type("on_call", on_call, "pass a function that takes a novaact_http.CallReport")
    if signer is not None and not callable(getattr(signer, "sign", None)):
        raise _wrong_type("signer", signer, "pass an object with a method sign(), such as BotocoreSigner()")


def _check_retries(retries: object) -> None:
    if not isinstance(retries, (RetryPolicy, type(None))):
        raise _wrong_type("retries", retries, "pass a novaact_http.RetryPolicy")


def _wrong_type(argument: str, value: object, advice: str) -> ConfigurationError:
    return _wrong(argument, f"is of type {type(value).__name__}", advice)


def _wrong(argument: str, problem: str, advice: str) -> ConfigurationError:
    return ConfigurationError(problem, setting=argument, source=f"the argument {argument}", advice=advice)


def _check_picklable(options: Mapping[str, Any]) -> None:
    import pickle
    from types import FunctionType

    for name, value in options.items():
        if name == "credentials" and not isinstance(value, (FunctionType, type(None))):
            raise CredentialsError(
                "cannot be pickled with the client, so that no secret is stored by accident",
                setting=name,
                source=f"the argument {name}",
                advice="pass no credentials, or a function of a module, of which only the name is pickled",
            )
        try:
            pickle.dumps(value)
        except Exception as error:
            advice = "pass another, or make the client where it is used"
            raise _wrong(name, f"cannot be pickled with the client ({error})", advice) from error


def _timeout(given: Timeout | float | None) -> Timeout:
    if given is None:
        return Timeout()
    if isinstance(given, Timeout):
        return given
    try:
        return Timeout(total=given)
    except ConfigurationError as error:
        advice = "pass a positive number, a year (31,536,000) at most, or a novaact_http.Timeout"
        raise _wrong("timeout", error.problem, advice) from None
