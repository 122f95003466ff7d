"""The process of one contender: reads commands as lines of JSON, and answers each with one line of JSON.

`python -m bench.worker KIND NAME URL CA_BUNDLE CONCURRENCY`, where KIND is `sync`, `asyncio` or `uvloop`. The client is
made before the first command and kept. Arguments are made before the clock starts. Before each measurement, some calls
warm up the client without being measured, and their pages are checked. Then there is a full garbage collection; the
collector stays enabled, as it is for users. With concurrent calls, the clock starts and stops while all are busy.
"""

from __future__ import annotations

import asyncio
import cProfile
import gc
import json
import pstats
import re
import sys
import time
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.contenders import ASYNC, KEY, REGION, SECRET, SYNC, WORKS, Target, varied_arguments
from bench.measure import allow_many_files
from bench.server import PAGES

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.contenders import Arguments

LISTED = 100 * PAGES


class Stopwatch:
    """Measures the CPU time of this process and the wall time, per call."""

    def __init__(self) -> None:
        gc.collect()
        self.start()

    def start(self) -> None:
        """Start the measurement again."""
        self._began = time.process_time(), time.perf_counter()

    def stop(self, calls: int = 1) -> tuple[float, float]:
        """Return CPU and wall time per call since the start, in seconds."""
        ended = time.process_time(), time.perf_counter()
        cpu, wall = (end - begin for begin, end in zip(self._began, ended, strict=True))
        return cpu / calls, wall / calls


class SyncWorker:
    """Runs the commands with a blocking contender."""

    def __init__(self, kind: type[Any], target: Target) -> None:
        self._make: Callable[[], Any] = lambda: kind(target)
        self._contender = self._make()
        self._contender.open()

    def calls(self, sessions: int, calls: int, warm: int, **_: object) -> tuple[float, float]:
        """Measure calls one after the other."""
        contender = self._contender
        for arguments in varied_arguments(warm, sessions):
            check(contender.count(contender.call(arguments)), sessions)
        return self._measure(contender.call, sessions, calls)

    def work(self, name: str, calls: int) -> tuple[float, float]:
        """Measure one of the `WORKS`, one call after the other."""
        work = WORKS[name]
        call = self._contender.work(work)
        for arguments in varied_arguments(3, 1):
            if not self._contender.found(call(arguments), work.found):
                raise ValueError(f"{work.method} has no {work.found}")
        return self._measure(call, 1, calls)

    @staticmethod
    def _measure(call: Callable[[Arguments], Any], sessions: int, calls: int) -> tuple[float, float]:
        arguments_list = varied_arguments(calls, sessions)
        watch = Stopwatch()
        for arguments in arguments_list:
            call(arguments)
        return watch.stop(calls)

    def profile(self, sessions: int, calls: int, **_: object) -> dict[str, list[Any]]:
        """Profile calls, and return the time of functions and packages."""
        self.calls(sessions, 1, 20)
        arguments_list, call = varied_arguments(calls, sessions), self._contender.call
        profiler = cProfile.Profile()
        profiler.enable()
        for arguments in arguments_list:
            call(arguments)
        profiler.disable()
        return summary(profiler, calls)

    def listing(self) -> tuple[float, float]:
        """Measure listing all pages."""
        watch = Stopwatch()
        check(self._contender.listing(), LISTED)
        return watch.stop()

    def construct(self, clients: int) -> tuple[float, float]:
        """Measure making more clients."""
        made = [self._make() for _ in range(clients)]
        watch = Stopwatch()
        for each in made:
            each.open()
        taken = watch.stop(clients)
        for each in made:
            each.close()
        return taken

    def peak(self, name: str) -> int:
        """Return the most memory that Python's objects take during one of the `WORKS`, but for its arguments."""
        call, (arguments,) = self._contender.work(WORKS[name]), varied_arguments(1, 1)
        call(arguments)
        gc.collect()
        tracemalloc.start()
        call(arguments)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    def close(self) -> None:
        """Close the client."""
        self._contender.close()


