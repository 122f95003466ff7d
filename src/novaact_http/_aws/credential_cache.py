"""Keeps the credentials of a client fresh, for all its calls. The clock is an argument.

- Credentials that are still good are returned at once, while one refresh runs in the background. Calls wait only if
  there are no good credentials.
- However many calls wait, one refresh runs at a time. If it fails, each call that waited raises its error, and the next
  call begins another. If it is lost, for example with its event loop, a call that waited begins another itself.
- Nothing is fetched on the thread of a call while another thread can be had, and nothing blocks its event loop: a call
  can stop waiting at any time.
- What runs a refresh keeps it alive: its thread, its task, or the call that begins it. The cache does not, so a refresh
  that is interrupted at its beginning holds nobody up. `Promise` and `_thread` are used instead of futures and
  `Thread.start`, whose locks stay locked if a signal handler raises in the wrong moment.
"""

from __future__ import annotations

import _thread
import contextlib
import threading
import weakref
from typing import TYPE_CHECKING, Any, NamedTuple

from novaact_http._aws.credential_sources import as_credentials_error, is_awaitable
from novaact_http._support.fork_safety import renew_after_fork
from novaact_http._support.interruptions import comes_from_signal_handler
from novaact_http._support.logs import log
from novaact_http.config import Credentials
from novaact_http.errors import CredentialsError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Iterator
    from contextvars import ContextVar

    from novaact_http._aws.credential_sources import Source

_PAUSE = 60  # seconds after a refresh that failed
LOOK_AGAIN_AFTER = 5.0  # seconds that a call waits for a refresh; it may be lost, or its event loop have stopped

_current: ContextVar[_Refresh | None] | None = None  # the refresh that this code is a part of


class Lost(NamedTuple):
    """The result of a refresh that was ended from outside.

    Attributes:
        loop: the event loop that it ran on, and that ended it; None if it ran on none.
        error: for the calls on that event loop.
    """

    loop: asyncio.AbstractEventLoop | None
    error: CredentialsError | None


Result = Credentials | CredentialsError | Lost


class Promise:
    """The result of a refresh that may still run, for threads and event loops that wait for it."""

    def __init__(self) -> None:
        self.result: Result | None = None
        self._callbacks: list[Callable[[], object]] = []

    def when_kept(self, callback: Callable[[], object]) -> None:
        """Call this when there is a result, on any thread; at once if there is one."""
        self._callbacks.append(callback)
        if self.result is not None:
            self._call_back()

    def keep(self, result: Result) -> None:
        """Set the result, unless there is one."""
        if self.result is None:
            self.result = result
            self._call_back()

    def wait(self, seconds: float) -> Result | None:
        """Wait for the result, at most for this long. Return None if there is none yet."""
        kept = _thread.allocate_lock()
        kept.acquire()
        self.when_kept(kept.release)
        kept.acquire(timeout=seconds)
        return self.result

    def _call_back(self) -> None:
        with contextlib.suppress(IndexError):  # perhaps another thread pops some of them
            while True:
                self._callbacks.pop()()


