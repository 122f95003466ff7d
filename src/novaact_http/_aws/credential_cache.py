"""How credentials are kept fresh, for all calls of a client. The clock is an argument.

Credentials still good are served at once while one refresh runs behind; callers wait only if there are none that are
good; one refresh at a time, however many callers; if it fails, each of those who waited gets that one error, and the
next caller begins anew. Nothing is ever fetched on a caller's thread or event loop: so a caller can give up waiting,
and an event loop is never blocked.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from novaact_http._aws.credential_sources import as_credentials_error, is_awaitable
from novaact_http._support.fork_safety import renew_after_fork
from novaact_http.attempts import log
from novaact_http.errors import CredentialsError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable
    from concurrent.futures import Future

    from novaact_http._aws.credential_sources import Source
    from novaact_http.config import Credentials

_PAUSE = 60  # seconds after a refresh behind that failed


class _Refresh:
    """A refresh that is running. Its future has the credentials, or the error, as its result.

    Args:
        loop: the event loop of the caller that began it, if there is one.
        in_background: nobody waits for it.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop | None, *, in_background: bool) -> None:
        from concurrent.futures import Future  # 2 ms to import, and credentials passed in need none

        self.future: Future[Credentials | CredentialsError] = Future()
        self.future.set_running_or_notify_cancel()  # whoever gives up waiting must not end it for the others
        self.loop = loop
        self.in_background = in_background
        self.has_ended = False
        self.is_on_loop = False
        self.task: asyncio.Task[None] | None = None

    def is_under_way(self) -> bool:
        """Will it yet end? It will not while the event loop it is on stands still, or if that has ended before it."""
        return not (self.has_ended or (self.is_on_loop and self.loop is not None and not self.loop.is_running()))


class CredentialCache:
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
        return self._source.renews

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
        credentials, due = self._cached()
        if credentials is not None and credentials is not refused:
            if due and self._under_way() is None:
                self._refresh_in_background(loop)
            return credentials
        with self._lock:
            # The refresh that another caller waited for may have ended meanwhile.
            credentials, _ = self._cached()
            if credentials is not None and credentials is not refused:
                return credentials
            running = self._under_way()
            if running is not None:
                return running.future
            running = self._running = _Refresh(loop, in_background=False)
        self._begin(running, forced=refused is not None)
        return running.future

    def _cached(self) -> tuple[Credentials | None, bool]:
        try:
            return self._source.cached(self._clock())
        except Exception as error:  # noqa: BLE001 - it is the user's, or botocore's
            failure = as_credentials_error(self._source.name, error)
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
        """Begin a refresh, on the event loop or on a thread of its own. If that fails, so has the refresh.

        Nobody has the lock: a task may run at once, before it is even returned, and the user's code in it.
        """
        try:
            if running.loop is not None and self._source.is_asynchronous():
                self._await(running, self._source.fetch(forced=forced))
                return
        except Exception as error:  # noqa: BLE001 - it is the user's
            self._end(running, error)
            return
        thread = threading.Thread(target=self._fetch, args=(running, forced), name="novaact-credentials", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # too many threads, or the interpreter is about to end
            self._end(running, CredentialsError(f"there is no thread to get credentials on: {error}"))

    def _fetch(self, running: _Refresh, forced: bool) -> None:  # noqa: FBT001 - a thread's arguments have no names
        try:
            answer = self._source.fetch(forced=forced)
            if running.loop is not None and is_awaitable(answer):
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
                got = as_credentials_error(self._source.name, answer)
            else:
                got = self._source.store(answer, now)
        except Exception as error:  # noqa: BLE001 - as above
            got = as_credentials_error(self._source.name, error)
        if isinstance(got, CredentialsError):
            self._source.postpone_refresh(now + _PAUSE)
            if running.in_background:
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
