"""How fast a client may send in adaptive mode. Pure: time is an argument.

botocore's client-side rate limiter (`botocore.retries.adaptive`), number for number: nothing is limited before the
first throttling error. That one sets the rate to 0.7 of what was measured; from then on it grows along a cubic curve
(as TCP's CUBIC, https://www.rfc-editor.org/rfc/rfc8312), slowly near the rate at which the service throttled, faster
beyond it, and never past twice of what is really sent. Requests take tokens from a bucket that fills at this rate.
Where several wait for a token, botocore lets all of them race for each. Here the first come is the first served, and
those behind sleep on for half the time until their turn, or a thousand of them would keep a processor busy with waking.
"""

from __future__ import annotations

import math
import threading

from novaact_http._support.fork_safety import renew_after_fork

_SMOOTHING = 0.8
_BUCKETS_A_SECOND = 2  # the rate is measured over half a second each

_SCALE = 0.4
_BETA = 0.7
_MOST_OF_THE_MEASURED_RATE = 2.0
_SLOWEST = 0.5  # requests a second
_LONGEST_WAIT = 1 / _SLOWEST  # seconds; then it is looked at again how fast it goes now
_STALLED = 3 * _LONGEST_WAIT  # whoever is first asks sooner than that
_SMALLEST_CAPACITY = 1.0

# So little is missing after a wait of just the right length, as floating-point numbers are not exact.
_TOLERANCE = 1e-6


class RateLimiter:
    """The rate at which the calls of a client are sent, learnt from what the service says to them.

    Safe to share between threads.

    Args:
        now: seconds since some moment, here and everywhere below; by the same clock.
    """

    def __init__(self, now: float) -> None:
        self._lock = threading.RLock()  # garbage collection may end a lost call within it, which leaves the queue
        self._enabled = False
        # The bucket of tokens.
        self._fill_rate = self._capacity = 1.0
        self._tokens = 0.0
        self._filled_at = now
        # The rate as it is measured.
        self._measured_rate = 0.0
        self._count = 0
        self._counted_until = float(math.floor(now))
        # The cubic curve: the rate at the last throttling error, when that was, and how long until that rate again.
        self._last_max_rate = 0.0
        self._throttled_at = now
        self._seconds_to_max = 0.0
        # How many ever joined the queue, and how many of those have left it, in whatever order.
        self._joined = self._left = 0
        self._taken_at = now
        renew_after_fork(self)

    def after_fork(self) -> None:
        self._lock = threading.RLock()
        self._left = self._joined  # those who wait do so in the parent

    @property
    def rate(self) -> float:
        """Requests a second; it says nothing before the first throttling error."""
        return self._fill_rate

    def join(self) -> int:
        """Join the queue, at its end; return one's place in it, for `acquire`. To be left again, whatever happens."""
        with self._lock:
            self._joined += 1
            return self._joined - 1

    def leave(self) -> None:
        """Leave the queue, with a token or without."""
        with self._lock:
            self._left = min(self._left + 1, self._joined)  # those who waited in the parent were counted already

    def acquire(self, now: float, place: int | None = None) -> float:
        """Take a token for a request, and return 0.0; or take none, and return the seconds to wait before asking again.

        The rate may change meanwhile: then there is more to wait, or less. It is two seconds at most.

        Args:
            now: seconds.
            place: what `join` returned, or None for who has not joined the queue.
        """
        if not self._enabled:
            return 0.0
        with self._lock:
            self._fill(now)
            # Too few if somebody behind has given up, which does no harm: who asks too early is told to wait again.
            ahead = max(0, (self._joined if place is None else place) - self._left)
            if ahead and self._tokens >= 1.0 and now - self._taken_at > _STALLED:
                self._left, ahead = self._left + ahead, 0  # those ahead ask no more: their event loop stands still, say
            missing = 1 + ahead - self._tokens
            if missing > _TOLERANCE:
                wait = missing / self._fill_rate
                # Behind others not all of it, or tokens would be lost when it goes faster meanwhile.
                return min(wait / 2, _LONGEST_WAIT) if ahead else wait
            self._tokens -= 1.0
            self._taken_at = now
            return 0.0

    def update(self, now: float, *, throttled: bool) -> None:
        """Learn from how an attempt ended, whatever else came of it."""
        with self._lock:
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
        self._fill(now)  # until now at the rate that was
        self._fill_rate = max(rate, _SLOWEST)
        self._capacity = max(rate, _SMALLEST_CAPACITY)
        self._tokens = min(self._tokens, self._capacity)

    def _fill(self, now: float) -> None:
        if now > self._filled_at:  # else another thread, which looked at the clock later, was here first
            self._tokens = min(self._capacity, self._tokens + (now - self._filled_at) * self._fill_rate)
            self._filled_at = now
