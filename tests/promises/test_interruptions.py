"""A signal handler or the garbage collector interrupts a call anywhere: nothing is lost, and nobody waits for ever."""

from __future__ import annotations

import asyncio
import enum
import functools
import gc
import os
import signal
import ssl
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import httpcore
import httpx
import pytest

import novaact_http
from novaact_http import (
    AsyncClient,
    Client,
    Credentials,
    CredentialsError,
    LeanTransport,
    NovaActError,
    TransportError,
)
from novaact_http._http import blocking_pool, httpx_sender, tls
from novaact_http._support.interruptions import comes_from_signal_handler
from tests.helpers.answers import page_body
from tests.helpers.calls import CALL, KEYS, OPTIONS
from tests.helpers.platforms import needs_own_async_connections, needs_signals
from tests.helpers.programs import run_python
from tests.helpers.servers import (
    OK,
    PATIENCE,
    Peer,
    Server,
    always,
    closed_port,
    endpoint,
    eventually,
    never,
    request_to,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType


PACKAGE, HTTPCORE = str(Path(novaact_http.__file__).parent), str(Path(httpcore.__file__).parent)
PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(page_body()), page_body())
# A call runs the same lines as with a secret key of 40 letters, but those that look at each piece of it less often.
SHORT_KEYS = Credentials(access_key_id="AKIAIOSFODNN7EXAMPLE", secret_access_key="wJalrXUt")
HAS_TIMERS = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timers")


UNCLOSED = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # Python's own, of a socket that was dropped


class Interruption(Exception):  # noqa: N818 - an `Exception`, as Celery's soft time limit is
    pass


def interrupted(
    doing: Callable[[], object], step: int, interrupt: Callable[[], object], packages: tuple[str, ...] = (PACKAGE,)
) -> bool:
    """Interrupt something at a line of its code, as a signal does. Return whether it got as far as that.

    Args:
        doing: what to interrupt.
        step: at the how many-th line that is run.
        interrupt: does what the signal handler does.
        packages: the folders whose lines count.
    """
    left = step

    def on_line(_: FrameType, event: str, __: object) -> Any:
        nonlocal left
        left -= event == "line"
        if left == 0:
            sys.settrace(None)
            interrupt()
            return None
        return on_line if left > 0 else None

    def on_call(frame: FrameType, *_: object) -> Any:
        return on_line if left > 0 and frame.f_code.co_filename.startswith(packages) else None

    def apart() -> Iterator[None]:
        # A generator has an exception state of its own. CPython 3.11 leaves it dirty if a trace function raises while
        # an exception is handled, and every later error in this thread would have that exception as its context.
        doing()
        yield

    before = sys.gettrace()
    sys.settrace(on_call)
    try:
        next(apart())
    finally:
        sys.settrace(before)
    return left <= 0


@pytest.fixture
def _raising_handler() -> Iterator[None]:
    before = signal.signal(signal.SIGTERM, raise_interruption)
    yield
    signal.signal(signal.SIGTERM, before)


def on_every_line(make: Callable[[], Client], interrupt: Callable[[Client], object]) -> int:
    """Interrupt a call at each of its lines, and check that its client goes on. Return how many were ended by that."""
    step, count = 0, 0
    is_over = False
    while not is_over:
        step += 1
        client = make()
        try:
            is_over = not interrupted(
                functools.partial(client.list_sessions, **CALL), step, functools.partial(interrupt, client)
            )
        except Interruption:
            count += 1
        pool: Any = client._senders.pool()
        assert pool._connections.count == len(pool._connections.idle())
        assert client.with_options(timeout=PATIENCE).list_sessions(**CALL).session_summaries == ()
    return count


def raise_interruption(*_: object) -> None:
    raise Interruption


def call(client: Client) -> None:
    client.with_options(timeout=PATIENCE).list_sessions(**CALL)


def options_to(server: Server) -> dict[str, Any]:
    return {**OPTIONS, "endpoint_url": f"http://{server.endpoint().authority}"}


