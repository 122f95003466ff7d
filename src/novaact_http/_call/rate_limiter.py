"""How fast a client may send in adaptive mode. Pure: time is an argument.

This is botocore's client-side rate limiter (`botocore.retries.adaptive`), number for number. Nothing is limited before
the first throttling error. That error sets the rate to 0.7 of the measured one. From then on the rate grows along a
cubic curve (as TCP's CUBIC does, https://www.rfc-editor.org/rfc/rfc8312): slowly near the rate at which the service
throttled, faster above it, and never above twice the measured rate. Each request takes a token from a bucket that fills
at this rate.

One thing differs: in botocore, all waiting calls race for each token. Here waiting calls are served in order, and those
behind the first sleep for half the time until their turn. If they slept less, a thousand of them would keep a processor
busy with waking up.
"""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING

from novaact_http._support.fork_safety import renew_after_fork
from novaact_http._support.interruptions import Place

if TYPE_CHECKING:
    import weakref

_SMOOTHING = 0.8
_BUCKETS_A_SECOND = 2  # the rate is measured over half a second at a time

_SCALE = 0.4
_BETA = 0.7
_MOST_OF_THE_MEASURED_RATE = 2.0
_SLOWEST = 0.5  # requests a second
_LONGEST_WAIT = 1 / _SLOWEST  # seconds; then the call asks again, as the rate may have changed
_STALLED = 3 * _LONGEST_WAIT  # the first in the queue asks sooner than that, unless its event loop stands still
_SMALLEST_CAPACITY = 1.0

# How much of a token may be missing after a wait of the right length, as floating-point numbers are not exact.
_TOLERANCE = 1e-6


class QueuePlace(Place):
    """A call's place in the queue, until it is closed."""

    __slots__ = ("number",)

    def __init__(self, taken: set[weakref.ref[Place]], number: int) -> None:
        super().__init__(taken)
        self.number = number


class RateLimiter:
    """The rate at which a client sends, learnt from the service's responses.

    Safe to share between threads.

    Args:
        now: seconds since some moment. All times in this class are of the same clock.
    """

    def __init__(self, now: float) -> None:
        self._lock = threading.RLock()
        self._enabled = False
        # The bucket of tokens.
        self._fill_rate = self._capacity = 1.0
        self._tokens = 0.0
        self._filled_at = now
        # The measured rate.
        self._measured_rate = 0.0
        self._count = 0
        self._counted_until = float(math.floor(now))
        # The cubic curve: the rate at the last throttling error, when that was, and how long until that rate again.
        self._last_max_rate = 0.0
        self._throttled_at = now
        self._seconds_to_max = 0.0
        # How many calls have joined the queue since the start; those that are in it; how many of these no longer ask.
        self._joined = 0
        self._queue: set[weakref.ref[Place]] = set()
        self._passed_over = 0
        self._taken_at = now
        renew_after_fork(self)

    def after_fork(self) -> None:
        self._lock = threading.RLock()
        self._queue = set()  # the calls that wait are the parent's

    @property
    def rate(self) -> float:
        """The rate in requests a second. Before the first throttling error it means nothing."""
        return self._fill_rate

    def join(self) -> QueuePlace:
        """Join the end of the queue, and return the place in it, for `acquire`. Close it to leave the queue."""
        with self._lock:
            if not self._queue:
                self._passed_over = 0
            self._joined += 1
            return QueuePlace(self._queue, self._joined - 1)

    def acquire(self, now: float, place: QueuePlace | None = None) -> float:
        """Take a token for a request and return 0.0; or take none and return the seconds to wait before asking again.

        The rate may change in between, so the next answer may be to wait again. A wait is two seconds at most.

        Args:
            now: seconds.
            place: what `join` returned, or None for a call that has not joined the queue.
        """
        if not self._enabled:
            return 0.0
        with self._lock:
            self._fill(now)
            # This is too low if a call further behind has left. It does no harm: whichever asks too early waits again.
            left = self._joined - len(self._queue) + self._passed_over
            ahead = max(0, (self._joined if place is None else place.number) - left)
            if ahead and self._tokens >= 1.0 and now - self._taken_at > _STALLED:
                # Those ahead no longer ask; perhaps their event loop stands still.
                self._passed_over, ahead = self._passed_over + ahead, 0
            missing = 1 + ahead - self._tokens
            if missing > _TOLERANCE:
                wait = missing / self._fill_rate
                # A call behind others waits for half of it, or tokens would be lost if the rate rises meanwhile.
                return min(wait / 2, _LONGEST_WAIT) if ahead else wait
            self._tokens -= 1.0
            self._taken_at = now
            return 0.0

    def update(self, now: float, *, throttled: bool) -> None:
        """Learn from an attempt that has ended, whether it succeeded or failed."""
        with self._lock:
            self._fill(now)  # first, as it notices a clock that was set back
            measured = self._measure(now)
            if throttled:
                rate = min(measured, self._fill_rate) if self._enabled else measured
                self._enabled = True
                self._last_max_rate = rate
                self._seconds_to_max = (rate * (1 - _BETA) / _SCALE) ** (1 / 3)
                self._throttled_at = now
                new = rate * _BETA
            else:
                elapsed = now - self._throttled_at
                new = _SCALE * (elapsed - self._seconds_to_max) ** 3 + self._last_max_rate
            self._set_rate(min(new, _MOST_OF_THE_MEASURED_RATE * measured), now)

    def _measure(self, now: float) -> float:
        until = math.floor(now * _BUCKETS_A_SECOND) / _BUCKETS_A_SECOND
        self._count += 1
        if until > self._counted_until:
            current = self._count / (until - self._counted_until)
            self._measured_rate = current * _SMOOTHING + self._measured_rate * (1 - _SMOOTHING)
            self._count = 0
            self._counted_until = until
        return self._measured_rate

    def _set_rate(self, rate: float, now: float) -> None:
        self._fill(now)  # up to now, at the old rate
        self._fill_rate = max(rate, _SLOWEST)
        self._capacity = max(rate, _SMALLEST_CAPACITY)
        self._tokens = min(self._tokens, self._capacity)

    def _fill(self, now: float) -> None:
        """Add what has come since the last time, at the current rate."""
        if self._filled_at - now > _STALLED:  # the clock runs anew, as after a test that has frozen it
            self._filled_at = self._throttled_at = self._taken_at = now
            self._counted_until = math.floor(now * _BUCKETS_A_SECOND) / _BUCKETS_A_SECOND
        elif now > self._filled_at:  # if not, another thread that read the clock later was here first
            self._tokens = min(self._capacity, self._tokens + (now - self._filled_at) * self._fill_rate)
            self._filled_at = now
