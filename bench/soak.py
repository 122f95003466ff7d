"""`python -m bench.soak`: mixed load for half an hour, one request in a hundred going wrong; is all still as it was?

Threads share a `Client`, tasks an `AsyncClient`; both list runs of the local service over TLS, in a process of its own.
Some tasks are cancelled at a random moment, credentials are renewed all the time. Each listing must be complete and in
order, or end with a documented error. What grows would show: memory, sockets, threads and tasks are looked at every few
seconds. Writes `bench/SOAK.md` and `bench/soak.svg`. Exits with 1 if a listing was wrong or something is left over.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import datetime as dt
import json
import random
import resource
import statistics
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bench.measure import start
from bench.report import svg
from novaact_http import AsyncClient, Client, Credentials, Timeout
from novaact_http.errors import NovaActError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from novaact_http import ListSessionsResponse, SessionSummary
    from novaact_http._clients.pagers import AsyncPager

HERE = Path(__file__).parent
FULL_RUN = 30  # minutes; shorter runs are not written down
THREADS, TASKS = 4, 12
CANCELLED_SHARE = 0.05  # of the listings in tasks
PAUSE = 0.1  # seconds between the listings of a thread or task, on average
FAULTS = (
    "reset 0.1 %",
    "reset-mid 0.1 %",
    "reset-after 0.1 %",
    "truncate 0.1 %",
    "close 0.1 %",
    "drip for 0.001s 0.1 %",
    "stall 0.1 %",
    "ThrottlingException 0.1 %",
    "InternalServerException 0.1 %",
    "AccessDeniedException 0.1 %",
)


class Sample(NamedTuple):
    """What there was at a moment; `at` in seconds since the load began."""

    at: float
    memory: float  # MiB, resident
    sockets: int
    threads: int
    tasks: int


PANELS = {"memory": "memory, MiB", "sockets": "open sockets", "threads": "threads", "tasks": "tasks"}


def serve() -> None:
    """Run the service until standard input ends."""
    from novaact_http.testing import LocalService

    with LocalService(tls=True, record_requests=False, definitions={"a": [0, 1, 34, 250]}) as service:
        for fault in FAULTS:
            service.inject(fault)
        print(
            json.dumps(
                {
                    "region": service.region,
                    "endpoint_url": service.url,
                    "verify": service.ca_file,
                    "keys": [service.credentials.access_key_id, service.credentials.secret_access_key],
                    "runs": [
                        [each.workflow_definition_name, each.workflow_run_id, each.session_ids] for each in service.runs
                    ],
                }
            ),
            flush=True,
        )
        sys.stdin.read()


class Load:
    """What is to be listed, and what came of it."""

    def __init__(self, service: dict[str, Any], until: float) -> None:
        self.until = until
        self.counts: Counter[str] = Counter()
        self._runs = service["runs"]
        key_id, secret = service["keys"]
        self.options = {
            "region": service["region"],
            "endpoint_url": service["endpoint_url"],
            "verify": service["verify"],
            "timeout": Timeout(connect=10, read=5, total=30),
            # Good for 20 seconds more: they are renewed beside all calls.
            "credentials": lambda: Credentials(
                access_key_id=key_id,
                secret_access_key=secret,
                expires_at=dt.datetime.now(dt.timezone.utc) + dt.timedelta(seconds=20),
            ),
        }

    def pick(self, rng: random.Random) -> tuple[dict[str, Any], list[str]]:
        """Arguments of a listing, and the ids that must come of it."""
        name, run_id, ids = rng.choice(self._runs)
        order = rng.choice(["Ascending", "Descending"])
        arguments = {"workflow_definition_name": name, "workflow_run_id": run_id, "sort_order": order}
        arguments["page_size"] = rng.choice([10, 50, 100])
        return arguments, ids if order == "Ascending" else ids[::-1]

    def check(self, listed: list[str], expected: list[str], error: str) -> None:
        """Count a listing: whole, or right as far as it came before an error."""
        if listed == (expected[: len(listed)] if error else expected):
            self.counts[error or "complete"] += 1
        else:
            self.counts["WRONG"] += 1

    def run_in_thread(self, client: Client, seed: int) -> None:
        """List and list again."""
        rng = random.Random(seed)
        while time.monotonic() < self.until:
            arguments, expected = self.pick(rng)
            listed: list[str] = []
            error = ""
            try:
                listed.extend(each.session_id for each in client.iter_sessions(**arguments))
            except NovaActError as raised:
                error = type(raised).__name__
            self.check(listed, expected, error)
            time.sleep(rng.random() * 2 * PAUSE)

    async def run_in_task(self, client: AsyncClient, seed: int) -> None:
        """The same, now and then cut off."""
        rng = random.Random(seed)
        while time.monotonic() < self.until:
            arguments, expected = self.pick(rng)
            listed: list[str] = []
            error = ""

            pager = client.iter_sessions(**arguments, prefetch=rng.choice([False, True]))
            cancelled = rng.random() < CANCELLED_SHARE
            try:
                await asyncio.wait_for(collect(pager, listed), rng.random() * 0.02 if cancelled else None)
            except asyncio.TimeoutError:
                error = "cancelled"
            except NovaActError as raised:
                error = type(raised).__name__
            self.check(listed, expected, error)
            await asyncio.sleep(rng.random() * 2 * PAUSE)


async def collect(pager: AsyncPager[ListSessionsResponse, SessionSummary], ids: list[str]) -> None:
    """Add the ids of a listing as they come."""
    async for each in pager:
        ids.append(each.session_id)  # noqa: PERF401 - those that came before it is cut off count


def sockets() -> int:
    """How many this process has open."""
    count = 0
    for each in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            count += str(each.readlink()).startswith("socket:")
    return count


def memory() -> float:
    """MiB, resident."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


