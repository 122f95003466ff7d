"""One interface to both kinds of pool."""

from __future__ import annotations

import asyncio
import importlib.util
import select
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from novaact_http._call.http_messages import Request, Response
from novaact_http._http import asyncio_pool, blocking_pool
from tests.helpers.servers import PATIENCE, eventually, no_tls

if TYPE_CHECKING:
    import ssl

    from novaact_http._http.pool_rules import Connections


class Driver(Protocol):
    """A pool of either kind, behind a synchronous interface."""

    @property
    def connections(self) -> Connections[Any, Any]:
        """The connections of the pool."""
        ...

    def send(self, request: Request) -> Response:
        """Send a request."""
        ...

    def together(self, requests: Sequence[Request]) -> list[Response | BaseException]:
        """Send all requests at once, each queued before the next. Return their responses or errors in that order."""
        ...

    def turn(self) -> None:
        """Let the event loop, if there is one, see what has happened."""
        ...

    def close(self) -> None:
        """Close the pool."""
        ...

    def end(self) -> None:
        """Close the pool, and check that nothing is left."""
        ...


MakeDriver = Callable[..., Driver]


def idle(connections: Connections[Any, Any]) -> list[Any]:
    """Return the idle connections."""
    return [each for some in connections._idle.values() for each in some]


def wait_for_news(driver: Driver, turns: int = 0) -> None:
    """Wait until something, mostly the end, has come over each idle connection; then let the event loop have turns."""
    for each in idle(driver.connections):
        assert select.select([each._socket], [], [], PATIENCE)[0]
    for _ in range(turns):
        driver.turn()


def _check_at_rest(connections: Connections[Any, Any]) -> None:
    assert connections.waiting == 0
    assert connections.count == len(idle(connections))


class SyncDriver(Driver):
    """The blocking pool."""

    def __init__(self, tls: Callable[[], ssl.SSLContext] = no_tls, **limits: Any) -> None:
        self.pool = blocking_pool.Pool(tls, **limits)

    @property
    def connections(self) -> Connections[Any, Any]:
        return self.pool._connections

    def send(self, request: Request) -> Response:
        return self.pool.send(request)

    def together(self, requests: Sequence[Request]) -> list[Response | BaseException]:
        def has_begun(future: Future[Response], before: tuple[int, ...]) -> bool:
            return future.done() or before != self._state()

        with ThreadPoolExecutor(len(requests)) as executor:
            futures = []
            for each in requests:
                before = self._state()
                futures.append(executor.submit(self.send, each))
                eventually(partial(has_begun, futures[-1], before))
            return [error if (error := each.exception(PATIENCE)) else each.result() for each in futures]

    def _state(self) -> tuple[int, ...]:
        return self.connections.waiting, self.connections.count, len(idle(self.connections))

    def turn(self) -> None:
        pass

    def close(self) -> None:
        self.pool.close()

    def end(self) -> None:
        _check_at_rest(self.connections)
        self.close()
        assert self.connections.count == 0


class AsyncDriver(Driver):
    """The pool on asyncio."""

    def __init__(
        self,
        tls: Callable[[], ssl.SSLContext] = no_tls,
        *,
        loop: asyncio.AbstractEventLoop | None = None,
        **limits: Any,
    ) -> None:
        self.pool = asyncio_pool.Pool(tls, **limits)
        self.loop = loop or asyncio.new_event_loop()
        self.callback_errors: list[object] = []  # asyncio itself only logs them
        self.loop.set_exception_handler(lambda _, context: self.callback_errors.append(context))

    @property
    def here(self) -> asyncio_pool.LoopPool:
        """The pool of the one event loop."""
        return self.pool._pools[self.loop]

    @property
    def connections(self) -> Connections[Any, Any]:
        return self.here._connections

    def run(self, doing: Any) -> Any:
        """Run a coroutine, with a time limit."""

        async def limited() -> Any:
            return await asyncio.wait_for(doing, PATIENCE)

        return self.loop.run_until_complete(limited())

    def send(self, request: Request) -> Response:
        response: Response = self.run(self.pool.send(request))
        return response

    def together(self, requests: Sequence[Request]) -> list[Response | BaseException]:
        async def gathered() -> Any:
            return await asyncio.gather(*(self.pool.send(each) for each in requests), return_exceptions=True)

        results: list[Response | BaseException] = self.run(gathered())
        return results

    def turn(self) -> None:
        self.run(asyncio.sleep(0.001))  # long enough to look at the sockets, whatever the event loop

    def close(self) -> None:
        async def close() -> None:
            self.pool.close()

        self.run(close())

    def end(self) -> None:
        pool = self.pool._pools.get(self.loop)
        if pool is not None:
            _check_at_rest(pool._connections)
            assert not pool._in_use
        self.turn()  # attempts to connect that came too late are cancelled
        assert not asyncio.all_tasks(self.loop)
        self.close()
        if pool is not None:
            assert pool._connections.count == 0
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()
        assert self.callback_errors == []


def uvloop_driver(tls: Callable[[], ssl.SSLContext] = no_tls, **limits: Any) -> AsyncDriver:
    """Return a pool on uvloop."""
    import uvloop

    return AsyncDriver(tls, loop=uvloop.new_event_loop(), **limits)


DRIVERS = (
    SyncDriver,
    AsyncDriver,
    pytest.param(
        uvloop_driver,
        marks=pytest.mark.skipif(importlib.util.find_spec("uvloop") is None, reason="uvloop is not there"),
    ),
)


def made_by(request: pytest.FixtureRequest) -> Iterator[MakeDriver]:
    """Yield a function that makes drivers of the kind in the fixture's parameter, and end them."""
    made: list[Driver] = []

    def make(*args: Any, **options: Any) -> Driver:
        driver: Driver = request.param(*args, **options)
        made.append(driver)
        return driver

    yield make
    for each in made:
        each.end()


def bodies(responses: list[Response | BaseException]) -> list[bytes]:
    """Return the bodies of responses. Raise the first error."""
    for each in responses:
        if isinstance(each, BaseException):
            raise each
    return [each.body for each in responses if isinstance(each, Response)]