@UNCLOSED
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # what Python itself drops
@pytest.mark.usefixtures("_raising_handler")
@pytest.mark.parametrize("fetches", [False, True])
def test_an_exception_on_any_line_loses_no_place_and_no_client(fetches: bool) -> None:
    with Server(always(PAGE)) as server:
        options = {**options_to(server), **({"credentials": lambda: SHORT_KEYS} if fetches else {})}
        kept = Client(**options)
        assert on_every_line(lambda: Client(**options) if fetches else kept, raise_interruption) > 200
        kept.close()


@pytest.mark.parametrize("fetches", [False, True])
def test_a_signal_handler_may_call_the_client_on_any_line(fetches: bool) -> None:
    with Server(always(PAGE)) as server:
        options = {**options_to(server), **({"credentials": lambda: SHORT_KEYS} if fetches else {})}
        kept = Client(**options)
        assert on_every_line(lambda: Client(**options) if fetches else kept, call) == 0
        kept.close()


def test_a_signal_handler_may_close_the_client_on_any_line() -> None:
    with Server(always(PAGE)) as server:
        step, is_over = 0, False
        while not is_over:
            step += 1
            client = Client(**options_to(server))
            client.list_sessions(**CALL)
            pool: Any = client._senders.pool()
            try:
                is_over = not interrupted(functools.partial(client.list_sessions, **CALL), step, client.close)
            except NovaActError as error:
                assert "this client is closed" in str(error)  # noqa: PT017 - it need not be raised
            if not is_over:
                assert pool._connections.count == 0
                with pytest.raises(NovaActError, match="this client is closed"):
                    client.list_sessions(**CALL)
            client.close()


@HAS_TIMERS
@pytest.mark.parametrize("raised", [Interruption, TimeoutError, KeyboardInterrupt])
@pytest.mark.parametrize("stage", ["response", "credentials", "place"])
def test_what_a_signal_handler_raises_comes_out_as_it_is(
    stage: str, raised: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()

    def slowly() -> Credentials:
        assert release.wait(PATIENCE)
        return KEYS

    def handler(*_: object) -> None:
        raise raised

    script = never if stage == "response" else always(PAGE)
    with Server(script) as server:
        client = Client(**{**options_to(server), "credentials": slowly if stage == "credentials" else KEYS})
        pool: Any = client._senders.pool()
        origin = server.endpoint().origin
        held = []
        if stage == "place":
            held = [pool.acquire(origin, None) for _ in range(100)]
        before = signal.signal(signal.SIGALRM, handler)
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            with pytest.raises(raised) as caught:
                client.list_sessions(**CALL)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        assert type(caught.value) is raised
        assert (pool._connections.count, pool._connections.waiting) == (len(held), 0)
        held.clear()
        release.set()
        if stage != "response":
            client.with_options(timeout=PATIENCE).list_sessions(**CALL)
        client.close()


@needs_signals
def test_a_call_in_a_signal_handler_is_served_before_the_call_that_it_holds_up() -> None:
    with Server(always(PAGE)) as server:
        client = Client(**options_to(server))
        pool: Any = client._senders.pool()
        held = [pool.acquire(server.endpoint().origin, None) for _ in range(100)]
        calls: list[object] = []
        waiting = threading.Event()

        def handler(*_: object) -> None:
            calls.append(client.list_sessions(**CALL))

        def give_back() -> None:
            eventually(lambda: pool._connections.waiting == 1)
            os.kill(os.getpid(), signal.SIGUSR1)
            eventually(lambda: pool._connections.waiting == 2)
            pool.discard(held.pop())
            waiting.set()

        before = signal.signal(signal.SIGUSR1, handler)
        try:
            with ThreadPoolExecutor(1) as other:
                given_back = other.submit(give_back)
                client.list_sessions(**CALL)
                given_back.result(PATIENCE)
        finally:
            signal.signal(signal.SIGUSR1, before)
        assert len(calls) == 1
        client.close()


def test_what_a_lost_call_held_is_found_by_a_call_that_waits() -> None:
    with Server(always(PAGE)) as server:
        client = Client(**options_to(server))
        pool: Any = client._senders.pool()
        held = [pool.acquire(server.endpoint().origin, None) for _ in range(100)]
        with ThreadPoolExecutor(1) as other:
            waiting = other.submit(client.list_sessions, **CALL)
            eventually(lambda: pool._connections.waiting == 1)
            held.clear()  # as an interruption does: nobody is told
            assert waiting.result(PATIENCE).session_summaries == ()
        client.close()


# The garbage collector.


@UNCLOSED
def test_a_streamed_response_may_be_collected_at_any_moment() -> None:
    def script(peer: Peer) -> None:
        while (received := peer.request()) is not None:
            if received.target == "/big":
                peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1000)
                peer.stall()
                return
            peer.send(OK)

    def abandon() -> None:
        response = client.send(client.build_request("GET", f"{url}/big"), stream=True)
        parts = response.iter_raw(10)
        next(parts)
        cycle: list[object] = [response, parts]
        cycle.append(cycle)

    with Server(script) as server, httpx.Client(transport=LeanTransport(), timeout=PATIENCE) as client:
        url = f"http://{server.endpoint().authority}"
        client.get(url)
        gc.disable()
        try:
            step, is_over = 0, False
            while not is_over:
                step += 7  # coprime to the lines of a call, so that repeated runs need not try all of them
                abandon()
                is_over = not interrupted(functools.partial(client.get, url), step, functools.partial(gc.collect, 0))
        finally:
            gc.enable()


