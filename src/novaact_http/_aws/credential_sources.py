"""Where credentials come from: the argument, else the environment's keys, else botocore's chain of providers.

A source holds the credentials that it got last, and can fetch new ones, which may take long. `credential_cache` decides
when. Nothing here reads the clock or the process's environment: both are arguments. The environment's keys are read as
botocore reads them, without importing it.
"""

from __future__ import annotations

import contextlib
import math
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from novaact_http.config import Credentials
from novaact_http.errors import CredentialsError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping

_KEY, _SECRET, _EXPIRATION = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_CREDENTIAL_EXPIRATION"
_ARGUMENT, _ENVIRONMENT = "the argument credentials", "the environment"
_REFRESH_BEFORE = 15 * 60  # seconds before credentials expire, when botocore begins to refresh them


class Source(Protocol):
    """One place that credentials come from.

    Attributes:
        name: the place, for the `source` of errors.
        renews: whether a later fetch may return other credentials.
    """

    name: str
    renews: bool

    def is_asynchronous(self) -> bool:
        """Tell whether `fetch` returns at once, with something to await."""
        ...

    def cached(self, now: float) -> tuple[Credentials | None, bool]:
        """Return the credentials that are good now, if they can be had at once, and whether a refresh is due."""
        ...

    def fetch(self, *, forced: bool) -> object:
        """Fetch credentials, for `store`. May take long, and may raise anything.

        Args:
            forced: whether to fetch even if the last credentials look good.
        """
        ...

    def store(self, answer: object, now: float) -> Credentials:
        """Check and keep what `fetch` returned, once it was awaited if it is awaitable.

        Raises:
            CredentialsError: these are no credentials, or they have expired.
        """
        ...

    def postpone_refresh(self, until: float) -> None:
        """Do not call a refresh due before this time."""
        ...

    def origin(self) -> tuple[str, dt.datetime | None]:
        """Return where the credentials came from, and when they expire if that is known."""
        ...

    def want(self) -> None:
        """Learn that a call waits, so that the user may be asked."""
        ...

    def give_up(self) -> bool:
        """Ask the user nothing, as no call waits. Return whether that ends a fetch."""
        ...

    def after_fork(self) -> None:
        """Forget what a thread of the parent process was refreshing. Called in the child process."""
        ...


class FixedCredentials:
    """Credentials that never change. Once they have expired, asking for them raises an error."""

    renews = False

    def __init__(self, credentials: Credentials, name: str) -> None:
        self.name = name
        self._credentials = credentials
        self._cached = (credentials, False)
        self._expires = _expiry(credentials)

    def is_asynchronous(self) -> bool:
        return False

    def cached(self, now: float) -> tuple[Credentials | None, bool]:
        return self._cached if now < self._expires else (None, True)

    def fetch(self, *, forced: bool) -> object:  # noqa: ARG002 - there are no other credentials
        return self._credentials

    def store(self, answer: object, now: float) -> Credentials:
        return _checked(answer, self.name, now)

    def postpone_refresh(self, until: float) -> None:
        """A refresh is never due."""

    def origin(self) -> tuple[str, dt.datetime | None]:
        return self.name, self._credentials.expires_at

    def want(self) -> None:
        """The user is not asked."""

    def give_up(self) -> bool:
        return False

    def after_fork(self) -> None:
        """Nothing is refreshed."""


class CredentialsFunction:
    """A function that returns credentials. They are kept until they expire."""

    renews = True

    def __init__(self, function: Callable[[], object], name: str) -> None:
        self._function = function
        self.name = name
        # The credentials, when they expire, and when to refresh them. The tuple is replaced whole, so that readers need
        # no lock.
        self._kept: tuple[Credentials | None, float, float] = (None, -math.inf, -math.inf)

    def is_asynchronous(self) -> bool:
        return _is_coroutine_function(self._function)

    def cached(self, now: float) -> tuple[Credentials | None, bool]:
        credentials, expires, due = self._kept
        return (credentials, now >= due) if now < expires else (None, True)

    def fetch(self, *, forced: bool) -> object:  # noqa: ARG002 - called only if new ones are needed
        return self._function()

    def store(self, answer: object, now: float) -> Credentials:
        credentials = _checked(answer, self.name, now)
        expires = _expiry(credentials)
        left = expires - now
        # Without the half, credentials that live less than 15 minutes would be refreshed at every call.
        self._kept = (credentials, expires, now + max(left - _REFRESH_BEFORE, left / 2))
        return credentials

    def postpone_refresh(self, until: float) -> None:
        self._kept = (*self._kept[:2], until)

    def origin(self) -> tuple[str, dt.datetime | None]:
        credentials = self._kept[0]
        return self.name, None if credentials is None else credentials.expires_at

    def want(self) -> None:
        """Nobody but the function knows whether the user is asked."""

    def give_up(self) -> bool:
        return False

    def after_fork(self) -> None:
        """Nothing to do: what is kept is whole at any time."""


