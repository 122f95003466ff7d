"""Where credentials come from, and how they are kept fresh. Environment and clock are arguments.

A source knows the credentials at hand, and how to get others, which may take long. `Provider` decides when that is
done, for all calls of a client: credentials still good are served at once while one refresh runs behind; callers wait
only if there are none that are good; one refresh at a time, however many callers; if it fails, each of those who waited
gets that one error, and the next caller begins anew. Nothing is ever fetched on a caller's thread or event loop: so a
caller can give up waiting, and an event loop is never blocked.

The environment's keys are found as botocore finds them, without importing it. All other sources are botocore's own.
"""

from __future__ import annotations

import contextlib
import math
import threading
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

from novaact_http._support.fork_safety import renew_after_fork
from novaact_http.attempts import log
from novaact_http.config import Credentials
from novaact_http.errors import CredentialsError

if TYPE_CHECKING:
    import asyncio
    import datetime as dt
    from collections.abc import Awaitable, Callable, Mapping
    from concurrent.futures import Future

_KEY, _SECRET, _EXPIRATION = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_CREDENTIAL_EXPIRATION"

# Seconds.
_REFRESH_BEFORE = 15 * 60  # what is left of credentials when botocore begins to refresh them
_PAUSE = 60  # after a refresh behind that failed
_LONGEST_REASON = 300  # characters


class _HasFrozenCredentials(Protocol):
    def get_frozen_credentials(self) -> Any: ...


class _HasCredentials(Protocol):
    def get_credentials(self) -> Any: ...


# botocore's and boto3's credentials and sessions.
BotocoreCredentials = _HasFrozenCredentials | _HasCredentials


class AtHand(NamedTuple):
    """Credentials to be had without waiting, None if there are none that are good; and is it time to refresh them?"""

    credentials: Credentials | None
    due: bool


class Source(Protocol):
    """One place that credentials come from."""

    name: str

    def is_asynchronous(self) -> bool:
        """Does calling `ask` take no time, and is what it returns to be awaited?"""
        ...

    def at_hand(self, now: float) -> AtHand:
        """What can be had at once."""
        ...

    def ask(self, *, forced: bool) -> object:
        """Get others. May take long, may raise anything. `forced`: those at hand do not count as good."""
        ...

    def accept(self, answer: object, now: float) -> Credentials:
        """Check what was got, and keep it.

        Raises:
            CredentialsError: it is not what it should be.
        """
        ...

    def postpone(self, until: float) -> None:
        """Do not call a refresh due before this time."""
        ...

    def after_fork(self) -> None:
        """Forget what a thread of the parent's was refreshing. Called in the child."""
        ...


class Fixed:
    """Credentials that never change; and what is raised when they have expired."""

    def __init__(self, credentials: Credentials, name: str) -> None:
        self.name = name
        self._at_hand = AtHand(credentials, due=False)
        self._expires = _expiry(credentials)

    def is_asynchronous(self) -> bool:
        return False

    def at_hand(self, now: float) -> AtHand:
        return self._at_hand if now < self._expires else AtHand(None, due=True)

    def ask(self, *, forced: bool) -> object:  # noqa: ARG002 - there are no others
        return self._at_hand.credentials

    def accept(self, answer: object, now: float) -> Credentials:
        return _checked(answer, self.name, now)

    def postpone(self, until: float) -> None:
        """Never due anyway."""

    def after_fork(self) -> None:
        """Never refreshed."""


class Function:
    """A function that returns credentials; they are kept until they expire."""

    def __init__(self, function: Callable[[], object], name: str) -> None:
        self._function = function
        self.name = name
        # Credentials, when they expire, and when to refresh them. Replaced whole, so that readers need no lock.
        self._kept: tuple[Credentials | None, float, float] = (None, -math.inf, -math.inf)

    def is_asynchronous(self) -> bool:
        return _is_coroutine_function(self._function)

    def at_hand(self, now: float) -> AtHand:
        credentials, expires, due = self._kept
        return AtHand(credentials, now >= due) if now < expires else AtHand(None, due=True)

    def ask(self, *, forced: bool) -> object:  # noqa: ARG002 - it is never asked for nothing
        return self._function()

    def accept(self, answer: object, now: float) -> Credentials:
        credentials = _checked(answer, self.name, now)
        expires = _expiry(credentials)
        left = expires - now
        # Credentials that are short-lived from the start are not refreshed all the time.
        self._kept = (credentials, expires, now + max(left - _REFRESH_BEFORE, left / 2))
        return credentials

    def postpone(self, until: float) -> None:
        self._kept = (*self._kept[:2], until)

    def after_fork(self) -> None:
        """What it keeps is whole at any time."""


