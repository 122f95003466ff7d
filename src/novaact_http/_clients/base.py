"""What both clients are made of: their settings, and what they share with their copies. Nothing here waits."""

from __future__ import annotations

import os
import threading
import time
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import attrs

from novaact_http import errors
from novaact_http._aws.credential_cache import CredentialCache
from novaact_http._aws.credential_sources import choose_source
from novaact_http._aws.endpoints import is_loopback
from novaact_http._aws.profiles import Profile
from novaact_http._aws.settings import resolve
from novaact_http._call import flow
from novaact_http._call.rate_limiter import RateLimiter
from novaact_http._call.retries import Quota
from novaact_http._call.sigv4 import SigV4Signer
from novaact_http._http import httpx_patches, tls
from novaact_http._support import traceback_scrubbing
from novaact_http._support.fork_safety import renew_after_fork
from novaact_http.attempts import Attempt, log
from novaact_http.config import RetryPolicy, Timeout
from novaact_http.errors import ConfigurationError, CredentialsError, NovaActError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

    from typing_extensions import Self

    from novaact_http._call.sigv4 import Signer
    from novaact_http._operations.common import SortOrder


class Closable(Protocol):
    """A pool, as far as this module knows it."""

    def close(self) -> None:
        """Close what is idle now, and the rest when it becomes so."""
        ...


PoolT = TypeVar("PoolT", bound=Closable)
SenderT = TypeVar("SenderT")


class Shared(Generic[PoolT, SenderT]):
    """What a client shares with those that `with_options` makes of it: what sends, and whether it is closed.

    Args:
        pool: the lean one; None if all goes through httpx.
        make: makes what sends through httpx, when that is first needed, as importing httpx takes a while.
        sender: it, if it has been made already.
        patched: the method of httpx's classes that mocking tools patch; while one of them does, all goes through httpx.
    """

    def __init__(self, pool: PoolT | None, make: Callable[[], SenderT], sender: SenderT | None, patched: str) -> None:
        self._pool = pool
        self._make = make
        self._sender = sender
        self._patched = patched
        self._closed = False
        self._lock = threading.Lock()
        renew_after_fork(self)

    def after_fork(self) -> None:
        self._lock = threading.Lock()

    def pool(self) -> PoolT | None:
        """What sends now; None for `through_httpx`."""
        return None if self._pool is None or httpx_patches.are_installed(self._patched) else self._pool

    @property
    def has_httpx(self) -> bool:
        """Is there no more to be imported for `through_httpx`?"""
        return self._sender is not None

    def through_httpx(self) -> SenderT:
        """What sends through httpx."""
        with self._lock:
            if self._closed:
                raise NovaActError("this client is closed; make a new one")
            if self._sender is None:
                self._sender = self._make()
            return self._sender

    def close(self) -> SenderT | None:
        """Close it, and return what is to be closed besides."""
        if self._pool is not None:
            self._pool.close()
        with self._lock:
            self._closed = True
            sender, self._sender = self._sender, None
            return sender