class FetchedCredentials(NamedTuple):
    """Credentials, and what to tell people about them.

    Attributes:
        credentials: as fetched.
        origin: where they came from.
        expires_at: when they expire, if that is known.
    """

    credentials: Credentials
    origin: str
    expires_at: dt.datetime | None


def fetch_with_origin(source: Source, now: float) -> FetchedCredentials:
    """Fetch credentials on this thread, which may take long, and tell where they came from.

    Raises:
        CredentialsError: the source has none, or failed.
    """
    try:
        credentials = source.cached(now)[0] or source.store(source.fetch(forced=False), now)
        return FetchedCredentials(credentials, *source.origin())
    except Exception as error:  # noqa: BLE001 - botocore may raise anything
        failure = as_credentials_error(source.name, error)
    # Not in the block above, where the error, which may hold secrets, would become the context of this one.
    raise failure from failure.__cause__


def choose_source(
    argument: object, *, profile: str | None, region: str, environ: Mapping[str, str], now: float
) -> Source:
    """Return the source of a client's credentials: the argument, else the environment's keys, else botocore's chain.

    Args:
        argument: `Credentials`, a function that returns them, a session or credentials of botocore or boto3, or None.
        profile: the profile that was passed as an argument. With one, the environment's keys do not count, as in boto3.
        region: for services that the chain calls, such as STS.
        environ: the environment.
        now: seconds since the epoch.

    Raises:
        CredentialsError: the argument is something else, or the environment's keys are incomplete or malformed.
    """
    if argument is None:
        if profile is None and environ.get(_KEY):
            return _from_environment(environ, now)
        from novaact_http._aws.botocore_credentials import chain_of_providers

        return chain_of_providers(profile, region)
    if isinstance(argument, Credentials):
        return FixedCredentials(argument, _ARGUMENT)
    is_class = isinstance(argument, type)
    kind = type(argument).__name__
    for method in ("get_frozen_credentials", "get_credentials"):
        if not is_class and _has(argument, method):
            return _from_botocore(argument, method, f"{_ARGUMENT} (a {kind})")
    if callable(argument) and not is_class:
        name = f"{_ARGUMENT} (the function {getattr(argument, '__name__', kind)})"
        return CredentialsFunction(cast("Callable[[], object]", argument), name)
    raise CredentialsError(
        f"is the class {argument.__name__}" if isinstance(argument, type) else f"is of type {kind}",
        setting="credentials",
        source=_ARGUMENT,
        advice="pass a novaact_http.Credentials, a function that returns one, or a session or credentials of botocore "
        "or boto3",
    )


def _has(argument: object, method: str) -> bool:
    try:
        return callable(getattr(argument, method, None))
    except Exception:  # noqa: BLE001 - if the object's own `__getattr__` raises, there is no such method
        return False


def _from_botocore(argument: object, method: str, name: str) -> Source:
    from novaact_http._aws.botocore_credentials import from_session

    if _is_coroutine_function(getattr(argument, method)):
        raise CredentialsError(
            f"has an asynchronous {method}()",
            setting="credentials",
            source=name,
            advice="pass AsyncClient an async function that awaits it and returns a novaact_http.Credentials",
        )
    return from_session(getattr(argument, method) if method == "get_credentials" else lambda: argument, name)


