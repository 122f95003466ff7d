"""How long a contender blocks an event loop: a task that runs every millisecond measures its delays.

`python -m bench.heartbeat NAME URL CA_BUNDLE` prints one line of JSON. For each phase it has the largest gap between
two beats in seconds, and the largest CPU time that the loop's thread used between two beats. The CPU time is the
contender's own work; other processes can lengthen the gap. Imports come first, as in an application. With the name
`refresh`, the contender is the library's client with credentials that are slow to load.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
import time
from typing import TYPE_CHECKING, Any

from bench.contenders import KEY, SECRET, Aiobotocore, AsyncOurs, Target, ThreadedBoto3, varied_arguments
from bench.worker import check

if TYPE_CHECKING:
    from collections.abc import Callable

BEAT = 0.001
CALLS = 200
CONCURRENCY = 20
REFRESH = 5.0  # seconds
WAITING = 4  # calls that wait for the credentials; each then opens a connection

# Contenders by name.
CONTENDERS: dict[str, Callable[[Target], Any]] = {
    "novaact_http AsyncClient": AsyncOurs,
    "aiobotocore": Aiobotocore,
    "boto3 on threads": ThreadedBoto3,
}


class Heart:
    """Beats regularly, and records the largest gap between two beats."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Start a new measurement."""
        self.gap = self.cpu = 0.0
        self._last = time.perf_counter(), time.thread_time()

    def beat(self) -> None:
        """Record the time since the last beat."""
        now = time.perf_counter(), time.thread_time()
        self.gap = max(self.gap, now[0] - self._last[0])
        self.cpu = max(self.cpu, now[1] - self._last[1])
        self._last = now

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            await asyncio.sleep(BEAT)
            self.beat()


async def measure(contender: Any) -> dict[str, list[float]]:
    """Measure while a client is made and calls for the first time, then while it makes many calls."""
    heart = Heart()
    beating = asyncio.create_task(heart.run())
    gaps: dict[str, list[float]] = {}

    def end_phase(phase: str) -> None:
        heart.beat()  # includes the time since the last beat
        gaps[phase] = [heart.gap, heart.cpu]
        heart.start()

    await asyncio.sleep(0.2)
    end_phase("nothing")
    await contender.open()
    check(contender.count(await contender.call(varied_arguments(1, 100)[0])), 100)
    end_phase("first call")
    left = iter(varied_arguments(CALLS, 100))

    async def call_in_turn() -> None:
        for arguments in left:
            await contender.call(arguments)

    heart.start()
    await asyncio.gather(*[call_in_turn() for _ in range(CONCURRENCY)])
    end_phase("many calls")
    beating.cancel()
    await contender.close()
    return gaps


async def measure_refresh(target: Target) -> dict[str, list[float]]:
    """Measure while calls of a client wait for a blocking function that loads credentials."""
    from novaact_http import Credentials

    def load_slowly() -> Credentials:
        time.sleep(REFRESH)
        return Credentials(access_key_id=KEY, secret_access_key=SECRET)

    contender = AsyncOurs(target, load_slowly)
    heart = Heart()
    beating = asyncio.create_task(heart.run())
    await contender.open()
    pages = await asyncio.gather(*[contender.call(arguments) for arguments in varied_arguments(WAITING, 100)])
    check(sum(map(contender.count, pages)), 100 * WAITING)
    heart.beat()
    beating.cancel()
    await contender.close()
    return {"refresh": [heart.gap, heart.cpu]}


def main() -> None:
    """Measure one contender, or with the name `refresh` the library while credentials load."""
    name, url, ca_bundle = sys.argv[1:]
    if name == "refresh":
        for module in AsyncOurs.modules:
            importlib.import_module(module)
        print(json.dumps(asyncio.run(measure_refresh(Target(url, ca_bundle, CONCURRENCY)))))
        return
    contender = CONTENDERS[name](Target(url, ca_bundle, CONCURRENCY))
    for module in contender.modules:
        importlib.import_module(module)
    print(json.dumps(asyncio.run(measure(contender))))


if __name__ == "__main__":
    main()