# No thread to be had.


def no_thread(*_: object) -> None:
    raise RuntimeError("can't start new thread")


def test_a_client_without_threads_asks_for_credentials_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch() -> Credentials:
        threads.append(threading.current_thread())
        return KEYS

    threads: list[threading.Thread] = []
    with Server(always(PAGE)) as server:
        client = Client(**{**options_to(server), "credentials": fetch, "timeout": PATIENCE})
        monkeypatch.setattr("_thread.start_new_thread", no_thread)
        for _ in range(2):
            client.list_sessions(**CALL)
        monkeypatch.undo()
        client.close()
    assert threads == [threading.current_thread()]


def test_what_a_handler_raises_is_no_failure_of_credentials_that_the_caller_fetches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fetch() -> Credentials:
        fetched.append(None)
        if len(fetched) == 1:
            signal.raise_signal(signal.SIGTERM)
        return KEYS

    fetched: list[None] = []
    monkeypatch.setattr("_thread.start_new_thread", no_thread)
    before = signal.signal(signal.SIGTERM, functools.partial(raise_interruption))
    try:
        with Server(always(PAGE)) as server, Client(**{**options_to(server), "credentials": fetch}) as client:
            with pytest.raises(Interruption):
                client.list_sessions(**CALL)
            client.list_sessions(**CALL)
            monkeypatch.undo()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert len(fetched) == 2


def test_what_a_handler_raises_is_no_failure_of_a_library_that_is_asked_each_time() -> None:
    class Theirs:
        access_key, secret_key, token = "AKIAIOSFODNN7EXAMPLE", "secretsecretsecret", None
        asked = 0

        def get_frozen_credentials(self) -> Any:
            return self

        @property
        def refresh_needed(self) -> Any:
            self.asked += 1
            if self.asked == 1:
                signal.raise_signal(signal.SIGTERM)
            raise AttributeError

    theirs: Any = Theirs()
    before = signal.signal(signal.SIGTERM, raise_interruption)
    try:
        with Server(always(PAGE)) as server, Client(**{**options_to(server), "credentials": theirs}) as client:
            client.list_sessions(**CALL)  # nothing was found yet that could be asked
            with pytest.raises(Interruption):
                client.list_sessions(**CALL)
            client.list_sessions(**CALL)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_what_a_handler_raises_in_a_hook_comes_out() -> None:
    class Handler:
        def __call__(self, *_: object) -> None:
            raise Interruption

    def hook(_: object) -> None:
        signal.raise_signal(signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, Handler())
    try:
        with Server(always(PAGE)) as server:
            client = Client(**options_to(server), on_attempt=hook)
            with pytest.raises(Interruption):
                client.list_sessions(**CALL)
            client.close()
    finally:
        signal.signal(signal.SIGTERM, before)


def test_what_an_enumeration_raises_comes_from_no_handler() -> None:
    class Colour(enum.Enum):
        RED = 1

    with pytest.raises(ValueError, match="2 is not a valid") as caught:
        Colour(2)
    assert not comes_from_signal_handler(caught.value)


