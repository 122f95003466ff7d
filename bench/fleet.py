"""Ten thousand clients behind one account's throttle, on virtual time: `python -m bench.fleet`.

A discrete-event simulation that drives the call flows of the library itself. The service (a token bucket, latency,
faults) and the times of the listings are simulated; every decision of a client is the library's own. The listings of a
scenario are the same for every policy and size of the fleet: in a larger fleet each client has less to do, and knows
less of the others. Nothing waits in real time, and the same seed gives the same figures. Times are in seconds.
"""

from __future__ import annotations

import heapq
import itertools
import math
import random
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bench import report
from novaact_http._aws.settings import resolve
from novaact_http._call import flow as call_flow
from novaact_http._call.clock_skew import ClockSkew
from novaact_http._call.heads import Heads
from novaact_http._call.http_messages import Headers, Request, Response
from novaact_http._call.rate_limiter import RateLimiter
from novaact_http._call.redaction import Redaction
from novaact_http._call.retries import Quota
from novaact_http._call.sigv4 import Scope
from novaact_http._operations.sessions import LIST_SESSIONS
from novaact_http.config import Credentials, RetryPolicy, Timeout
from novaact_http.errors import NovaActError, TransportError, TransportTimeout

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

RATE = 50.0  # requests a second that the service admits for the account
BURST = 100.0
LATENCY = 0.05  # of the fastest response; the average is twice as long
HANGING = 0.1  # the share of requests in a black-out that get no response at all
MAX_CONCURRENT_LISTINGS = 8  # in one client; it queues the others
MAX_PAGES = 4
SIZES = (10, 100, 1_000, 10_000)
QUICK = 2.0  # a listing that takes no longer than this is as quick as without faults
BOTOCORES_TIMEOUT = Timeout(connect=60.0, read=60.0)
BOUNDED = Timeout(read=5.0, total=30.0)
PATIENT = Timeout(read=5.0, total=120.0)

