"""The process of one contender: reads commands as lines of JSON, and answers each with one line.

`python -m bench.worker KIND NAME URL CA_BUNDLE CONCURRENCY`, where KIND is `sync`, `asyncio` or `uvloop`. The client is
made before the first command and kept. Arguments are made before the clock starts. Before every measurement there are
calls that do not count, whose pages are checked, and a full garbage collection; the collector stays on, as it is for
users. With several calls at a time, the clock starts and stops while all of them are busy.
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
from typing import TYPE_CHECKING, Any

from bench.contenders import ASYNC, KEY, REGION, SECRET, SYNC, Target, varied_arguments
from bench.measure import allow_many_files

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.contenders import Arguments

LISTED = 2_000


class Stopwatch:
    """CPU time of this process and wall time, per call."""

    def __init__(self) -> None:
        gc.collect()
        self.start()

    def start(self) -> None:
        """Start again."""
        self._began = time.process_time(), time.perf_counter()

    def stop(self, calls: int = 1) -> tuple[float, float]:
        """Seconds per call since the start."""
        ended = time.process_time(), time.perf_counter()
        cpu, wall = (end - begin for begin, end in zip(self._began, ended, strict=True))
        return cpu / calls, wall / calls


class SyncWorker:
    """Does what is asked with a contender that blocks."""

    def __init__(self, kind: type[Any], target: Target) -> None:
        self._make: Callable[[], Any] = lambda: kind(target)
        self._contender = self._make()
        self._contender.open()

    def calls(self, sessions: int, calls: int, warm: int, **_: object) -> tuple[float, float]:
        """Call one after the other."""
        contender = self._contender
        for arguments in varied_arguments(warm, sessions):
            check(contender.count(contender.call(arguments)), sessions)
        arguments_list, call = varied_arguments(calls, sessions), contender.call
        watch = Stopwatch()
        for arguments in arguments_list:
            call(arguments)
        return watch.stop(calls)

    def profile(self, sessions: int, calls: int, **_: object) -> dict[str, list[Any]]:
        """Where the time of calls goes."""
        self.calls(sessions, 1, 20)
        arguments_list, call = varied_arguments(calls, sessions), self._contender.call
        profiler = cProfile.Profile()
        profiler.enable()
        for arguments in arguments_list:
            call(arguments)
        profiler.disable()
        return summary(profiler, calls)

    def listing(self) -> tuple[float, float]:
        """List all pages."""
        watch = Stopwatch()
        check(self._contender.listing(), LISTED)
        return watch.stop()

    def construct(self, clients: int) -> tuple[float, float]:
        """Make more clients."""
        made = [self._make() for _ in range(clients)]
        watch = Stopwatch()
        for each in made:
            each.open()
        taken = watch.stop(clients)
        for each in made:
            each.close()
        return taken

    def close(self) -> None:
        """Close the client."""
        self._contender.close()


class AsyncWorker:
    """The same for asyncio."""

    def __init__(self, kind: type[Any], target: Target, loop: asyncio.AbstractEventLoop) -> None:
        self._make: Callable[[], Any] = lambda: kind(target)
        self._contender = self._make()
        self._loop = loop
        loop.run_until_complete(self._contender.open())

    def calls(self, sessions: int, calls: int, warm: int, concurrency: int = 1) -> tuple[float, float]:
        """Call, so many at a time, without a break."""
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

    def profile(self, sessions: int, calls: int, concurrency: int) -> dict[str, list[Any]]:
        """See `SyncWorker.profile`."""
        self.calls(sessions, 1, 2 * concurrency, concurrency)
        arguments_list = varied_arguments(calls + concurrency, sessions)
        profiler = cProfile.Profile()
        profiler.enable()
        self._loop.run_until_complete(self._call_many(arguments_list, calls, 1, concurrency))
        profiler.disable()
        return summary(profiler, calls)

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


def check(found: int, expected: int) -> None:
    """Raise unless a page is whole."""
    if found != expected:
        raise ValueError(f"{found} sessions came, not {expected}")


def sign(signer: str, calls: int) -> tuple[float, float]:
    """Sign requests that differ, with our signer or botocore's."""
    urls = [f"https://nova-act.{REGION}.amazonaws.com{each.path()}" for each in varied_arguments(calls, 100)]
    sign_one = _our_signer(urls[0]) if signer == "ours" else _botocore_signer()
    sign_one(urls[0])
    watch = Stopwatch()
    for url in urls:
        sign_one(url)
    return watch.stop(calls)


def _our_signer(example: str) -> Callable[[str], object]:
    # The one thing that is measured and not public: `Client(signer=None)` uses it.
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
    """Microseconds per call by function and by package, most first."""
    functions: dict[str, tuple[float, float]] = {}
    packages: dict[str, float] = {}
    entries = pstats.Stats(profiler).stats  # type: ignore[attr-defined]
    for (path, _, name), (_, count, own, _, _) in entries.items():
        where = place(path)
        if where.startswith("bench/") or "gc.collect" in name:  # our own
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


def place(path: str) -> str:
    """A file's path without what belongs to this machine; nothing for what is not written in Python."""
    if path.startswith("<attrs generated"):  # methods of the class named
        return path.strip("<>").split()[-1].replace(".", "/")
    if path.startswith("<frozen"):
        return path.strip("<>").split()[-1]
    if path.startswith(("~", "<")):
        return ""
    return re.sub(r".*/(?:site-packages|lib/python[0-9.]+|(?=bench/))/?", "", path.replace("\\", "/"))


def main() -> None:
    """Do as told until standard input ends."""
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
        "profile": worker.profile,
        "sign": sign,
    }
    for line in sys.stdin:
        options = json.loads(line)
        print(json.dumps(commands[options.pop("command")](**options)), flush=True)
    worker.close()


def event_loop(kind: str) -> asyncio.AbstractEventLoop:
    """A loop of asyncio's or uvloop's."""
    if kind == "asyncio":
        return asyncio.new_event_loop()
    import uvloop

    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


if __name__ == "__main__":
    main()