class ClientBase:
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
        if not isinstance(correct_clock_skew, bool):
            raise ConfigurationError(
                f"is of type {type(correct_clock_skew).__name__}",
                setting="correct_clock_skew",
                source="the argument correct_clock_skew",
                advice="pass True or False",
            )
        if on_attempt is not None and not callable(on_attempt):
            raise ConfigurationError(
                f"is of type {type(on_attempt).__name__}",
                setting="on_attempt",
                source="the argument on_attempt",
                advice="pass a function that takes a novaact_http.Attempt",
            )
        if signer is not None and not callable(getattr(signer, "sign", None)):
            raise ConfigurationError(
                f"is of type {type(signer).__name__}, which has no method sign()",
                setting="signer",
                source="the argument signer",
                advice="pass one that has, such as BotocoreSigner()",
            )
        with traceback_scrubbing.cleared():  # the environment and the credentials file have secrets
            settings = resolve(
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
            found = choose_source(
                credentials, profile=profile, region=settings.region, environ=os.environ, now=time.time()
            )
        endpoint = settings.endpoint
        self._proxy_url = settings.proxy_url
        scheme = "https" if (settings.proxy_url or "").startswith("https:") else endpoint.scheme
        if settings.ca_bundle is not None:
            path, source, _ = settings.ca_bundle
            self._tls = tls.provider(path, scheme=scheme, source=source)
        else:
            self._tls = tls.provider(verify, scheme=scheme)
        skew = flow.ClockSkew()
        # A clock thought to be slow may have been set right meanwhile. It must not make credentials look expired, or
        # nothing would be sent, and nothing learnt of the clock, ever again; the service says so if they are.
        self._credentials = CredentialCache(found, lambda: time.time() + min(skew.seconds, 0.0))
        self._context = flow.Context(
            endpoint=endpoint,
            region=settings.region,
            timeout=_timeout(timeout),
            signer=SigV4Signer() if signer is None else signer,
            retries=settings.retries,
            quota=Quota(),
            limiter=RateLimiter(time.monotonic()),
            skew=skew,
            correct_clock_skew=correct_clock_skew,
            clock=time.time,
            monotonic=time.monotonic,
            new_invocation_id=_uuid4,
            user_agent=flow.user_agent(settings.app_id),
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
            log().warning(remark)
        if endpoint.scheme == "http" and not is_loopback(endpoint.host):
            warnings.warn(
                f"requests to http://{endpoint.authority} are not encrypted: whoever sees one can read and replay it",
                stacklevel=3,
            )

    def __repr__(self) -> str:
        context = self._context
        return f"{type(self).__name__}(region={context.region!r}, endpoint={context.endpoint.authority!r})"

    def __reduce__(self) -> tuple[partial[Self], tuple[()]]:
        context = self._context
        options: dict[str, Any] = {**self._options, "retries": context.retries, "timeout": context.timeout}
        _check_picklable(options)
        return partial(type(self), **options), ()

    def with_options(self, *, timeout: Timeout | float | None = None, retries: RetryPolicy | None = None) -> Self:
        """This client with other limits, for example `client.with_options(timeout=2).list_sessions(...)`.

        It shares all else with this one: connections, quota of retries, credentials, what was learnt of the clock and
        (in adaptive mode) of the rate that the service admits.
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


def _uuid4() -> str:
    # As `uuid` makes it, which is slower, and takes 2 ms to import.
    digits = os.urandom(16).hex()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def _check_retries(retries: object) -> None:
    if not isinstance(retries, (RetryPolicy, type(None))):
        raise ConfigurationError(
            f"is of type {type(retries).__name__}",
            setting="retries",
            source="the argument retries",
            advice="pass a novaact_http.RetryPolicy",
        )


def _check_picklable(options: Mapping[str, object]) -> None:
    import pickle
    from types import FunctionType

    for name, value in options.items():
        if name == "credentials" and not isinstance(value, (FunctionType, type(None))):
            raise CredentialsError(
                "cannot be pickled with the client, so that no secret is stored by accident",
                setting="credentials",
                source="the argument credentials",
                advice="pass no credentials, or a function of a module, of which only the name is pickled",
            )
        try:
            pickle.dumps(value)
        except Exception as error:
            raise ConfigurationError(
                f"cannot be pickled with the client ({error})",
                setting=name,
                source=f"the argument {name}",
                advice="pass another, or make the client where it is used",
            ) from error


def _timeout(given: Timeout | float | None) -> Timeout:
    if given is None:
        return Timeout()
    if isinstance(given, Timeout):
        return given
    try:
        return Timeout(total=given)
    except ConfigurationError as error:
        raise ConfigurationError(
            error.problem,
            setting="timeout",
            source="the argument timeout",
            advice="pass a positive number, a year (31,536,000) at most, or a novaact_http.Timeout",
        ) from None


def list_sessions_arguments(
    workflow_definition_name: str, workflow_run_id: str, sort_order: SortOrder | str | None
) -> dict[str, object]:
    return {
        "workflow_definition_name": workflow_definition_name,
        "workflow_run_id": workflow_run_id,
        "sort_order": sort_order,
    }
