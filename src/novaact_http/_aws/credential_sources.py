"""Where credentials come from: what was passed, else the environment's keys, else botocore's chain of providers.

A source knows the credentials at hand, and how to get others, which may take long; `credential_cache` decides when.
Environment and clock are arguments. The environment's keys are found as botocore finds them, without importing it.
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
_REFRESH_BEFORE = 15 * 60  # seconds: what is left of credentials when botocore begins to refresh them


class Source(Protocol):
    """One place that credentials come from."""

    name: str
    renews: bool

    def is_asynchronous(self) -> bool:
        """Does calling `fetch` take no time, and is what it returns to be awaited?"""
        ...

    def cached(self, now: float) -> tuple[Credentials | None, bool]:
        """What can be had at once."""
        ...

    def fetch(self, *, forced: bool) -> object:
        """Get others. May take long, may raise anything. `forced`: those at hand do not count as good."""
        ...

    def store(self, answer: object, now: float) -> Credentials:
        """Check what was got, and keep it.

        Raises:
            CredentialsError: it is not what it should be.
        """
        ...

    def postpone_refresh(self, until: float) -> None:
        """Do not call a refresh due before this time."""
        ...

    def origin(self) -> tuple[str, dt.datetime | None]:
        """Where they came from, and when they expire, as far as is known."""
        ...

    def after_fork(self) -> None:
        """Forget what a thread of the parent's was refreshing. Called in the child."""
        ...


class FixedCredentials:
    """Credentials that never change; and what is raised when they have expired."""

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

    def fetch(self, *, forced: bool) -> object:  # noqa: ARG002 - there are no others
        return self._credentials

    def store(self, answer: object, now: float) -> Credentials:
        return _checked(answer, self.name, now)

    def postpone_refresh(self, until: float) -> None:
        """Never due anyway."""

    def origin(self) -> tuple[str, dt.datetime | None]:
        return self.name, self._credentials.expires_at

    def after_fork(self) -> None:
        """Never refreshed."""


class CredentialsFunction:
    """A function that returns credentials; they are kept until they expire."""

    renews = True

    def __init__(self, function: Callable[[], object], name: str) -> None:
        self._function = function
        self.name = name
        # Credentials, when they expire, and when to refresh them. Replaced whole, so that readers need no lock.
        self._kept: tuple[Credentials | None, float, float] = (None, -math.inf, -math.inf)

    def is_asynchronous(self) -> bool:
        return _is_coroutine_function(self._function)

    def cached(self, now: float) -> tuple[Credentials | None, bool]:
        credentials, expires, due = self._kept
        return (credentials, now >= due) if now < expires else (None, True)

    def fetch(self, *, forced: bool) -> object:  # noqa: ARG002 - it is never asked for nothing
        return self._function()

    def store(self, answer: object, now: float) -> Credentials:
        credentials = _checked(answer, self.name, now)
        expires = _expiry(credentials)
        left = expires - now
        # Credentials that are short-lived from the start are not refreshed all the time.
        self._kept = (credentials, expires, now + max(left - _REFRESH_BEFORE, left / 2))
        return credentials

    def postpone_refresh(self, until: float) -> None:
        self._kept = (*self._kept[:2], until)

    def origin(self) -> tuple[str, dt.datetime | None]:
        credentials = self._kept[0]
        return self.name, None if credentials is None else credentials.expires_at

    def after_fork(self) -> None:
        """What it keeps is whole at any time."""


class FetchedCredentials(NamedTuple):
    """Credentials, for people to see where they came from."""

    credentials: Credentials
    origin: str
    expires_at: dt.datetime | None


def fetch_with_origin(source: Source, now: float) -> FetchedCredentials:
    """What a source gives, which may take long.

    Raises:
        CredentialsError: it gives none.
    """
    try:
        credentials = source.cached(now)[0] or source.store(source.fetch(forced=False), now)
    except Exception as error:  # noqa: BLE001 - it is botocore's
        failure = as_credentials_error(source.name, error)
        raise failure from failure.__cause__
    return FetchedCredentials(credentials, *source.origin())


def choose_source(
    argument: object, *, profile: str | None, region: str, environ: Mapping[str, str], now: float
) -> Source:
    """The source of a client's credentials: the argument, else the environment's keys, else botocore's chain.

    Args:
        argument: `Credentials`, or a function that returns them, or what botocore and boto3 have of the kind, or None.
        profile: the profile that was passed by argument; the environment's keys do not count then, as in boto3.
        region: for services that the chain asks, such as STS.
        environ: the environment.
        now: seconds since the epoch.

    Raises:
        CredentialsError: the argument is something else, or the environment has half a key pair, or a malformed one.
    """
    if argument is None:
        if profile is None and environ.get(_KEY):
            return _from_environment(environ, now)
        from novaact_http._aws.botocore_credentials import chain_of_providers

        return chain_of_providers(profile, region)
    if isinstance(argument, Credentials):
        return FixedCredentials(argument, "the argument credentials")
    kind = f"the class {argument.__name__}" if isinstance(argument, type) else type(argument).__name__
    name = f"the argument credentials, a {kind},"
    for method in ("get_frozen_credentials", "get_credentials"):
        if _has(argument, method):
            return _from_botocore(argument, method, name)
    if callable(argument) and not isinstance(argument, type):
        return CredentialsFunction(
            cast("Callable[[], object]", argument),
            f"the argument credentials, the function {getattr(argument, '__name__', kind)},",
        )
    raise CredentialsError(
        "credentials must be a novaact_http.Credentials, a function that returns one, or a session or credentials of "
        f"botocore's or boto3's, not {kind}"
    )