class AsyncWorker:
    """Runs the commands with a contender for asyncio."""

    def __init__(self, kind: type[Any], target: Target, loop: asyncio.AbstractEventLoop) -> None:
        self._make: Callable[[], Any] = lambda: kind(target)
        self._contender = self._make()
        self._loop = loop
        loop.run_until_complete(self._contender.open())

    def calls(self, sessions: int, calls: int, warm: int, concurrency: int = 1) -> tuple[float, float]:
        """Measure calls without a pause, `concurrency` of them at a time."""
        cool = concurrency - 1
        return self._loop.run_until_complete(
            self._call_many(varied_arguments(warm + calls + cool, sessions), calls, warm, concurrency)
        )

    async def _call_many(
        self, arguments_list: list[Arguments], calls: int, warm: int, concurrency: int
    ) -> tuple[float, float]:
        contender, left, done = self._contender, iter(arguments_list), 0
        watch, taken = Stopwatch(), (0.0, 0.0)

        async def call_in_turn() -> None:
            nonlocal done, taken
            for arguments in left:
                page = await contender.call(arguments)
                done += 1
                if done <= warm:
                    check(contender.count(page), arguments.sessions)
                    if done == warm:
                        gc.collect()
                        watch.start()
                elif done == warm + calls:
                    taken = watch.stop(calls)

        await asyncio.gather(*[call_in_turn() for _ in range(concurrency)])
        return taken

    def work(self, name: str, calls: int) -> tuple[float, float]:
        """See `SyncWorker.work`."""
        return self._loop.run_until_complete(self._work(name, calls))

    async def _work(self, name: str, calls: int) -> tuple[float, float]:
        work = WORKS[name]
        call = self._contender.work(work)
        for arguments in varied_arguments(3, 1):
            if not self._contender.found(await call(arguments), work.found):
                raise ValueError(f"{work.method} has no {work.found}")
        arguments_list = varied_arguments(calls, 1)
        watch = Stopwatch()
        for arguments in arguments_list:
            await call(arguments)
        return watch.stop(calls)

    def profile(self, sessions: int, calls: int, concurrency: int) -> dict[str, list[Any]]:
        """See `SyncWorker.profile`."""
        self.calls(sessions, 1, 2 * concurrency, concurrency)
        arguments_list = varied_arguments(calls + concurrency, sessions)
        profiler = cProfile.Profile()
        profiler.enable()
        self._loop.run_until_complete(self._call_many(arguments_list, calls, 1, concurrency))
        profiler.disable()
        return summary(profiler, calls)

    def memory(self, clients: int, connections: int, waiting: int) -> tuple[float, float, float]:
        """Return the memory, in bytes, of one more client, of an idle connection and of a call that waits."""
        return self._loop.run_until_complete(self._memory(clients, connections, waiting))

    async def _memory(self, clients: int, connections: int, waiting: int) -> tuple[float, float, float]:
        call = self._contender.call
        await call(varied_arguments(1, 1)[0])
        before = resident()
        await asyncio.gather(*map(call, varied_arguments(connections, 1)))
        of_connection = (resident() - before) / connections
        arguments, before = varied_arguments(waiting, 1), resident()
        calls = [asyncio.ensure_future(call(each)) for each in arguments]
        await asyncio.sleep(0.01)
        of_call = (resident() - before) / waiting
        await asyncio.gather(*calls)
        made, before = [self._make() for _ in range(clients)], resident()
        for each in made:
            await each.open()
        of_client = (resident() - before) / clients
        for each in made:
            await each.close()
        return of_client, of_connection, of_call

    def listing(self) -> tuple[float, float]:
        """See `SyncWorker.listing`."""
        watch = Stopwatch()
        check(self._loop.run_until_complete(self._contender.listing()), LISTED)
        return watch.stop()

    def construct(self, clients: int) -> tuple[float, float]:
        """See `SyncWorker.construct`."""
        return self._loop.run_until_complete(self._construct(clients))

    async def _construct(self, clients: int) -> tuple[float, float]:
        made = [self._make() for _ in range(clients)]
        watch = Stopwatch()
        for each in made:
            await each.open()
        taken = watch.stop(clients)
        for each in made:
            await each.close()
        return taken

    def close(self) -> None:
        """Close the client."""
        self._loop.run_until_complete(self._contender.close())


def resident() -> int:
    """Return the resident memory of this process, in bytes. Only Linux tells it."""
    import resource

    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def check(found: int, expected: int) -> None:
    """Raise a ValueError unless a page is complete."""
    if found != expected:
        raise ValueError(f"expected {expected} sessions, got {found}")