class _Refresh:
    """A refresh that is running.

    Args:
        loop: the event loop of the call that began it, or None.
        in_background: whether no call waits for it.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop | None, *, in_background: bool) -> None:
        self.promise = Promise()
        self.loop = loop
        self.in_background = in_background
        self.is_on_loop = False
        self.begins_on: int | None = threading.get_ident()  # None once it has begun

    def is_under_way(self) -> bool:
        """Tell whether it will still end: not if its event loop has stopped or closed."""
        has_stopped = self.is_on_loop and self.loop is not None and not self.loop.is_running()
        return self.promise.result is None and not has_stopped

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError):  # `__init__` was interrupted
            self.promise.keep(Lost(None, None))


class CredentialCache:
    """The credentials of a client, shared by all its calls. Thread-safe.

    Args:
        source: where the credentials come from.
        clock: returns seconds since the epoch, by the service's clock or behind it.
    """

    def __init__(self, source: Source, clock: Callable[[], float]) -> None:
        self._source = source
        self._clock = clock
        self._running: Callable[[], _Refresh | None] = _nothing
        self._tasks: set[asyncio.Task[None]] = set()  # which their event loops refer to only weakly
        self._waiting: set[object] = set()  # a token for each call that waits
        self._lock = threading.RLock()
        renew_after_fork(self)

    @property
    def renews(self) -> bool:
        """Whether a later fetch may return other credentials."""
        return self._source.renews

    def after_fork(self) -> None:
        self._lock = threading.RLock()
        if self._under_way() is not None:
            self._source.after_fork()
            self._running = _nothing

    def at_hand(self) -> Credentials | None:
        """Return the credentials that are good now, if they are there and no refresh is due.

        Raises:
            CredentialsError: the source failed even to tell which credentials it has.
        """
        credentials, due = self._cached()
        return None if due else credentials

    def get(
        self, refused: Credentials | None = None, loop: asyncio.AbstractEventLoop | None = None
    ) -> Credentials | Promise:
        """Return credentials that are good now, or a promise whose result `credentials_or_raise` takes.

        If there is no result after some time, ask again, as the refresh may be lost.

        Args:
            refused: credentials that the service called expired, which do not count as good.
            loop: the event loop that the call runs on, or None.

        Raises:
            CredentialsError: the source failed even to tell which credentials it has; or the call is a part of the
                refresh that it would wait for.
        """
        credentials, due = self._cached()
        if credentials is not None and credentials is not refused:
            if due and self._under_way() is None:
                self._refresh_in_background(loop)
            return credentials
        self._source.want()
        with self._lock:
            # Meanwhile the refresh that another call waited for may have ended.
            credentials, _ = self._cached()
            if credentials is not None and credentials is not refused:
                return credentials
            running = self._under_way()
            is_new = running is None
            if running is None:
                running = _Refresh(loop, in_background=False)
                self._running = weakref.ref(running)
        if is_new:
            self._begin(running, forced=refused is not None)
        elif _current is not None and running is _current.get():
            raise CredentialsError(
                "calls the client that waits for its answer",
                setting="credentials",
                source=self._source.name,
                advice="have it make a client with credentials of its own",
            )
        return running.promise

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Wait inside of this for what `get` returned. Where no call waits any more, the user is not asked either."""
        token = object()
        self._waiting.add(token)
        self._source.want()
        try:
            yield
        finally:
            self._waiting.discard(token)
            if not self._waiting and self._source.give_up():
                self._running = _nothing  # the next call begins another

    def _cached(self) -> tuple[Credentials | None, bool]:
        try:
            return self._source.cached(self._clock())
        except Exception as error:  # the user's code, or botocore, may raise anything
            if comes_from_signal_handler(error):
                raise
            failure = as_credentials_error(self._source.name, error)
        # Not in the block above, where the error, which may hold secrets, would become the context of this one.
        raise failure from failure.__cause__

    def _under_way(self) -> _Refresh | None:
        running = self._running()
        if running is None or not running.is_under_way():
            return None
        # A signal handler that interrupts a call as it begins a refresh holds it up, so it must not wait for it.
        return None if running.begins_on == threading.get_ident() else running

    def _refresh_in_background(self, loop: asyncio.AbstractEventLoop | None) -> None:
        with self._lock:
            if self._under_way() is not None or not self._cached()[1]:
                return
            begun = _Refresh(loop, in_background=True)
            self._running = weakref.ref(begun)
        self._begin(begun, forced=False)

    def _begin(self, running: _Refresh, *, forced: bool) -> None:
        """Begin a refresh, on the event loop or on a new thread. If it cannot begin, it has failed.

        Called without the lock: an eager task runs the user's code before `create_task` returns.
        """
        if running.loop is not None and self._source.is_asynchronous():
            try:
                answer = self._source.fetch(forced=forced)
            except Exception as error:  # noqa: BLE001 - the user's code may raise anything
                self._end(running, error)
            else:
                self._await(running, answer)
            return
        try:
            self._start_thread(running, forced=forced)
        except RuntimeError as error:  # too many threads, or the interpreter allows none or is about to end
            if running.loop is None and not running.in_background:
                self._fetch_here(running, forced=forced)
                return
            failure = CredentialsError(
                f"was not asked, as no thread could be started ({error})",
                setting="credentials",
                source=self._source.name,
                advice="run fewer threads, or raise the limit of this process",
            )
            self._end(running, failure)

    def _start_thread(self, running: _Refresh, *, forced: bool) -> None:
        """Start a thread that fetches. Raise RuntimeError if that is not possible."""

        def start() -> None:  # pragma: no cover - no coverage is measured on a thread of `_thread`
            try:
                thread.start()
            except RuntimeError:  # no other thread could be started
                thread.run()

        thread = threading.Thread(target=self._fetch, args=(running, forced), name="novaact-credentials", daemon=True)
        _thread.start_new_thread(start, ())
        running.begins_on = None

    def _fetch(self, running: _Refresh, forced: bool) -> None:  # noqa: FBT001 - a thread's arguments have no names
        _set_current(running)
        try:
            answer = self._source.fetch(forced=forced)
            if running.loop is not None and is_awaitable(answer):
                running.is_on_loop = True
                running.loop.call_soon_threadsafe(self._await, running, answer)
                return
        except BaseException as error:  # noqa: BLE001 - a call waits for it, whatever it is
            answer = error
        self._end(running, answer)

    def _fetch_here(self, running: _Refresh, *, forced: bool) -> None:
        """Fetch on the caller's thread, where a signal handler may raise."""
        running.begins_on = None
        before = _set_current(running)
        try:
            answer = self._source.fetch(forced=forced)
        except Exception as error:
            if comes_from_signal_handler(error):
                raise
            answer = error
        finally:
            _set_current(before)
        self._end(running, answer)

    def _await(self, running: _Refresh, answer: Any) -> None:
        async def wait(answer: Awaitable[object]) -> None:
            _set_current(running)
            try:
                got = await answer
            except Exception as error:  # noqa: BLE001 - as above
                got = error
            except BaseException as error:  # a cancellation, as the loop is closing
                self._end(running, error, lost=True)
                raise
            self._end(running, got)

        assert running.loop is not None  # noqa: S101 - there is one where something is awaited
        running.is_on_loop, running.begins_on = True, None
        task = running.loop.create_task(wait(answer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _end(self, running: _Refresh, answer: object, *, lost: bool = False) -> None:
        """Store the answer, and wake the calls that wait. Takes no lock: garbage collection may end a lost task."""
        now = self._clock()
        got: Credentials | CredentialsError
        try:
            if isinstance(answer, BaseException):
                got = as_credentials_error(self._source.name, answer)
            else:
                got = self._source.store(answer, now)
        except Exception as error:  # noqa: BLE001 - as above
            got = as_credentials_error(self._source.name, error)
        if isinstance(got, CredentialsError):
            self._source.postpone_refresh(now + _PAUSE)
            if running.in_background:
                log().warning("credentials were not refreshed, the current ones are still used: %s", got)
            running.promise.keep(Lost(running.loop, got) if lost else got)
        else:
            running.promise.keep(got)


def credentials_or_raise(result: Result, loop: asyncio.AbstractEventLoop | None = None) -> Credentials | None:
    """Return the result of a refresh, to one of the calls that waited for it. None: it has to ask again.

    Args:
        result: the result of the promise.
        loop: the event loop that the call runs on, or None.

    Raises:
        CredentialsError: the refresh failed. Each call gets a copy of the error, as each adds to its traceback.
    """
    if isinstance(result, Lost):
        if result.error is None or result.loop is not loop:
            return None
        result = result.error
    if isinstance(result, CredentialsError):
        error = type(result).__new__(type(result), *result.args)
        vars(error).update(vars(result))
        raise error from result.__cause__
    return result


def _nothing() -> None:
    """Return what a weak reference to a refresh returns when there is none any more."""


def _set_current(refresh: _Refresh | None) -> _Refresh | None:
    """Have the code from here on be a part of a refresh. Return the one that it was a part of before."""
    global _current  # noqa: PLW0603 - made when it is first needed
    if _current is None:
        from contextvars import ContextVar  # credentials passed in need none

        _current = ContextVar("novaact_refresh", default=None)
    before = _current.get()
    _current.set(refresh)
    return before