@HAS_TIMERS
@pytest.mark.parametrize("through_httpx", [False, True])
def test_what_a_handler_raises_while_a_bundle_is_read_comes_out(through_httpx: bool) -> None:
    class TooSlowError(TimeoutError):
        pass

    def handler(*_: object) -> None:
        raise TooSlowError

    def tls() -> NoReturn:
        signal.raise_signal(signal.SIGALRM)
        raise AssertionError

    sender: Any = httpx_sender.Sender(None, tls) if through_httpx else blocking_pool.Pool(tls)
    before = signal.signal(signal.SIGALRM, handler)
    try:
        with pytest.raises(TooSlowError):
            sender.send(request_to(endpoint("127.0.0.1", closed_port(), "https")))
    finally:
        signal.signal(signal.SIGALRM, before)
    sender.close()


@HAS_TIMERS
@pytest.mark.parametrize("raised", [TimeoutError, ValueError])
def test_what_a_handler_raises_while_a_context_is_built_comes_out(
    raised: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def handler(*_: object) -> None:
        raise raised

    monkeypatch.setattr(ssl, "create_default_context", lambda **_: signal.raise_signal(signal.SIGALRM))
    before = signal.signal(signal.SIGALRM, handler)
    try:
        with pytest.raises(raised):
            tls.provider("ca.pem", scheme="https")()
    finally:
        signal.signal(signal.SIGALRM, before)


FETCH_TWICE = """
    from novaact_http import Client, Credentials

    def fetch():
        return Credentials(access_key_id="AKIAIOSFODNN7EXAMPLE", secret_access_key="secretsecretsecret")

    def report(url, run):
        client = Client(region="us-east-1", endpoint_url=url, credentials=fetch, timeout=60)
        for _ in range(2):
            page = client.list_sessions(workflow_definition_name="a", workflow_run_id=run)
            print(page.metadata.attempts, flush=True)
"""


def test_credentials_are_fetched_as_the_program_ends() -> None:
    program = f"""{FETCH_TWICE}
    import atexit, sys
    atexit.register(report, *sys.argv[1:])
    """
    with Server(always(PAGE)) as server:
        url = f"http://{server.endpoint().authority}"
        assert run_python("-c", program, url, CALL["workflow_run_id"]).stdout == "1\n1\n"


def test_credentials_are_fetched_in_an_interpreter_that_may_start_no_threads() -> None:
    with Server(always(PAGE)) as server:
        url = f"http://{server.endpoint().authority}"
        inner = f"{textwrap.dedent(FETCH_TWICE)}\nreport({url!r}, {CALL['workflow_run_id']!r})"
        code = f"import sys\nsys.path[:0] = {sys.path!r}\n{inner}"
        # At once out, as CPython 3.12.1 may crash when it destroys the other interpreter.
        program = f"""
        import os
        try:
            import _interpreters
        except ImportError:
            import _xxsubinterpreters
            _xxsubinterpreters.run_string(_xxsubinterpreters.create(), {code!r})
        else:
            problem = _interpreters.run_string(_interpreters.create(), {code!r})
            assert problem is None, problem
        os._exit(0)
        """
        assert run_python("-c", program).stdout == "1\n1\n"


@needs_own_async_connections
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_executor_that_was_shut_down_is_one_clear_error(scheme: str) -> None:
    async def run() -> None:
        await asyncio.get_running_loop().shutdown_default_executor()
        async with AsyncClient(**{**OPTIONS, "endpoint_url": f"{scheme}://localhost:9"}) as client:
            with pytest.raises(
                TransportError, match="localhost was not looked up, as no thread could be had"
            ) as caught:
                await client.list_sessions(**CALL)
            assert not caught.value.request_sent
            client._senders._pool = None  # now through httpx
            with pytest.raises(TransportError, match="RuntimeError: "):
                await client.list_sessions(**CALL)

    asyncio.run(run())


@needs_own_async_connections
def test_what_takes_some_milliseconds_needs_no_executor() -> None:
    async def run() -> None:
        await asyncio.get_running_loop().shutdown_default_executor()
        async with AsyncClient(**{**OPTIONS, "endpoint_url": f"https://127.0.0.1:{closed_port()}"}) as client:
            for refused in ("ConnectionRefusedError", "ConnectError"):
                with pytest.raises(TransportError, match=refused):
                    await client.list_sessions(**CALL)
                client._senders._pool = None  # now through httpx

    asyncio.run(run())


# Several event loops, and functions that call their own client.


def page_of(client: Any) -> object:
    """Call a client of either kind."""

    async def run() -> object:
        return await client.list_sessions(**CALL)

    return client.list_sessions(**CALL) if isinstance(client, Client) else asyncio.run(run())


def test_the_end_of_an_event_loop_ends_no_refresh_for_others() -> None:
    begun, others_wait = threading.Event(), threading.Event()
    calls: list[None] = []

    async def fetch() -> Credentials:
        calls.append(None)
        if len(calls) == 1:
            begun.set()
            await asyncio.Event().wait()
        return KEYS

    async def begin_and_end() -> None:
        begin = asyncio.ensure_future(client.list_sessions(**CALL))
        while not others_wait.is_set():  # noqa: ASYNC110 - set by a thread
            await asyncio.sleep(0.001)
        begin.cancel()

    async def wait() -> object:
        waiting = asyncio.ensure_future(client.list_sessions(**CALL))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        others_wait.set()
        return (await waiting).session_summaries

    with Server(always(PAGE)) as server, ThreadPoolExecutor(1) as other:
        client = AsyncClient(**{**options_to(server), "credentials": fetch, "timeout": PATIENCE})
        ending = other.submit(asyncio.run, begin_and_end())
        assert begun.wait(PATIENCE)
        assert asyncio.run(wait()) == ()
        ending.result(PATIENCE)
    assert len(calls) == 2


@pytest.mark.parametrize("make", [Client, AsyncClient])
def test_a_credentials_function_that_calls_its_own_client_is_told_at_once(make: Any) -> None:
    def fetch() -> Credentials:
        page_of(client)
        return KEYS

    client = make(**{**OPTIONS, "credentials": fetch, "timeout": PATIENCE})
    with pytest.raises(CredentialsError, match=r"\(the function fetch\) calls the client that waits for its answer"):
        page_of(client)


def test_a_credentials_function_that_calls_its_own_client_is_told_so_without_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fetch() -> Credentials:
        page_of(client)
        return KEYS

    client = Client(**{**OPTIONS, "credentials": fetch, "timeout": PATIENCE})
    monkeypatch.setattr("_thread.start_new_thread", no_thread)
    for _ in range(2):
        with pytest.raises(CredentialsError, match="calls the client that waits for its answer"):
            page_of(client)


def test_an_asynchronous_credentials_function_that_calls_its_own_client_is_told_at_once() -> None:
    async def fetch() -> Credentials:
        await asyncio.gather(client.list_sessions(**CALL))
        return KEYS

    client = AsyncClient(**{**OPTIONS, "credentials": fetch, "timeout": PATIENCE})
    with pytest.raises(CredentialsError, match="calls the client that waits for its answer"):
        page_of(client)


# Requests through httpx.


def test_a_signal_handler_may_close_a_client_whose_request_goes_through_httpx() -> None:
    with Server(always(PAGE)) as server:
        step, is_over = 0, False
        while not is_over:
            step += 11
            client = Client(**options_to(server))
            client._senders._pool = None
            client.list_sessions(**CALL)
            calling = functools.partial(client.list_sessions, **CALL)
            try:
                is_over = not interrupted(calling, step, client.close, (PACKAGE, HTTPCORE))
            except NovaActError as error:
                assert "this client is closed" in str(error)  # noqa: PT017 - it need not be raised
            with pytest.raises(NovaActError, match="this client is closed"):
                client.close()
                client.list_sessions(**CALL)


def test_closing_lets_a_request_through_httpx_finish_and_then_closes_its_connection() -> None:
    def script(peer: Peer) -> None:
        peer.request()
        client.close()
        peer.send(PAGE)
        peer.stall()

    with Server(script) as server:
        client = Client(**options_to(server))
        client._senders._pool = None
        assert client.list_sessions(**CALL).session_summaries == ()
        server.wait_for_end()