KEYS = Credentials(access_key_id="AKIAIOSFODNN7EXAMPLE", secret_access_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
SETTINGS = resolve(region="us-east-1", environ={})


class Unsigned:
    """A signer that adds no signature, because the simulated service does not check it."""

    def sign(self, method: str, target: str, headers: Headers, body: bytes, **_: object) -> Headers:  # noqa: ARG002
        """Return the headers unchanged."""
        return headers


class NoQuota(Quota):
    """A retry quota that never runs out."""

    def acquire(self, amount: int) -> bool:
        return amount > 0


@dataclass(frozen=True)
class Policy:
    """How the clients handle failures.

    Attributes:
        mode, max_attempts: the arguments of their `RetryPolicy`.
        timeout: the limits of each call.
        honours_retry_after: whether responses to them have a Retry-After header.
        legacy: whether they back off as AWS's SDKs did until 2026, without a retry quota.
    """

    name: str
    mode: Any = "standard"
    max_attempts: int = 3
    timeout: Timeout = BOUNDED
    honours_retry_after: bool = True
    legacy: bool = False


POLICIES = (
    Policy("off", mode="off"),
    Policy("AWS legacy", max_attempts=5, timeout=BOTOCORES_TIMEOUT, honours_retry_after=False, legacy=True),
    Policy("AWS standard", timeout=BOTOCORES_TIMEOUT, honours_retry_after=False),
    Policy("standard"),
    Policy("adaptive", mode="adaptive"),
    Policy("standard, patient", max_attempts=8, timeout=PATIENT),
    Policy("adaptive, patient", mode="adaptive", max_attempts=8, timeout=PATIENT),
)


@dataclass(frozen=True)
class Scenario:
    """The load of the fleet, and the faults of the service.

    Attributes:
        loads: steps of (end time, requests wanted as a share of `RATE`).
        errors: steps of (end time, share of requests that fail in the service).
        black_out: the start and the end of the time in which no request gets through.
    """

    name: str
    text: str
    loads: Sequence[tuple[float, float]]
    errors: Sequence[tuple[float, float]] = ()
    black_out: tuple[float, float] = (0.0, 0.0)


SCENARIOS = (
    Scenario(
        "rush", "The load is three times the admitted rate for a minute, then 0.3 times.", loads=((60, 3.0), (180, 0.3))
    ),
    Scenario(
        "brown-out",
        "The load is 0.6 times the admitted rate. From second 20 on, 10, 30, 60 and 30 % of all fail, each for 20 s.",
        loads=((140, 0.6),),
        errors=((20, 0.0), (40, 0.1), (60, 0.3), (80, 0.6), (100, 0.3)),
    ),
    Scenario(
        "black-out",
        "The load is 0.8 times the admitted rate. From second 30 to 60, nine of ten are refused at once, one hangs.",
        loads=((150, 0.8),),
        black_out=(30.0, 60.0),
    ),
)


def value_at(steps: Sequence[tuple[float, float]], now: float) -> float:
    """Return the value of the current step; 0.0 after the last."""
    return next((value for until, value in steps if now < until), 0.0)


class Bucket:
    """The token bucket of the account."""

    def __init__(self, rate: float, burst: float) -> None:
        self.rate, self.burst = rate, burst
        self._tokens, self._filled_at = burst, 0.0

    def take(self, now: float) -> bool:
        """Take a token if there is one, and tell whether there was."""
        self._tokens = min(self.burst, self._tokens + (now - self._filled_at) * self.rate)
        self._filled_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def _error(status: int, code: str, *headers: tuple[str, str]) -> Response:
    return Response(status=status, headers=(("x-amzn-errortype", code), *headers), body=b"{}")


THROTTLED = _error(429, "ThrottlingException")
THROTTLED_WITH_RETRY_AFTER = _error(429, "ThrottlingException", ("retry-after", "1"))
FAILED = _error(500, "InternalServerException")
LAST_PAGE = Response(status=200, headers=(), body=b'{"sessionSummaries": [{"sessionId": "a"}]}')
PAGE = Response(status=200, headers=(), body=b'{"sessionSummaries": [{"sessionId": "a"}], "nextToken": "more"}')


class Service:
    """Decides how long a request takes, and what comes back."""

    def __init__(self, scenario: Scenario, bucket: Bucket, rng: random.Random) -> None:
        self._scenario = scenario
        self._bucket = bucket
        self._rng = rng

    def answer(
        self, request: Request, now: float, page: Response, *, with_retry_after: bool
    ) -> tuple[float, Response | TransportError]:
        """Return seconds, and the page or what comes instead; throttling has a Retry-After header if wanted."""
        latency = LATENCY * (1 + self._rng.expovariate(1))
        begins, ends = self._scenario.black_out
        if begins <= now < ends:
            if self._rng.random() < HANGING:
                return request.timeout.read, TransportTimeout("no answer", request_sent=True)
            return latency, TransportError("refused", request_sent=False)
        if not self._bucket.take(now):
            return latency, THROTTLED_WITH_RETRY_AFTER if with_retry_after else THROTTLED
        if self._rng.random() < value_at(self._scenario.errors, now):
            return latency, FAILED
        return latency, page


@dataclass
class Listing:
    """A run that a client lists, page by page."""

    client: int
    pages: int
    wanted_at: float
    ended_at: float = math.inf
    completed: bool = False


def listings(scenario: Scenario, size: int, seed: int) -> list[Listing]:
    """Return the listings of a scenario: the same runs at the same times for every size of the fleet."""
    arrivals, clients = random.Random(f"arrivals {seed}"), random.Random(f"clients {seed}")
    made, now = [], 0.0
    mean_pages = (1 + MAX_PAGES) / 2
    while (load := value_at(scenario.loads, now)) > 0:
        now += arrivals.expovariate(load * RATE / mean_pages)
        made.append(Listing(clients.randrange(size), arrivals.randint(1, MAX_PAGES), now))
    return made


class Client:
    """A client in its own process: it shares its retry quota and its rate with no other client.

    Attributes:
        active: the number of listings in progress.
        queue: listings that wait until one in progress ends.
    """

    def __init__(self, policy: Policy, clock: Callable[[], float], jitter: Callable[[], float]) -> None:
        self.active = 0
        self.queue: deque[Listing] = deque()
        self.context = call_flow.Context(
            endpoint=SETTINGS.endpoint,
            region=SETTINGS.region,
            timeout=policy.timeout,
            heads=Heads(
                signer=Unsigned(),
                scope=Scope(SETTINGS.region, "nova-act"),
                authority=SETTINGS.endpoint.authority,
                user_agent="fleet",
                headers=(),
            ),
            redaction=Redaction(),
            retries=RetryPolicy(mode=policy.mode, max_attempts=policy.max_attempts, rng=jitter),
            quota=NoQuota() if policy.legacy else Quota(),
            limiter=RateLimiter(clock()),
            skew=ClockSkew(),
            correct_clock_skew=True,
            clock=clock,
            monotonic=clock,
            new_invocation_id=str,
            credentials_at_hand=lambda: None,
            on_attempt=None,
            renews_credentials=False,
        )


@dataclass(frozen=True)
class Figures:
    """The results of a simulation.

    Attributes:
        wasted: requests that did not return a page.
        slowest: the 99th percentile of the time from wanting a listing to its end, for completed listings.
        recovery: the time from the end of the black-out until listings are as quick as before: of those wanted within
            five seconds, 95 % are complete after `QUICK`. None without a black-out, or if that does not happen.
    """

    listings: int
    completed: int
    sent: int
    wasted: int
    slowest: float
    recovery: float | None


@dataclass
class Simulation:
    """A fleet with one policy in one scenario.

    Attributes:
        trace: for tests, the time of each event; None to record none.
    """

    policy: Policy
    scenario: Scenario
    size: int
    seed: int = 0
    burst: float = BURST
    now: float = field(default=0.0, init=False)
    sent: int = field(default=0, init=False)
    wasted: int = field(default=0, init=False)
    trace: list[float] | None = None

    def __post_init__(self) -> None:
        self.listings = listings(self.scenario, self.size, self.seed)
        self.bucket = Bucket(RATE, self.burst)
        self._service = Service(self.scenario, self.bucket, random.Random(f"service {self.seed}"))
        self._jitter = random.Random(f"jitter {self.seed}").random
        self._clients: dict[int, Client] = {}
        self._number = itertools.count()  # events at the same time run in the order they were added
        self._events: list[tuple[float, int, Generator[float, None, None]]] = []

    def run(self) -> Figures:
        """Run all events, and return the results."""
        for listing in self.listings:
            self._schedule(listing.wanted_at, self._start_or_queue(listing))
        while self._events:
            self.now, _, process = heapq.heappop(self._events)
            if self.trace is not None:
                self.trace.append(self.now)
            seconds = next(process, None)
            if seconds is not None:
                self._schedule(self.now + seconds, process)
        return self._figures()

    def _schedule(self, when: float, process: Generator[float, None, None]) -> None:
        heapq.heappush(self._events, (when, next(self._number), process))

    def _client(self, number: int) -> Client:
        client = self._clients.get(number)
        if client is None:
            client = self._clients[number] = Client(self.policy, lambda: self.now, self._jitter)
        return client

    def _start_or_queue(self, listing: Listing) -> Generator[float, None, None]:
        """Work on the listing, then on those queued; or only queue it if the client has enough in progress."""
        client = self._client(listing.client)
        client.queue.append(listing)
        if client.active == MAX_CONCURRENT_LISTINGS:
            return
        client.active += 1
        while client.queue:
            yield from self._list(client, client.queue.popleft())
        client.active -= 1

    def _list(self, client: Client, listing: Listing) -> Generator[float, None, None]:
        try:
            for left in reversed(range(listing.pages)):
                yield from self._call(client, PAGE if left else LAST_PAGE)
            listing.completed = True
        except NovaActError:
            pass
        listing.ended_at = self.now

    def _call(self, client: Client, page: Response) -> Generator[float, None, None]:
        """Drive a call flow as a client does, but yield the seconds to wait instead of waiting."""
        flow = call_flow.call(client.context, LIST_SESSIONS, {"workflow_definition_name": "a", "workflow_run_id": "b"})
        step: Callable[[Any], call_flow.Need] = flow.send
        answer: object = None
        attempts = 0
        while True:
            try:
                need = step(answer)
            except StopIteration:
                return
            step, answer = flow.send, None
            if isinstance(need, Request):
                attempts += 1
                self.sent += 1
                seconds, answer = self._service.answer(
                    need, self.now, page, with_retry_after=self.policy.honours_retry_after
                )
                if answer is not page:
                    self.wasted += 1
                if isinstance(answer, TransportError):
                    step = flow.throw
                yield seconds
            elif isinstance(need, call_flow.Sleep):
                yield self._jitter() * 2.0 ** (attempts - 1) if self.policy.legacy else need.seconds
            else:
                answer = KEYS

    def _figures(self) -> Figures:
        completed = [each for each in self.listings if each.completed]
        times = sorted(each.ended_at - each.wanted_at for each in completed)
        return Figures(
            listings=len(self.listings),
            completed=len(completed),
            sent=self.sent,
            wasted=self.wasted,
            slowest=times[math.ceil(len(times) * 0.99) - 1] if times else math.nan,
            recovery=recovery(self.listings, self.scenario.black_out[1]),
        )


def recovery(wanted: Sequence[Listing], since: float) -> float | None:
    """Return the time until listings are quick again; see `Figures`."""
    for start in range(int(since), int(wanted[-1].wanted_at) - 4) if since else ():
        quick = [
            each.completed and each.ended_at - each.wanted_at <= QUICK
            for each in wanted
            if start <= each.wanted_at < start + 5
        ]
        if sum(quick) >= 0.95 * len(quick):
            return start - since
    return None


# The report.

INTRODUCTION = f"""\
# Crowds

`make fleet` writes this file. It simulates, on virtual time, 10 to 10,000 clients that share one account. Each client
is its own process. The service admits {RATE:.0f} requests a second for the account, and a burst of {BURST:.0f}; a
refused request uses nothing of that. Every decision of a client is the library's own; the service is simulated. All
sizes of the fleet list the same runs of 1 to {MAX_PAGES} pages at the same times, so in a larger fleet each client has
less to do. A client works on {MAX_CONCURRENT_LISTINGS} listings at a time. A response takes at least 0.05 s, and 0.1 s
on average. Throttled requests get `Retry-After: 1`.

| policy | |
|---|---|
| off | `RetryPolicy(mode="off")` |
| AWS legacy | botocore's until 2026: 5 attempts, backoff of up to 1, 2, 4, 8 s, no quota, 60 s to read, no deadline |
| AWS standard | botocore's since 2026: 3 attempts, a quota, no `Retry-After`, 60 s to read, no deadline |
| standard | `RetryPolicy()`, with `Timeout(read=5, total=30)` |
| adaptive | `RetryPolicy(mode="adaptive")`, with the same timeouts |
| standard, patient | `RetryPolicy(max_attempts=8)`, with `Timeout(read=5, total=120)` |
| adaptive, patient | `RetryPolicy(mode="adaptive", max_attempts=8)`, with the same timeouts |

*Completed* listings got all their pages. *Wasted* requests returned no page; the share is of all requests sent. The
*99th percentile* is of the time from wanting a listing to its end, for completed listings. The fleet has *recovered*
from a black-out when 95 % of the listings wanted within five seconds are complete in {QUICK:.0f} s."""

Results = dict[tuple[str, str, int], Figures]  # by scenario, policy, size


def percent(value: float) -> str:
    """Format a share with one decimal."""
    return f"{value * 100:.1f} %"


class Metric(NamedTuple):
    """A figure, and how a table shows it."""

    title: str
    format: Callable[[Figures], str]


METRICS = (
    Metric("completed", lambda figures: percent(figures.completed / figures.listings)),
    Metric("wasted", lambda figures: percent(figures.wasted / figures.sent)),
    Metric("99th percentile", lambda figures: f"{figures.slowest:.1f} s"),
    Metric("recovered after", lambda figures: "never" if figures.recovery is None else f"{figures.recovery:.0f} s"),
)


def section(scenario: Scenario, results: Results) -> str:
    """Return the tables of a scenario."""
    parts = [f"## {scenario.name.capitalize()}", scenario.text]
    for title, format_figure in METRICS if scenario.black_out[1] else METRICS[:-1]:
        rows = [
            (policy.name, *(format_figure(results[scenario.name, policy.name, size]) for size in SIZES))
            for policy in POLICIES
        ]
        parts.append(report.table((f"{title}; clients:", *(f"{size:,}" for size in SIZES)), rows))
    return "\n\n".join(parts)


COLOURS = ("#8c959f", "#bf8700", "#cf222e", "#0969da", "#1a7f37", "#0969da", "#1a7f37")
LEFT, PANEL_WIDTH, PANEL_HEIGHT = 56, 190, 130
RIGHT_OF_PANEL = 66  # the end of its title, half of its last number, and the labels of the next panel


def chart(results: Results) -> str:
    """Draw the shares of listings completed and of requests wasted, by size of the fleet."""
    shares: tuple[tuple[str, Callable[[Figures], float]], ...] = (
        ("listings completed", lambda figures: figures.completed / figures.listings),
        ("requests wasted", lambda figures: figures.wasted / figures.sent),
    )
    shapes = []
    for row, (title, share) in enumerate(shares):
        for column, scenario in enumerate(SCENARIOS):
            lines = [[share(results[scenario.name, policy.name, size]) for size in SIZES] for policy in POLICIES]
            left, top = LEFT + column * (PANEL_WIDTH + RIGHT_OF_PANEL), 40 + row * (PANEL_HEIGHT + 56)
            shapes.append(panel(f"{scenario.name}: {title}", left, top, lines))
    bottom = 40 + 2 * (PANEL_HEIGHT + 56)
    for number, policy in enumerate(POLICIES):
        x, y = LEFT + number % 4 * 190, bottom + number // 4 * 20
        shapes.append(f'<path d="M{x} {y - 4}h24" {stroke(number)}/><text x="{x + 30}" y="{y}">{policy.name}</text>')
    return report.svg(
        (LEFT + len(SCENARIOS) * (PANEL_WIDTH + RIGHT_OF_PANEL), bottom + 34),
        "Listings completed and requests wasted, by policy and size of the fleet",
        shapes,
        style="path{fill:none;stroke-width:2}.axis{stroke:#d0d7de;stroke-width:1}",
        dark=".axis{stroke:#3d444d}",
    )


def panel(title: str, left: float, top: float, lines: Sequence[Sequence[float]]) -> str:
    """Draw a line for each policy, with a point for each size of the fleet; from 0 to 100 %."""
    step = PANEL_WIDTH / (len(SIZES) - 1)
    shapes = [f'<text x="{left}" y="{top - 10}" class="title">{title}</text>']
    for share in (0.0, 0.5, 1.0):
        y = top + PANEL_HEIGHT * (1 - share)
        shapes.append(f'<path d="M{left} {y}h{PANEL_WIDTH}" class="axis"/>')
        shapes.append(f'<text x="{left - 6}" y="{y + 4}" text-anchor="end">{share * 100:.0f} %</text>')
    for number, size in enumerate(SIZES):
        x, y = left + number * step, top + PANEL_HEIGHT + 16
        shapes.append(f'<text x="{x:.0f}" y="{y}" text-anchor="middle">{size:,}</text>')
    for number, line in enumerate(lines):
        points = " L".join(
            f"{left + index * step:.1f} {top + PANEL_HEIGHT * (1 - share):.1f}" for index, share in enumerate(line)
        )
        shapes.append(f'<path d="M{points}" {stroke(number)}/>')
    return "\n".join(shapes)


def stroke(policy: int) -> str:
    """Return the attributes of a policy's line. Lines of the patient policies are dashed."""
    dashes = ' stroke-dasharray="6 3"' if "patient" in POLICIES[policy].name else ""
    return f'stroke="{COLOURS[policy]}"{dashes}'


def main() -> None:
    """Run all simulations, print the tables, and write them and the chart next to this file."""
    results, sections = {}, []
    for scenario in SCENARIOS:
        for size, policy in itertools.product(SIZES, POLICIES):
            results[scenario.name, policy.name, size] = Simulation(policy, scenario, size).run()
        sections.append(section(scenario, results))
        print(f"{sections[-1]}\n", flush=True)
    parts = [INTRODUCTION, "![Listings completed and requests wasted](fleet.svg)", *sections]
    here = Path(__file__).parent
    (here / "FLEET.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    (here / "fleet.svg").write_text(chart(results), encoding="utf-8")


if __name__ == "__main__":
    main()