class Botocore:
    """Credentials of botocore's, which refresh themselves.

    Args:
        resolve: returns an object with `get_frozen_credentials()`, or None if there are no credentials to be had.
        name: for messages.
        looked_at: where it looks for them, for the message when there are none.
    """

    def __init__(self, resolve: Callable[[], object], name: str, looked_at: Callable[[], str] = lambda: "") -> None:
        self.name = name
        self._resolve = resolve
        self._looked_at = looked_at
        self._found: Any = None
        # What it gave last, and that as our own. Replaced whole, so that readers need no lock.
        self._kept: tuple[object, Credentials | None] = (None, None)
        self._due = -math.inf

    def is_asynchronous(self) -> bool:
        return False

    def at_hand(self, now: float) -> AtHand:
        found = self._found
        if found is None:
            return AtHand(None, due=True)
        refresh_needed = getattr(found, "refresh_needed", None)
        if refresh_needed is None:
            # botocore's plain ones are a value. What other people's do when they are asked, nobody knows.
            if type(found).__module__ != "botocore.credentials":
                return AtHand(None, due=True)
            return AtHand(self._thaw(found.get_frozen_credentials()), due=False)
        if refresh_needed(0):
            return AtHand(None, due=True)
        # Not by its method, which may begin a refresh. Somebody else may have refreshed them, so they are not ours to
        # keep.
        frozen = getattr(found, "_frozen_credentials", None)
        if frozen is None:
            return AtHand(None, due=True)
        return AtHand(self._thaw(frozen), refresh_needed() and now >= self._due)

    def ask(self, *, forced: bool) -> object:
        if forced or self._found is None:
            self._found = self._resolve()
        return None if self._found is None else self._found.get_frozen_credentials()

    def accept(self, answer: object, now: float) -> Credentials:
        if answer is None:
            raise CredentialsError(
                "no credentials were found: pass credentials=..., or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY "
                f"(looked at, in this order: {self._looked_at() or self.name})"
            )
        # botocore keeps the old ones if they are still good and no others could be got.
        self.postpone(now + _PAUSE)
        return self._thaw(answer)

    def postpone(self, until: float) -> None:
        self._due = until

    def origin(self) -> tuple[str, dt.datetime | None]:
        """Which of botocore's providers gave them, and when they expire, as far as is known."""
        method = getattr(self._found, "method", None)
        name = self.name if method is None else f"{self.name}: {method}"
        return name, getattr(self._found, "_expiry_time", None)

    def after_fork(self) -> None:
        # botocore's have a lock of their own, which that thread holds.
        self._found = None

    def _thaw(self, frozen: Any) -> Credentials:
        known, kept = self._kept
        if kept is None or frozen != known:
            try:
                values = (frozen.access_key, frozen.secret_key, frozen.token)
            except AttributeError:
                raise CredentialsError(
                    f"{self.name} gave a {type(frozen).__name__}, which has no access_key, secret_key and token"
                ) from None
            kept = _made(self.name, *values)
            self._kept = (frozen, kept)
        return kept