def sign(signer: str, calls: int) -> tuple[float, float]:
    """Measure signing requests that differ, with the library's signer or botocore's."""
    urls = [f"https://nova-act.{REGION}.amazonaws.com{each.path()}" for each in varied_arguments(calls, 100)]
    sign_one = _our_signer(urls[0]) if signer == "ours" else _botocore_signer()
    sign_one(urls[0])
    watch = Stopwatch()
    for url in urls:
        sign_one(url)
    return watch.stop(calls)


def _our_signer(example: str) -> Callable[[str], object]:
    # The only thing measured that is not public: `Client(signer=None)` uses it.
    from novaact_http import Credentials
    from novaact_http._call.sigv4 import Scope, SigV4Signer

    _, _, host, _ = example.split("/", 3)
    signer, scope, credentials = (
        SigV4Signer(),
        Scope(REGION, "nova-act"),
        Credentials(access_key_id=KEY, secret_access_key=SECRET),
    )
    headers, skip = (("Host", host), ("Content-Type", "application/json")), len(f"https://{host}")
    return lambda url: signer.sign(
        "POST", url[skip:], headers, b"{}", credentials=credentials, scope=scope, now=time.time()
    )


def _botocore_signer() -> Callable[[str], object]:
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    auth = SigV4Auth(Credentials(KEY, SECRET), "nova-act", REGION)

    def sign_one(url: str) -> None:
        auth.add_auth(AWSRequest("POST", url, {"Content-Type": "application/json"}, b"{}"))

    return sign_one


def summary(profiler: cProfile.Profile, calls: int) -> dict[str, list[Any]]:
    """Return microseconds per call by function and by package, largest first."""
    functions: dict[str, tuple[float, float]] = {}
    packages: dict[str, float] = {}
    entries = pstats.Stats(profiler).stats  # type: ignore[attr-defined]
    for (path, _, name), (_, count, own, _, _) in entries.items():
        where = short_path(path)
        if where.startswith("bench/") or "gc.collect" in name:  # the benchmark itself
            continue
        function = f"{where}:{name}" if where else name.strip("<>")
        before, times = functions.get(function, (0.0, 0.0))
        functions[function] = before + own * 1e6 / calls, times + count / calls
        package = where.split("/")[0].removesuffix(".py") or "built into Python"
        packages[package] = packages.get(package, 0.0) + own * 1e6 / calls
    most = sorted(functions.items(), key=lambda each: each[1], reverse=True)[:25]
    return {
        "functions": [(name, *figures) for name, figures in most],
        "packages": sorted(packages.items(), key=lambda each: each[1], reverse=True)[:12],
    }


def short_path(path: str) -> str:
    """Return the path of a file without the part that belongs to this machine; "" if it is not Python code."""
    if path.startswith("<attrs generated"):  # methods that attrs generates for a class
        return path.strip("<>").split()[-1].replace(".", "/")
    if path.startswith("<frozen"):
        return path.strip("<>").split()[-1]
    if path.startswith(("~", "<")):
        return ""
    return re.sub(r".*/(?:site-packages|lib/python[0-9.]+|(?=bench/))/?", "", path.replace("\\", "/"))


def main() -> None:
    """Run commands until the end of standard input."""
    kind, name, url, ca_bundle, concurrency = sys.argv[1:]
    allow_many_files()
    target = Target(url, ca_bundle, int(concurrency))
    if kind == "sync":
        worker: SyncWorker | AsyncWorker = SyncWorker(SYNC[name], target)
    else:
        worker = AsyncWorker(ASYNC[name], target, event_loop(kind))
    commands: dict[str, Callable[..., Any]] = {
        "calls": worker.calls,
        "construct": worker.construct,
        "listing": worker.listing,
        **({"peak": worker.peak} if isinstance(worker, SyncWorker) else {"memory": worker.memory}),
        "profile": worker.profile,
        "sign": sign,
        "work": worker.work,
    }
    for line in sys.stdin:
        options = json.loads(line)
        print(json.dumps(commands[options.pop("command")](**options)), flush=True)
    worker.close()


def event_loop(kind: str) -> asyncio.AbstractEventLoop:
    """Make an event loop of asyncio or uvloop."""
    if kind == "asyncio":
        return asyncio.new_event_loop()
    import uvloop

    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


if __name__ == "__main__":
    main()