def _from_environment(environ: Mapping[str, str], now: float) -> Source:
    credentials = _read_environment(environ)
    if credentials.expires_at is None:
        return FixedCredentials(credentials, _ENVIRONMENT)
    # As in botocore: the environment is read again before its keys expire.
    source = CredentialsFunction(lambda: _read_environment(environ), _ENVIRONMENT)
    with contextlib.suppress(CredentialsError):  # if they have expired, the first call raises it, as in botocore
        source.store(credentials, now)
    return source


def _read_environment(environ: Mapping[str, str]) -> Credentials:
    # As in botocore, a key without its secret is a mistake, and the token's older name wins.
    for name in (_KEY, _SECRET):
        if not environ.get(name):
            raise CredentialsError(
                "is not set in the environment",
                setting="credentials",
                source=name,
                advice=f"set both {_KEY} and {_SECRET}, or neither",
            )
    token = "AWS_SECURITY_TOKEN" if environ.get("AWS_SECURITY_TOKEN") else "AWS_SESSION_TOKEN"
    expires_at = _parse_time(environ[_EXPIRATION]) if environ.get(_EXPIRATION) else None
    try:
        return Credentials(
            access_key_id=environ[_KEY],
            secret_access_key=environ[_SECRET],
            session_token=environ.get(token) or None,
            expires_at=expires_at,
        )
    except CredentialsError as error:
        variables = {"Credentials.access_key_id": _KEY, "Credentials.secret_access_key": _SECRET}
        raise CredentialsError(
            error.problem, setting="credentials", source=variables.get(error.source or "", token), advice=error.advice
        ) from None


def _parse_time(text: str) -> dt.datetime:
    import datetime as dt  # 2 ms to import, and rare

    with contextlib.suppress(ValueError):
        # Before Python 3.11, it does not read Z.
        moment = dt.datetime.fromisoformat(f"{text[:-1]}+00:00" if text.endswith(("Z", "z")) else text)
        if moment.tzinfo is not None:
            return moment
    raise CredentialsError(
        f"is {text[:40]!r}, which is not a time with a time zone",
        setting="credentials",
        source=_EXPIRATION,
        advice="set a time such as 2026-01-31T12:00:00Z",
    )


def _is_coroutine_function(function: object) -> bool:
    import inspect  # 10 ms to import; asyncio has loaded it already

    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004 - an object may have an asynchronous one
    )


def is_awaitable(answer: object) -> bool:
    """Tell whether an object can be awaited."""
    # On its type, as Python does: an instance may have a `__getattr__` that raises anything.
    return hasattr(type(answer), "__await__")


def _expiry(credentials: Credentials) -> float:
    return math.inf if credentials.expires_at is None else credentials.expires_at.timestamp()


def _checked(answer: object, name: str, now: float) -> Credentials:
    if not isinstance(answer, Credentials):
        returned = f"returned an object of type {type(answer).__name__}"
        if is_awaitable(answer):
            getattr(answer, "close", lambda: None)()  # or Python would warn that it was never awaited
            raise CredentialsError(
                f"{returned}, which Client cannot await",
                setting="credentials",
                source=name,
                advice="pass a plain function, or use AsyncClient",
            )
        raise CredentialsError(returned, setting="credentials", source=name, advice="return a novaact_http.Credentials")
    if _expiry(answer) <= now:
        raise CredentialsError(
            f"has credentials that expired at {answer.expires_at}",
            setting="credentials",
            source=name,
            advice="get new ones",
        )
    return answer


def as_credentials_error(name: str, error: BaseException) -> CredentialsError:
    """Return what a source raised as a `CredentialsError`, with the original as its cause where that has no secrets.

    Args:
        name: the source's name.
        error: what it raised. A `CredentialsError` is returned as it is.
    """
    if isinstance(error, CredentialsError):
        return error
    from novaact_http._aws.botocore_credentials import is_from_botocore, provider_asked, reason_and_cause

    # The text of an exception that is not botocore's is not repeated: it could hold anything.
    reason: str = type(error).__name__
    cause: BaseException | None = error
    if is_from_botocore(error):
        provider = provider_asked(error)
        name = name if provider is None else f"{name}: {provider}"
        reason, cause = reason_and_cause(error)
    failure = CredentialsError(f"failed: {reason}", setting="credentials", source=name)
    failure.__cause__ = cause
    return failure