async def run(load: Load, every: float) -> list[Sample]:
    """Put the load on, and look every so many seconds."""
    samples = []
    began = time.monotonic()
    with Client(**load.options) as client:
        threads = [threading.Thread(target=load.run_in_thread, args=(client, seed)) for seed in range(THREADS)]
        for thread in threads:
            thread.start()
        async with AsyncClient(**load.options) as async_client:
            tasks = [asyncio.create_task(load.run_in_task(async_client, 1_000 + seed)) for seed in range(TASKS)]
            while time.monotonic() < load.until:
                await asyncio.sleep(every)
                samples.append(
                    Sample(
                        time.monotonic() - began,
                        memory(),
                        sockets(),
                        threading.active_count(),
                        len(asyncio.all_tasks()),
                    )
                )
            await asyncio.gather(*tasks)
        for thread in threads:
            await asyncio.to_thread(thread.join)
    return samples


def quarter_median(samples: Sequence[Sample], number: int, name: str) -> float:
    """The median of one quarter of the time, from 0."""
    size = max(1, len(samples) // 4)
    return statistics.median(float(getattr(each, name)) for each in samples[number * size : (number + 1) * size])


def chart(samples: Sequence[Sample]) -> str:
    """A panel for each thing that was looked at, over time; colours follow the reader's light or dark mode."""
    width, height, shapes = 620, 90, []
    end = samples[-1].at
    for number, (name, title) in enumerate(PANELS.items()):
        top = 20 + number * (height + 40)
        values = [getattr(each, name) for each in samples]
        highest = max(values) * 1.1 or 1
        points = " ".join(
            f"{50 + each.at / end * width:.1f},{top + height - value / highest * height:.1f}"
            for each, value in zip(samples, values, strict=True)
        )
        shapes += [
            f'<text x="50" y="{top - 6}" class="title">{title}</text>',
            f'<text x="44" y="{top + 10}" text-anchor="end">{highest:.0f}</text>',
            f'<text x="44" y="{top + height}" text-anchor="end">0</text>',
            f'<path d="M50 {top}v{height}h{width}" class="axis"/>',
            f'<polyline points="{points}" class="line"/>',
        ]
    bottom = 20 + len(PANELS) * (height + 40)
    shapes.append(f'<text x="{50 + width}" y="{bottom - 24}" text-anchor="end">{end / 60:.0f} minutes</text>')
    return svg(
        (700, bottom),
        "memory, sockets, threads and tasks over time",
        shapes,
        style=".axis{stroke:#8c959f;fill:none}.line{stroke:#0969da;fill:none;stroke-width:1.5}",
        dark=".line{stroke:#58a6ff}",
    )


def report(load: Load, samples: Sequence[Sample], left: int) -> str:
    """All of it, as Markdown."""
    listings = sum(load.counts.values())
    rows = [
        f"| {title} | {quarter_median(samples, 1, name):.1f} | {quarter_median(samples, 3, name):.1f} |"
        for name, title in PANELS.items()
    ]
    return "\n".join(
        (
            "# Half an hour of load",
            "",
            "`make soak` wrote this. Threads share a `Client`, tasks an `AsyncClient`; both list runs of the local",
            "service over TLS, in a process of its own. One request in a hundred goes wrong, in ten ways; one task in",
            "twenty is cancelled. Each listing must be complete and in order, or end with a documented error.",
            "",
            f"{samples[-1].at / 60:.0f} minutes, {listings:,} listings, **wrong: {load.counts['WRONG']}**; sockets",
            f"left after closing: {left}. What came of them: "
            + ", ".join(f"{name} {count:,}" for name, count in load.counts.most_common())
            + ".",
            "",
            "| median of the | second quarter | last quarter |",
            "|---|---|---|",
            *rows,
            "",
            "![memory, sockets, threads and tasks over time](soak.svg)",
            "",
        )
    )


def main() -> None:
    """Parse the arguments, put the load on, tell."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=FULL_RUN)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve()
        return
    before = sockets()
    process = start("bench.soak", "--serve")
    assert process.stdout is not None
    load = Load(json.loads(process.stdout.readline()), time.monotonic() + options.minutes * 60)
    samples = asyncio.run(run(load, every=min(5.0, options.minutes * 60 / 40)))
    left = sockets() - before
    process.communicate()
    text = report(load, samples, left)
    print(text)
    if options.minutes >= FULL_RUN:
        (HERE / "SOAK.md").write_text(text, encoding="utf-8")
        (HERE / "soak.svg").write_text(chart(samples), encoding="utf-8")
    if load.counts["WRONG"] or left:
        sys.exit("a listing was wrong, or something is left over")


if __name__ == "__main__":
    main()
