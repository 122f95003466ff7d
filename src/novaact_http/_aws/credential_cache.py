"""Keeps the credentials of a client fresh, for all its calls. The clock is an argument.

- Credentials that are still good are returned at once, while one refresh runs in the background. Calls wait only if
  there are no good credentials.
- However many calls wait, one refresh runs at a time. If it fails, each call that waited raises its error, and the next
  call begins another.
- Nothing is fetched on the thread of a call, and nothing blocks its event loop: a call can stop waiting at any time.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

from novaact_http._aws.credential_sources import as_credentials_error, is_awaitable
from novaact_http._support.fork_safety import renew_after_fork
from novaact_http.attempts import log
from novaact_http.errors import CredentialsError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Iterator
    from concurrent.futures import Future

    from novaact_http._aws.credential_sources import Source
    from novaact_http.config import Credentials

_PAUSE = 60  # seconds after a refresh that failed


class _Refresh:
    """A refresh that is running. The result of its future is the credentials, or the error.

    Args:
        loop: the event loop of the call that began it, or None.
        in_background: whether no call waits for it.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop | None, *, in_background: bool) -> None:
        from concurrent.futures import Future  # 2 ms to import, and credentials passed in need none

        self.future: Future[Credentials | CredentialsError] = Future()
        self.future.set_running_or_notify_cancel()  # a call that stops waiting must not cancel it for the others
        self.loop = loop
        self.in_background = in_background
        self.has_ended = False
        self.is_on_loop = False
        self.task: asyncio.Task[None] | None = None

    def is_under_way(self) -> bool:
        """Tell whether it will still end: not if its event loop has stopped or closed."""
        return not (self.has_ended or (self.is_on_loop and self.loop is not None and not self.loop.is_running()))


class CredentialCache:
    """The credentials of a client, shared by all its calls. Thread-safe.

    Args:
        source: where the credentials come from.
        clock: returns seconds since the epoch, by the service's clock or behind it.
    """

    def __init__(self, source: Source, clock: Callable[[], float]) -> None:
        self._source = source
        self._clock = clock
        self._running: _Refresh | None = None
        self._waiting: set[object] = set()  # a token for each call that waits
        self._lock = threading.Lock()
        renew_after_fork(self)

    @property
    def renews(self) -> bool:
        """Whether a later fetch may return other credentials."""
        return self._source.renews

    def after_fork(self) -> None:
        self._lock = threading.Lock()
        if self._under_way() is not None:
            self._source.after_fork()
            self._running = None

    def get(
        self, refused: Credentials | None = None, loop: asyncio.AbstractEventLoop | None = None
    ) -> Credentials | Future[Credentials | CredentialsError]:
        """Return credentials that are good now, or a future whose result `credentials_or_raise` takes.

        Args:
            refused: credentials that the service called expired, which do not count as good.
            loop: the event loop that the call runs on, or None.

        Raises:
            CredentialsError: the source failed even to tell which credentials it has.
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
            if running is not None:
                return running.future
            running = self._running = _Refresh(loop, in_background=False)
        self._begin(running, forced=refused is not None)
        return running.future

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
                self._running = None  # the next call begins another

    def _cached(self) -> tuple[Credentials | None, bool]:
        try:
            return self._source.cached(self._clock())
        except Exception as error:  # noqa: BLE001 - the user's code, or botocore, may raise anything
            failure = as_credentials_error(self._source.name, error)
        # Not in the block above, where the error, which may hold secrets, would become the context of this one.
        raise failure from failure.__cause__

    def _under_way(self) -> _Refresh | None:
        running = self._running
        return running if running is not None and running.is_under_way() else None

    def _refresh_in_background(self, loop: asyncio.AbstractEventLoop | None) -> None:
        with self._lock:
            if self._under_way() is not None or not self._cached()[1]:
                return
            running = self._running = _Refresh(loop, in_background=True)
        self._begin(running, forced=False)

    def _begin(self, running: _Refresh, *, forced: bool) -> None:
        """Begin a refresh, on the event loop or on a new thread. If it cannot begin, it has failed.

        Called without the lock: an eager task runs the user's code before `create_task` returns.
        """
        try:
            if running.loop is not None and self._source.is_asynchronous():
                self._await(running, self._source.fetch(forced=forced))
                return
        except Exception as error:  # noqa: BLE001 - the user's code may raise anything
            self._end(running, error)
            return
        thread = threading.Thread(target=self._fetch, args=(running, forced), name="novaact-credentials", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # too many threads, or the interpreter is about to end
            failure = CredentialsError(
                f"was not asked, as no thread could be started ({error})",
                setting="credentials",
                source=self._source.name,
                advice="run fewer threads, or raise the limit of this process",
            )
            self._end(running, failure)

    def _fetch(self, running: _Refresh, forced: bool) -> None:  # noqa: FBT001 - a thread's arguments have no names
        try:
            answer = self._source.fetch(forced=forced)
            if running.loop is not None and is_awaitable(answer):
                running.is_on_loop = True
                running.loop.call_soon_threadsafe(self._await, running, answer)
                return
        except BaseException as error:  # noqa: BLE001 - a call waits for it, whatever it is
            answer = error
        self._end(running, answer)

    def _await(self, running: _Refresh, answer: Any) -> None:
        async def wait(answer: Awaitable[object]) -> None:
            try:
                got = await answer
            except Exception as error:  # noqa: BLE001 - as above
                got = error
            except BaseException as error:  # a cancellation, as the loop is closing
                self._end(running, error)
                raise
            self._end(running, got)

        assert running.loop is not None  # noqa: S101 - there is one where something is awaited
        running.is_on_loop = True
        running.task = running.loop.create_task(wait(answer))

    def _end(self, running: _Refresh, answer: object) -> None:
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
        running.has_ended = True
        running.future.set_result(got)


def credentials_or_raise(result: Credentials | CredentialsError) -> Credentials:
    """Return the result of a refresh, to one of the calls that waited for it.

    Raises:
        CredentialsError: the refresh failed. Each call gets a copy of the error, as each adds to its traceback.
    """
    if isinstance(result, CredentialsError):
        error = type(result).__new__(type(result), *result.args)
        vars(error).update(vars(result))
        raise error from result.__cause__
    return result