def _has(argument: object, method: str) -> bool:
    # A class has its instances' methods, but is one of them only by mistake.
    if isinstance(argument, type):
        return False
    try:
        return callable(getattr(argument, method, None))
    except Exception:  # noqa: BLE001 - whatever an object's own `__getattr__` raises, it has no such method
        return False


def _from_botocore(argument: object, method: str, name: str) -> Source:
    from novaact_http._aws.botocore_credentials import BotocoreSource

    if _is_coroutine_function(getattr(argument, method)):
        raise CredentialsError(
            f"{method}() of {name} is asynchronous: pass AsyncClient an async function that awaits it and "
            "returns a novaact_http.Credentials"
        )
    return BotocoreSource(getattr(argument, method) if method == "get_credentials" else lambda: argument, name)


def _from_environment(environ: Mapping[str, str], now: float) -> Source:
    credentials, name = _read_environment(environ), "the environment"
    if credentials.expires_at is None:
        return FixedCredentials(credentials, name)
    # As botocore: whoever set the time will set other keys in time.
    source = CredentialsFunction(lambda: _read_environment(environ), name)
    with contextlib.suppress(CredentialsError):  # expired already: said when they are needed, as by botocore
        source.store(credentials, now)
    return source


def _read_environment(environ: Mapping[str, str]) -> Credentials:
    # As botocore: a key without its secret is a mistake, and the older name of the token wins.
    for name in (_KEY, _SECRET):
        if not environ.get(name):
            raise CredentialsError(f"{name} is not set in the environment: set both {_KEY} and {_SECRET}, or neither")
    expires_at = _moment(environ[_EXPIRATION]) if environ.get(_EXPIRATION) else None
    try:
        return Credentials(
            access_key_id=environ[_KEY],
            secret_access_key=environ[_SECRET],
            session_token=environ.get("AWS_SECURITY_TOKEN") or environ.get("AWS_SESSION_TOKEN") or None,
            expires_at=expires_at,
        )
    except CredentialsError as error:
        raise CredentialsError(f"the environment gave bad credentials: {error}") from None


def _moment(text: str) -> dt.datetime:
    import datetime as dt  # 2 ms to import, and rare

    with contextlib.suppress(ValueError):
        # Before Python 3.11 it knows no Z.
        moment = dt.datetime.fromisoformat(f"{text[:-1]}+00:00" if text.endswith(("Z", "z")) else text)
        if moment.tzinfo is not None:
            return moment
    raise CredentialsError(f"{_EXPIRATION} is {text[:40]!r}; it must be a time such as 2026-01-31T12:00:00Z")


def _is_coroutine_function(function: object) -> bool:
    import inspect  # 10 ms to import, and rare but where asyncio has loaded it already

    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004 - an object may have an asynchronous one
    )


def is_awaitable(answer: object) -> bool:
    # Of its type, as Python asks: an instance may have a `__getattr__` that raises whatever it likes.
    return hasattr(type(answer), "__await__")


def _expiry(credentials: Credentials) -> float:
    return math.inf if credentials.expires_at is None else credentials.expires_at.timestamp()


def _checked(answer: object, name: str, now: float) -> Credentials:
    if not isinstance(answer, Credentials):
        kind = type(answer).__name__
        if is_awaitable(answer):
            getattr(answer, "close", lambda: None)()  # or Python would complain that nobody awaited it
            kind += ", which Client cannot await: pass a plain function, or use AsyncClient"
        raise CredentialsError(f"{name} must return a novaact_http.Credentials, not a {kind}")
    if _expiry(answer) <= now:
        raise CredentialsError(f"{name} has credentials that expired at {answer.expires_at}; others are needed")
    return answer


def as_credentials_error(name: str, error: BaseException) -> CredentialsError:
    if isinstance(error, CredentialsError):
        return error
    # The words of a user's own exception are not repeated: nobody knows what is in them.
    reason: str = type(error).__name__
    cause: BaseException | None = error
    if type(error).__module__.startswith("botocore."):
        from novaact_http._aws.botocore_credentials import reason_and_cause

        reason, cause = reason_and_cause(error)
    failure = CredentialsError(f"{name} failed: {reason}")
    failure.__cause__ = cause
    return failure