class _Refresh:
    """A refresh that is running. Its future has the credentials, or the error, as its result.

    Args:
        loop: the event loop of the caller that began it, if there is one.
        behind: nobody waits for it.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop | None, *, behind: bool) -> None:
        from concurrent.futures import Future  # 2 ms to import, and credentials passed in need none

        self.future: Future[Credentials | CredentialsError] = Future()
        self.future.set_running_or_notify_cancel()  # whoever gives up waiting must not end it for the others
        self.loop = loop
        self.behind = behind
        self.has_ended = False
        self.is_on_loop = False
        self.task: asyncio.Task[None] | None = None

    def is_under_way(self) -> bool:
        """Will it yet end? It will not while the event loop it is on stands still, or if that has ended before it."""
        return not (self.has_ended or (self.is_on_loop and self.loop is not None and not self.loop.is_running()))


class Provider:
    """The credentials of a client, shared by all its calls. Safe to share between threads.

    Args:
        source: where they come from.
        clock: seconds since the epoch, by the service's clock or behind it.
    """

    def __init__(self, source: Source, clock: Callable[[], float]) -> None:
        self._source = source
        self._clock = clock
        self._running: _Refresh | None = None
        self._lock = threading.Lock()
        renew_after_fork(self)

    @property
    def renews(self) -> bool:
        """Might there be others than those at hand?"""
        return not isinstance(self._source, Fixed)

    def after_fork(self) -> None:
        self._lock = threading.Lock()
        if self._under_way() is not None:
            self._source.after_fork()
            self._running = None

    def get(
        self, refused: Credentials | None = None, loop: asyncio.AbstractEventLoop | None = None
    ) -> Credentials | Future[Credentials | CredentialsError]:
        """Return credentials that are good now, or a future to wait for and to hand to `credentials_or_raise`.

        Args:
            refused: credentials that the service calls expired, so that they do not count as good.
            loop: the caller's event loop, if it runs on one.

        Raises:
            CredentialsError: the source does not even tell what it has at hand.
        """
        credentials, due = self._at_hand()
        if credentials is not None and credentials is not refused:
            if due and self._under_way() is None:
                self._refresh_behind(loop)
            return credentials
        with self._lock:
            # The refresh that another caller waited for may have ended meanwhile.
            credentials, _ = self._at_hand()
            if credentials is not None and credentials is not refused:
                return credentials
            running = self._under_way()
            if running is not None:
                return running.future
            running = self._running = _Refresh(loop, behind=False)
        self._begin(running, forced=refused is not None)
        return running.future

    def _at_hand(self) -> AtHand:
        try:
            return self._source.at_hand(self._clock())
        except Exception as error:  # noqa: BLE001 - it is the user's, or botocore's
            failure = _failure(self._source.name, error)
            raise failure from failure.__cause__

    def _under_way(self) -> _Refresh | None:
        running = self._running
        return running if running is not None and running.is_under_way() else None

    def _refresh_behind(self, loop: asyncio.AbstractEventLoop | None) -> None:
        with self._lock:
            if self._under_way() is not None or not self._at_hand().due:
                return
            running = self._running = _Refresh(loop, behind=True)
        self._begin(running, forced=False)

    def _begin(self, running: _Refresh, *, forced: bool) -> None:
        """Begin a refresh, on the event loop or on a thread of its own. If that fails, so has the refresh.

        Nobody has the lock: a task may run at once, before it is even returned, and the user's code in it.
        """
        try:
            if running.loop is not None and self._source.is_asynchronous():
                self._await(running, self._source.ask(forced=forced))
                return
        except Exception as error:  # noqa: BLE001 - it is the user's
            self._end(running, error)
            return
        thread = threading.Thread(target=self._ask, args=(running, forced), name="novaact-credentials", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # too many threads, or the interpreter is about to end
            self._end(running, CredentialsError(f"there is no thread to get credentials on: {error}"))

    def _ask(self, running: _Refresh, forced: bool) -> None:  # noqa: FBT001 - a thread's arguments have no names
        try:
            answer = self._source.ask(forced=forced)
            if running.loop is not None and _is_awaitable(answer):
                running.is_on_loop = True
                running.loop.call_soon_threadsafe(self._await, running, answer)
                return
        except BaseException as error:  # noqa: BLE001 - whatever it is, somebody waits for it
            answer = error
        self._end(running, answer)

    def _await(self, running: _Refresh, answer: Any) -> None:
        async def wait(answer: Awaitable[object]) -> None:
            try:
                got = await answer
            except Exception as error:  # noqa: BLE001 - as above
                got = error
            except BaseException as error:  # a cancellation, as the loop is about to end
                self._end(running, error)
                raise
            self._end(running, got)

        assert running.loop is not None  # noqa: S101 - or nothing would have been awaited
        running.is_on_loop = True
        running.task = running.loop.create_task(wait(answer))

    def _end(self, running: _Refresh, answer: object) -> None:
        """Keep what was got, and tell those who wait. Without the lock, as garbage collection may end a lost task."""
        now = self._clock()
        got: Credentials | CredentialsError
        try:
            if isinstance(answer, BaseException):
                got = _failure(self._source.name, answer)
            else:
                got = self._source.accept(answer, now)
        except Exception as error:  # noqa: BLE001 - as above
            got = _failure(self._source.name, error)
        if isinstance(got, CredentialsError):
            self._source.postpone(now + _PAUSE)
            if running.behind:
                log().warning("credentials were not refreshed, those at hand go on being used: %s", got)
        running.has_ended = True
        running.future.set_result(got)


def credentials_or_raise(of: Credentials | CredentialsError) -> Credentials:
    """What a refresh has come to, for one of those who waited for it.

    Raises:
        CredentialsError: it failed. Each gets an exception of their own.
    """
    if isinstance(of, CredentialsError):
        raise CredentialsError(*of.args) from of.__cause__
    return of


class Found(NamedTuple):
    """Credentials, for people to see where they came from."""

    credentials: Credentials
    origin: str
    expires_at: dt.datetime | None


def fetch(source: Source, now: float) -> Found:
    """What a source gives, which may take long.

    Raises:
        CredentialsError: it gives none.
    """
    try:
        credentials = source.at_hand(now).credentials or source.accept(source.ask(forced=False), now)
    except Exception as error:  # noqa: BLE001 - it is botocore's
        failure = _failure(source.name, error)
        raise failure from failure.__cause__
    origin, expires_at = source.origin() if isinstance(source, Botocore) else (source.name, credentials.expires_at)
    return Found(credentials, origin, expires_at)


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
        return _of_environment(environ, now) if profile is None and environ.get(_KEY) else _chain(profile, region)
    if isinstance(argument, Credentials):
        return Fixed(argument, "the argument credentials")
    kind = f"the class {argument.__name__}" if isinstance(argument, type) else type(argument).__name__
    name = f"the argument credentials, a {kind},"
    for method in ("get_frozen_credentials", "get_credentials"):
        if _has(argument, method):
            if _is_coroutine_function(getattr(argument, method)):
                raise CredentialsError(
                    f"{method}() of {name} is asynchronous: pass AsyncClient an async function that awaits it and "
                    "returns a novaact_http.Credentials"
                )
            return Botocore(getattr(argument, method) if method == "get_credentials" else lambda: argument, name)
    if _is_function(argument):
        return Function(
            cast("Callable[[], object]", argument),
            f"the argument credentials, the function {getattr(argument, '__name__', kind)},",
        )
    raise CredentialsError(
        "credentials must be a novaact_http.Credentials, a function that returns one, or a session or credentials of "
        f"botocore's or boto3's, not {kind}"
    )


def _is_function(argument: object) -> bool:
    """Is the argument a function that returns credentials, and none of the other things it may be?"""
    return (
        callable(argument)
        and not isinstance(argument, type)
        and not _has(argument, "get_frozen_credentials")
        and not _has(argument, "get_credentials")
    )


def _has(argument: object, method: str) -> bool:
    # A class has its instances' methods, but is one of them only by mistake.
    if isinstance(argument, type):
        return False
    try:
        return callable(getattr(argument, method, None))
    except Exception:  # noqa: BLE001 - whatever an object's own `__getattr__` raises, it has no such method
        return False


def _of_environment(environ: Mapping[str, str], now: float) -> Source:
    found, name = _read_environment(environ), "the environment"
    if found.expires_at is None:
        return Fixed(found, name)
    # As botocore: whoever set the time will set other keys in time.
    source = Function(lambda: _read_environment(environ), name)
    with contextlib.suppress(CredentialsError):  # expired already: said when they are needed, as by botocore
        source.accept(found, now)
    return source


def _read_environment(environ: Mapping[str, str]) -> Credentials:
    # As botocore: a key without its secret is a mistake, and the older name of the token wins.
    for name in (_KEY, _SECRET):
        if not environ.get(name):
            raise CredentialsError(f"{name} is not set in the environment: set both {_KEY} and {_SECRET}, or neither")
    return _made(
        "the environment",
        environ[_KEY],
        environ[_SECRET],
        environ.get("AWS_SECURITY_TOKEN") or environ.get("AWS_SESSION_TOKEN") or None,
        _moment(environ[_EXPIRATION]) if environ.get(_EXPIRATION) else None,
    )


def _made(name: str, key_id: str, secret: str, token: str | None, expires_at: dt.datetime | None = None) -> Credentials:
    try:
        return Credentials(access_key_id=key_id, secret_access_key=secret, session_token=token, expires_at=expires_at)
    except CredentialsError as error:
        raise CredentialsError(f"{name} gave bad credentials: {error}") from None


def _moment(text: str) -> dt.datetime:
    import datetime as dt  # 2 ms to import, and rare

    with contextlib.suppress(ValueError):
        # Before Python 3.11 it knows no Z.
        moment = dt.datetime.fromisoformat(f"{text[:-1]}+00:00" if text.endswith(("Z", "z")) else text)
        if moment.tzinfo is not None:
            return moment
    raise CredentialsError(f"{_EXPIRATION} is {text[:40]!r}; it must be a time such as 2026-01-31T12:00:00Z")


def _chain(profile: str | None, region: str) -> Source:
    methods: list[str] = []

    def resolve() -> object:
        from botocore.credentials import create_credential_resolver
        from botocore.session import Session

        # Not the session's own resolver, which would not know the region.
        resolver = create_credential_resolver(Session(profile=profile), region_name=region)
        methods[:] = ["the argument credentials", *(provider.METHOD for provider in resolver.providers)]
        return resolver.load_credentials()

    return Botocore(resolve, "botocore's chain of providers", lambda: ", ".join(methods))


def _is_coroutine_function(function: object) -> bool:
    import inspect  # 10 ms to import, and rare but where asyncio has loaded it already

    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004 - an object may have an asynchronous one
    )


def _is_awaitable(answer: object) -> bool:
    # Of its type, as Python asks: an instance may have a `__getattr__` that raises whatever it likes.
    return hasattr(type(answer), "__await__")


def _expiry(credentials: Credentials) -> float:
    return math.inf if credentials.expires_at is None else credentials.expires_at.timestamp()


def _checked(answer: object, name: str, now: float) -> Credentials:
    if not isinstance(answer, Credentials):
        kind = type(answer).__name__
        if _is_awaitable(answer):
            getattr(answer, "close", lambda: None)()  # or Python would complain that nobody awaited it
            kind += ", which Client cannot await: pass a plain function, or use AsyncClient"
        raise CredentialsError(f"{name} must return a novaact_http.Credentials, not a {kind}")
    if _expiry(answer) <= now:
        raise CredentialsError(f"{name} has credentials that expired at {answer.expires_at}; others are needed")
    return answer


def _failure(name: str, error: BaseException) -> CredentialsError:
    if isinstance(error, CredentialsError):
        return error
    # The words of a user's own exception are not repeated: nobody knows what is in them. Of botocore's, the first line
    # is enough. Where botocore quotes the line of a file that it cannot parse, or STS the request whose signature it
    # refuses, with its session token, the cause is not kept, as it would be shown along.
    kind, reason, quotes = type(error).__name__, "", False
    if type(error).__module__.startswith("botocore."):
        text = str(error)
        quotes = kind == "ConfigParseError" or "(SignatureDoesNotMatch)" in text
        if kind != "ConfigParseError":
            reason = f": {text.partition(chr(10))[0][:_LONGEST_REASON]}"
    failure = CredentialsError(f"{name} failed: {kind}{reason}")
    failure.__cause__ = None if quotes else error
    return failure
