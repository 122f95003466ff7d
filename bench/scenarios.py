"""The scenarios: one function each, which measures and returns a `Section` of the report.

To add a contender, put its class in `contenders.py`, and an `Entry` in the table of its scenario here.
"""

from __future__ import annotations

import json
import sys
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

from bench import cold
from bench.contenders import STEP_SIZE
from bench.heartbeat import CALLS, CONCURRENCY, REFRESH, WAITING
from bench.heartbeat import CONTENDERS as HEARTBEATS
from bench.measure import (
    NEWEST_BOTO3,
    ContenderError,
    Length,
    Sample,
    Spread,
    Worker,
    interleave,
    ratio,
    spread,
    start,
)
from bench.report import Bar, Section, format_number, format_spread
from bench.server import DELAY, PAGES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.contenders import Target
    from bench.measure import Rounds
    from bench.report import Table


@dataclass(frozen=True)
class Setting:
    """The arguments of a scenario.

    Attributes:
        tls: the server over TLS.
        plain: the server over plain HTTP.
        quick: whether to measure for a few seconds only.
    """

    tls: Target
    plain: Target
    quick: bool

    def length(self, seconds: float, min_rounds: int = 5, max_rounds: int = 40) -> Length:
        """Return the length of a scenario, shortened if the run is quick."""
        return (
            Length(seconds / 8, max(1, min_rounds // 3), max_rounds)
            if self.quick
            else Length(seconds, min_rounds, max_rounds)
        )

    def worker(self, kind: str, name: str, concurrency: int = 1) -> Worker:
        """Start the process of a contender. A name that ends in ", newest" uses the newest boto3."""
        name, _, newest = name.partition(", ")
        target = self.tls
        return Worker(
            kind,
            name,
            target.url,
            target.ca_bundle,
            str(concurrency),
            python=NEWEST_BOTO3 if newest else sys.executable,
        )

    def server(self) -> dict[str, Any]:
        """Return the server's CPU time in seconds and its number of requests so far."""
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(self.plain.url) as response:
            return json.load(response)  # type: ignore[no-any-return]


class Entry(NamedTuple):
    """A contender in a table."""

    label: str
    kind: str
    name: str


OURS_SYNC = Entry("novaact_http Client", "sync", "ours")
BOTO3 = Entry("boto3", "sync", "boto3")
NEWEST = Entry("boto3, newest", "sync", "boto3, newest")
RAW = Entry("floor: a blocking ssl socket", "sync", "raw")
CAPO = Entry("capo-nova-act", "sync", "capo")
OURS = Entry("novaact_http AsyncClient", "asyncio", "ours")
AIOBOTOCORE = Entry("aiobotocore", "asyncio", "aiobotocore")
ASYNC_CAPO = Entry("capo-nova-act", "asyncio", "capo")
AIOHTTP = Entry("aiohttp, unsigned POST", "asyncio", "aiohttp")
ASYNC_RAW = Entry("floor: a bare asyncio.Protocol", "asyncio", "raw")
SYNC = (OURS_SYNC, BOTO3, NEWEST, CAPO, Entry("httpx.Client, unsigned POST", "sync", "httpx"), RAW)
ASYNC = (
    OURS,
    AIOBOTOCORE,
    ASYNC_CAPO,
    AIOHTTP,
    Entry("httpx.AsyncClient, unsigned POST", "asyncio", "httpx"),
    ASYNC_RAW,
    Entry("novaact_http AsyncClient on uvloop", "uvloop", "ours"),
    Entry("aiobotocore on uvloop", "uvloop", "aiobotocore"),
    Entry("aiohttp on uvloop", "uvloop", "aiohttp"),
)
FEW_SYNC = (OURS_SYNC, BOTO3, RAW)
FEW_ASYNC = (OURS, AIOBOTOCORE, AIOHTTP)


def server(setting: Setting) -> Section:
    """Measure whether the server is fast enough."""
    rows = []
    for entry, concurrency, calls in (
        (RAW, 1, 4000),
        (ASYNC_RAW, 50, 8000),
        (AIOHTTP, 50, 2000),
        (OURS_SYNC, 1, 500),
        (OURS, 50, 500),
    ):
        with setting.worker(entry.kind, entry.name, concurrency) as worker:
            options = {"sessions": 100, "warm": 2 * concurrency, **_concurrency_option(entry, concurrency)}
            worker.do("calls", calls=1, **options)  # connects
            before = setting.server()
            sample = worker.sample("calls", calls=calls // (8 if setting.quick else 1), **options)
            after = setting.server()
        requests = after["requests"] - before["requests"]
        cpu = (after["cpu"] - before["cpu"]) / requests
        rows.append(
            (
                f"{entry.label}, {concurrency} at a time",
                f"{1 / sample.wall:,.0f}",
                format_number(sample.cpu * 1e6),
                format_number(cpu * 1e6),
                f"{1 / cpu:,.0f}",
                f"{cpu / sample.wall:.0%}",
            )
        )
    head = (
        "client",
        "requests/s",
        "client's CPU, µs",
        "server's CPU, µs",
        "server's limit, requests/s",
        "server busy",
    )
    return Section(
        "The server is not the bottleneck",
        "The server answers from memory, in its own process. If it is busy for clearly less than the whole time, "
        "clients do not wait for it. CPU, which the budgets are about, is per request; waiting uses no CPU.",
        [(head, rows)],
    )


def _concurrency_option(entry: Entry, concurrency: int) -> dict[str, int]:
    return {} if entry.kind == "sync" else {"concurrency": concurrency}


class Turn(NamedTuple):
    """What a contender does in each of its turns: a command of `bench.worker`, with options."""

    entry: Entry
    command: str
    options: Mapping[str, int | str] = {}
    concurrency: int = 1


def _take_turns(setting: Setting, turns: Mapping[str, Turn], length: Length) -> Rounds[Sample]:
    """Start a process for each contender, and let them take turns.

    The first turn of each imports and connects, and is not counted.
    """
    with ExitStack() as stack:
        measured: dict[str, Callable[[], Sample]] = {}
        for label, (entry, command, options, concurrency) in turns.items():
            worker = stack.enter_context(setting.worker(entry.kind, entry.name, concurrency))
            measured[label] = partial(worker.sample, command, **options)
            measured[label]()
        return interleave(measured, length)


def _calls(
    setting: Setting, entries: tuple[Entry, ...], length: Length, *, sessions: int, calls: int, concurrency: int = 1
) -> Rounds[Sample]:
    """Let clients take turns in calling."""
    options = {"sessions": sessions, "calls": calls, "warm": max(10, 2 * concurrency)}
    turns = {
        entry.label: Turn(entry, "calls", {**options, **_concurrency_option(entry, concurrency)}, concurrency)
        for entry in entries
    }
    return _take_turns(setting, turns, length)


def _table(rounds: Rounds[Any], base: str, unit: str = "ms") -> Table:
    factor = {"ms": 1e3, "µs": 1e6}[unit]
    rows = [
        (
            label,
            format_spread(spread(rounds, label).scaled(factor)),
            format_number(spread(rounds, label).minimum * factor),
            format_spread(spread(rounds, label, "wall").scaled(factor)),
            "1" if label == base else format_spread(ratio(rounds, label, base)),
        )
        for label in rounds
    ]
    return (f"{len(rounds[base])} rounds", f"CPU, {unit}", "minimum", f"wall, {unit}", f"CPU / {base}"), rows


def _bars(group: str, rounds: Rounds[Sample]) -> list[Bar]:
    return [
        Bar(group, label, spread(rounds, label).median * 1e3, ours=label.startswith("novaact"))
        for label in rounds
        if "uvloop" not in label
    ]


def sync(setting: Setting) -> Section:
    """Measure blocking calls, one after the other."""
    rounds = _calls(setting, SYNC, setting.length(35), sessions=100, calls=150)
    small = _calls(setting, FEW_SYNC, setting.length(10), sessions=1, calls=150)
    return Section(
        "Synchronous calls",
        "Calls one after the other over one connection. The first table is for pages of 100 sessions, the second for "
        "pages of one. The figures are medians, with quartiles in brackets.",
        [_table(rounds, BOTO3.label), _table(small, BOTO3.label)],
        {"sync": ratio(rounds, OURS_SYNC.label, BOTO3.label)},
        _bars("synchronous", rounds),
    )


def async_1(setting: Setting) -> Section:
    """Measure calls on asyncio, one after the other."""
    rounds = _calls(setting, ASYNC, setting.length(40), sessions=100, calls=150)
    small = _calls(setting, FEW_ASYNC, setting.length(10), sessions=1, calls=150)
    return Section(
        "Asynchronous calls, one at a time",
        "As above: pages of 100 sessions, then pages of one. httpx is installed by `pip install httpx`, so without "
        "sniffio; httpcore then searches the disk for sniffio several times in each asynchronous call.",
        [_table(rounds, AIOBOTOCORE.label), _table(small, AIOBOTOCORE.label)],
        {
            "async-1": ratio(rounds, OURS.label, AIOBOTOCORE.label),
            "async-1-capo": ratio(rounds, OURS.label, ASYNC_CAPO.label),
        },
        _bars("asyncio, 1 at a time", rounds),
    )


def async_50(setting: Setting) -> Section:
    """Measure fifty calls at a time."""
    rounds = _calls(setting, ASYNC, setting.length(50, 4), sessions=100, calls=300, concurrency=50)
    small = _calls(setting, FEW_ASYNC, setting.length(10, 3), sessions=1, calls=300, concurrency=50)
    return Section(
        "Asynchronous calls, 50 at a time",
        "Fifty tasks call without a pause, measured while all of them are busy. Wall time is also per call.",
        [_table(rounds, AIOBOTOCORE.label), _table(small, AIOBOTOCORE.label)],
        {
            "async-50": ratio(rounds, OURS.label, AIOBOTOCORE.label),
            "async-50-aiohttp": ratio(rounds, OURS.label, AIOHTTP.label),
            "async-50-capo": ratio(rounds, OURS.label, ASYNC_CAPO.label),
        },
        _bars("asyncio, 50 at a time", rounds),
    )


def growth(setting: Setting) -> Section:
    """Measure from one task to ten thousand."""
    turns = {}
    for entry, concurrency in (*product((OURS,), (1, 10, 50, 100, 1_000, 10_000)), (AIOHTTP, 50), (AIOHTTP, 1_000)):
        options = {"sessions": 100, "calls": 1000, "warm": concurrency, "concurrency": concurrency}
        turns[f"{entry.label}, {concurrency:,} at a time"] = Turn(entry, "calls", options, concurrency)
    rounds = _take_turns(setting, turns, setting.length(30, 2, 10))
    base = f"{OURS.label}, 50 at a time"
    return Section(
        "Asynchronous calls, from 1 to 10,000 at a time",
        "The library opens 100 connections at most, and further calls wait for their turn; aiohttp, as it is set up "
        "here, opens one for each task. All are open and busy before the clock starts.",
        [_table(rounds, base)],
        {"growth": ratio(rounds, f"{OURS.label}, 10,000 at a time", base)},
    )


_WORK_TITLES = {
    "get": "GetWorkflowRun, as it is polled",
    "create": "CreateSession",
    "step": f"InvokeActStep with a result of {STEP_SIZE / 1e6:g} MB",
}


def works(setting: Setting) -> Section:
    """Measure other operations, one call after the other."""
    section = Section(
        "Other operations",
        "Calls one after the other. The CPU includes encoding, hashing and TLS, which no client can avoid. The last "
        "table has the most memory that Python's objects take during a step, above the megabyte of its result.",
    )
    for (name, title), (entries, base) in product(
        _WORK_TITLES.items(), (((OURS_SYNC, BOTO3, CAPO), BOTO3), ((OURS, AIOBOTOCORE, ASYNC_CAPO), AIOBOTOCORE))
    ):
        calls = 10 if name == "step" else 150
        turns = {each.label: Turn(each, "work", {"name": name, "calls": calls}) for each in entries}
        rounds = _take_turns(setting, turns, setting.length(7))
        (head, *others), rows = _table(rounds, base.label)
        section.tables.append(((f"{title}; {head}", *others), rows))
        if base is BOTO3:
            section.figures[name] = ratio(rounds, OURS_SYNC.label, BOTO3.label)
    peaks = {}
    for entry in (OURS_SYNC, BOTO3, CAPO):
        with setting.worker(entry.kind, entry.name) as worker:
            peaks[entry.label] = (worker.do("peak", name="step") - STEP_SIZE) / 1e6
    section.tables.append(
        (("a step", "memory, MB"), [(label, format_number(peak)) for label, peak in peaks.items()]),
    )
    section.figures["step-memory"] = Spread.of([peaks[OURS_SYNC.label]])
    return section


class Memory(NamedTuple):
    """Resident memory of one more of each, in bytes."""

    client: float
    connection: float
    call: float


def memory(setting: Setting) -> Section:
    """Measure what clients, connections and waiting calls take."""
    of = {"clients": 100, "connections": 100, "waiting": 1_000}

    def turn(entry: Entry) -> Memory:
        with setting.worker(entry.kind, entry.name, 1_000) as worker:
            return Memory(*worker.do("memory", **of))

    entries = (OURS, AIOBOTOCORE, ASYNC_CAPO, AIOHTTP)
    rounds = interleave({each.label: partial(turn, each) for each in entries}, setting.length(15, 2, 5))
    head = (
        f"{len(rounds[OURS.label])} rounds; KiB",
        f"one of {of['clients']} more clients",
        f"one of {of['connections']} idle connections",
        f"one of {of['waiting']:,} calls under way",
    )
    rows = [
        (label, *[format_spread(spread(rounds, label, each).scaled(1 / 1024)) for each in Memory._fields])
        for label in rounds
    ]
    return Section(
        "Memory of clients, connections and calls",
        "How much the resident memory of a fresh process grows, over TLS. Of the calls under way, the library has "
        "sent 100 and the others wait for their turn; the other clients open a connection for each.",
        [(head, rows)],
    )


def cold_starts(setting: Setting) -> Section:
    """Measure fresh processes."""
    plain = setting.plain
    turns: dict[str, Callable[[], cold.Start]] = {
        "Python alone": partial(cold.run, "nothing", plain),
        "novaact_http Client": partial(cold.run, "ours", plain, with_click=False),
        "boto3": partial(cold.run, "boto3", plain, with_click=False),
        "boto3, newest": partial(cold.run, "boto3", plain, python=NEWEST_BOTO3),
        "httpx.Client, unsigned POST": partial(cold.run, "httpx", plain, with_click=False),
        "capo-nova-act": partial(cold.run, "capo", plain),
        "novaact_http AsyncClient": partial(cold.run, "ours, async", plain, with_click=False),
        "aiobotocore": partial(cold.run, "aiobotocore", plain, with_click=False),
        "with click and rich: novaact_http Client": partial(cold.run, "ours", plain),
        "with click and rich: novaact_http AsyncClient": partial(cold.run, "ours, async", plain),
        "with click and rich: httpx.Client": partial(cold.run, "httpx", plain),
        "over TLS: novaact_http Client": partial(cold.run, "ours", setting.tls, with_click=False),
        "over TLS: a bare socket, with attrs, json and logging": partial(cold.run, "bare", setting.tls),
        "over TLS: boto3": partial(cold.run, "boto3", setting.tls, with_click=False),
        "over TLS: novaact_http AsyncClient": partial(cold.run, "ours, async", setting.tls, with_click=False),
        "over TLS: aiobotocore": partial(cold.run, "aiobotocore", setting.tls, with_click=False),
    }
    for turn in turns.values():
        turn()  # writes bytecode, fills the disk cache
    rounds = interleave(turns, setting.length(60))
    rows = [
        (
            label,
            format_spread(spread(rounds, label, "wall").scaled(1e3)),
            format_spread(spread(rounds, label).scaled(1e3)),
            *[f"{spread(rounds, label, part).median * 1e3:.1f}" for part in ("imports", "client", "call")],
            f"{spread(rounds, label, 'peak').median / 2**20:.1f}",
        )
        for label in turns
    ]
    head = (f"{len(rounds['boto3'])} rounds", "wall, ms", "CPU, ms", "imports", "client", "first call", "peak, MiB")
    pairs = [
        ("novaact_http Client", "boto3"),
        ("novaact_http Client", "boto3, newest"),
        ("with click and rich: novaact_http Client", "boto3"),
        ("over TLS: novaact_http Client", "over TLS: boto3"),
        ("novaact_http Client", "capo-nova-act"),
        ("over TLS: novaact_http Client", "over TLS: a bare socket, with attrs, json and logging"),
        ("novaact_http AsyncClient", "aiobotocore"),
        ("with click and rich: novaact_http AsyncClient", "aiobotocore"),
        ("over TLS: novaact_http AsyncClient", "over TLS: aiobotocore"),
    ]
    ratios = [
        (f"{of} / {to}", *[format_spread(ratio(rounds, of, to, each)) for each in ("wall", "cpu", "peak")])
        for of, to in pairs
    ]
    return Section(
        "Cold start to the first response, and peak memory",
        "A fresh, isolated Python imports the library, makes a client and gets a page of 100 sessions. It uses plain "
        "HTTP, except in the rows with TLS, which trust certifi's bundle and the benchmark's CA. Wall time runs from "
        "before the process starts; CPU and peak memory (resident, of the whole process) are taken at the first "
        "response. The import of click and rich is blocked, except in the rows that name them.",
        [(head, rows), (("ratio", "wall", "CPU", "peak memory"), ratios)],
        {
            "cold": ratio(rounds, "novaact_http Client", "boto3", "wall"),
            "cold-async": ratio(rounds, "novaact_http AsyncClient", "aiobotocore", "wall"),
            "cold-capo": ratio(rounds, "novaact_http Client", "capo-nova-act", "inside"),
            "memory": ratio(
                rounds,
                "over TLS: novaact_http Client",
                "over TLS: a bare socket, with attrs, json and logging",
                "peak",
            ),
        },
    )


def construct(setting: Setting) -> Section:
    """Measure making clients after the first."""
    entries = {OURS_SYNC: 50, BOTO3: 5, OURS: 50, AIOBOTOCORE: 5}
    turns = {entry.label: Turn(entry, "construct", {"clients": clients}) for entry, clients in entries.items()}
    rounds = _take_turns(setting, turns, setting.length(8))
    return Section(
        "Making a second client",
        "The cold starts include the first client. For boto3 and aiobotocore, one session makes all clients.",
        [_table(rounds, BOTO3.label)],
        {"construct": spread(rounds, OURS_SYNC.label).scaled(1e3)},
    )


def sign(setting: Setting) -> Section:
    """Measure signing requests."""
    ours, theirs = "novaact_http's SigV4Signer", "botocore's SigV4Auth"
    with setting.worker("sync", "raw") as one, setting.worker("sync", "raw") as other:
        turns: Mapping[str, Callable[[], Sample]] = {
            ours: partial(one.sample, "sign", signer="ours", calls=1000),
            theirs: partial(other.sample, "sign", signer="botocore", calls=300),
        }
        rounds = interleave(turns, setting.length(6))
    return Section(
        "Signing one request",
        "Run id and token differ from request to request. The library derives the signing key once a day. The time of "
        "botocore includes making its request object.",
        [_table(rounds, theirs, "µs")],
        {"sign": spread(rounds, ours).scaled(1e6)},
    )


def paging(setting: Setting) -> Section:
    """Measure a listing from a distant server."""
    prefetching = Entry("novaact_http AsyncClient, prefetch=True", "asyncio", "prefetching")
    entries = (OURS_SYNC, BOTO3, OURS, prefetching, AIOBOTOCORE)
    turns = {entry.label: Turn(entry, "listing") for entry in entries}
    rounds = _take_turns(setting, turns, setting.length(15, 3))
    delay = f"{DELAY * 1000:.0f} ms"
    return Section(
        f"Listing {100 * PAGES:,} runs, {delay} away",
        f"{PAGES} pages of 100 workflow runs. Each response takes {delay}, and what the application does with each "
        f"page takes {delay} too: one after the other {2 * PAGES * DELAY * 1000:.0f} ms. The figures are per listing.",
        [_table(rounds, BOTO3.label)],
    )


class Gaps(NamedTuple):
    """The largest gaps between two beats in each phase, and the largest CPU times, in seconds."""

    nothing: float
    first: float
    first_cpu: float
    many: float
    many_cpu: float


class Refreshes(NamedTuple):
    """The largest gap and the largest CPU time while credentials load, in seconds."""

    gap: float
    cpu: float


def heartbeat(setting: Setting) -> Section:
    """Measure how long the event loop is blocked."""

    def measured(name: str) -> dict[str, list[float]]:
        process = start("bench.heartbeat", name, setting.tls.url, setting.tls.ca_bundle)
        line = process.communicate()[0]
        if process.returncode:
            raise ContenderError(f"the heartbeat of {name} failed: see its output above")
        gaps: dict[str, list[float]] = json.loads(line)
        return gaps

    def turn(name: str) -> Gaps:
        gaps = measured(name)
        return Gaps(gaps["nothing"][0], *gaps["first call"], *gaps["many calls"])

    def refresh() -> Refreshes:
        return Refreshes(*measured("refresh")["refresh"])

    refreshes = {OURS.label: [refresh() for _ in range(1 if setting.quick else 5)]}
    rounds = interleave({name: partial(turn, name) for name in HEARTBEATS}, setting.length(25, max_rounds=15))
    rows = [
        (name, *[format_spread(spread(rounds, name, each).scaled(1e3)) for each in Gaps._fields]) for name in HEARTBEATS
    ]
    head = (
        f"{len(rounds[OURS.label])} rounds; ms",
        "idle",
        "first call",
        "largest CPU of the loop",
        f"{CALLS} calls",
        "largest CPU of the loop",
    )
    return Section(
        "How long the event loop is blocked",
        "A task runs every millisecond while a client is made and calls for the first time over TLS (its module was "
        f"imported before), and then during {CALLS} calls, {CONCURRENCY} at a time. The figures are the largest gap "
        "between two of its runs, and the largest CPU time that the loop's thread used between two runs, in a fresh "
        "process each round. Other processes can lengthen the gap, but not the CPU time.",
        [
            (head, rows),
            (
                (f"{len(refreshes[OURS.label])} rounds; ms", "largest gap", "largest CPU of the loop"),
                [
                    (
                        f"{WAITING} calls wait {REFRESH:g} s for credentials",
                        *[format_spread(spread(refreshes, OURS.label, each).scaled(1e3)) for each in Refreshes._fields],
                    )
                ],
            ),
        ],
        {
            "heartbeat-refresh": spread(refreshes, OURS.label, "gap").scaled(1e3),
            "heartbeat-first": spread(rounds, OURS.label, "first").scaled(1e3),
        },
    )


def profile(setting: Setting) -> Section:
    """Profile the library's calls."""
    section = Section(
        "Where the time of a call goes",
        "Microseconds per call in cProfile, by each function's own time, for pages of 100 sessions. The profiler slows "
        "functions down, small ones most, so read these as shares, not as times.",
    )
    calls = 300 if setting.quick else 1500
    for entry, floor, concurrency in ((OURS_SYNC, RAW, 1), (OURS, ASYNC_RAW, 1), (OURS, ASYNC_RAW, 50)):
        title = f"{entry.label}, {concurrency} at a time"
        rounds = _calls(setting, (entry, floor), Length(2, 3, 10), sessions=100, calls=300, concurrency=concurrency)
        ours, floor_cost = (spread(rounds, each.label).median * 1e6 for each in (entry, floor))
        section.text += (
            f"\n\nWithout the profiler, {title}: {ours:.0f} µs of CPU per call, {ours - floor_cost:.0f} µs above "
            f"{floor.label.removeprefix('floor: ')} ({floor_cost:.0f} µs)."
        )
        with setting.worker(entry.kind, entry.name, concurrency) as worker:
            result = worker.do("profile", sessions=100, calls=calls, **_concurrency_option(entry, concurrency))
        packages = [(name, f"{own:.1f}") for name, own in result["packages"]]
        functions = [(f"`{name}`", f"{own:.1f}", f"{count:.1f}") for name, own, count in result["functions"]]
        section.tables += [
            ((f"{title}: package", "µs"), packages),
            ((f"{title}: function", "µs", "times"), functions),
        ]
    return section


SCENARIOS: dict[str, Callable[[Setting], Section]] = {
    "server": server,
    "sync": sync,
    "async-1": async_1,
    "async-50": async_50,
    "growth": growth,
    "works": works,
    "memory": memory,
    "cold": cold_starts,
    "construct": construct,
    "sign": sign,
    "paging": paging,
    "heartbeat": heartbeat,
    "profile": profile,
}
