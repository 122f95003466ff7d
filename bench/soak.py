"""`python -m bench.soak`: mixed load for half an hour, with a fault in one request of a hundred, to find leaks.

Threads share a `Client`, and tasks share an `AsyncClient`. Both list runs of the local service, which runs in its own
process, over TLS. Some tasks are cancelled at a random moment, and credentials are renewed all the time. Each listing
must be complete and in order, or end with a documented error. Memory, sockets, threads and tasks are sampled every few
seconds. It writes `bench/SOAK.md` and `bench/soak.svg`. The exit status is 1 if a listing was wrong or a socket is left
open.
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
FULL_RUN = 30  # minutes; shorter runs write no files
THREADS, TASKS = 4, 12
CANCELLED_SHARE = 0.05  # the share of the listings in tasks that are cancelled
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
    """The figures at one moment; `at` is in seconds since the start of the load."""

    at: float
    memory: float  # MiB, resident
    sockets: int
    threads: int
    tasks: int


PANELS = {"memory": "memory, MiB", "sockets": "open sockets", "threads": "threads", "tasks": "tasks"}


def serve() -> None:
    """Run the service until the end of standard input."""
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
    """The listings to make, and the count of their results."""

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
            # Valid for 20 more seconds, so they are renewed all the time, during calls.
            "credentials": lambda: Credentials(
                access_key_id=key_id,
                secret_access_key=secret,
                expires_at=dt.datetime.now(dt.timezone.utc) + dt.timedelta(seconds=20),
            ),
        }

    def pick(self, rng: random.Random) -> tuple[dict[str, Any], list[str]]:
        """Return the arguments of a listing, and the ids that it must return."""
        name, run_id, ids = rng.choice(self._runs)
        order = rng.choice(["Ascending", "Descending"])
        arguments = {"workflow_definition_name": name, "workflow_run_id": run_id, "sort_order": order}
        arguments["page_size"] = rng.choice([10, 50, 100])
        return arguments, ids if order == "Ascending" else ids[::-1]

    def check(self, listed: list[str], expected: list[str], error: str) -> None:
        """Count a listing: it must be complete, or correct up to its error."""
        if listed == (expected[: len(listed)] if error else expected):
            self.counts[error or "complete"] += 1
        else:
            self.counts["WRONG"] += 1

    def run_in_thread(self, client: Client, seed: int) -> None:
        """List runs again and again."""
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
        """List runs again and again, and cancel some listings."""
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
    """Add the ids of a listing to `ids` as they arrive."""
    async for each in pager:
        ids.append(each.session_id)  # noqa: PERF401 - the ids before a cancellation count


def sockets() -> int:
    """Return the number of open sockets of this process."""
    count = 0
    for each in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            count += str(each.readlink()).startswith("socket:")
    return count


def memory() -> float:
    """Return the resident memory in MiB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


async def run(load: Load, every: float) -> list[Sample]:
    """Run the load, and take a sample every `every` seconds."""
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
    """Return the median of a figure in one quarter of the time; `number` is from 0 to 3."""
    size = max(1, len(samples) // 4)
    return statistics.median(float(getattr(each, name)) for each in samples[number * size : (number + 1) * size])


def chart(samples: Sequence[Sample]) -> str:
    """Draw a panel for each figure over time."""
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
    """Return the report, as Markdown."""
    listings = sum(load.counts.values())
    rows = [
        f"| {title} | {quarter_median(samples, 1, name):.1f} | {quarter_median(samples, 3, name):.1f} |"
        for name, title in PANELS.items()
    ]
    return "\n".join(
        (
            "# Half an hour of load",
            "",
            "`make soak` writes this file. Threads share a `Client`, and tasks share an `AsyncClient`. Both list runs",
            "of the local service over TLS; it runs in its own process. One request in a hundred gets one of ten",
            "faults, and one in twenty listings of the tasks is cancelled. Each listing must be complete and in order,",
            "or end with a documented error.",
            "",
            f"{samples[-1].at / 60:.0f} minutes, {listings:,} listings, **wrong: {load.counts['WRONG']}**; sockets",
            f"left open after closing: {left}. The listings by result: "
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
    """Parse the arguments, run the load, and report."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.soak", description="Put mixed load with faults on both clients, to find leaks."
    )
    parser.add_argument(
        "--minutes",
        type=float,
        default=FULL_RUN,
        help="how long to put load on (default: %(default)s; shorter runs write no files)",
    )
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
        sys.exit("a listing was wrong, or a socket was left open: see the report above")


if __name__ == "__main__":
    main()
