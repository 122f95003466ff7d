"""The credentials that the local service lets in."""

from __future__ import annotations

import base64
import datetime as dt
import random

from novaact_http.config import Credentials

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


class CredentialStore:
    """Gives out credentials, and knows which of them are good.

    Args:
        seed: of those that are made up.
        given: the only ones, until they expire.
        lifetime: seconds; made-up ones are temporary then. None: they never expire.
    """

    def __init__(self, seed: int, given: Credentials | None, lifetime: float | None) -> None:
        self._rng = random.Random(f"credentials {seed}")  # noqa: S311 - made up, and the same for the same seed
        self._lifetime = lifetime
        self._issued: dict[str, tuple[Credentials, float | None]] = {}  # by key id, with when they expire
        self._current: Credentials | None = given
        if given is not None:
            self._remember(given)

    def current(self, now: float) -> Credentials:
        """Those that are good now; others if they have expired. `now` is in seconds since the epoch."""
        if self._current is None or self.is_expired(self._current.access_key_id, now):
            self._current = self._make_up(now)
            self._remember(self._current)
        return self._current

    def get(self, key_id: str) -> Credentials | None:
        """The credentials of this key id, if they were ever given out."""
        found = self._issued.get(key_id)
        return None if found is None else found[0]

    def is_expired(self, key_id: str, now: float) -> bool:
        expires_at = self._issued[key_id][1]
        return expires_at is not None and expires_at <= now

    def expire_all(self, now: float) -> None:
        """From now on, those given out so far are expired."""
        self._issued = {
            key_id: (keys, now if at is None else min(at, now)) for key_id, (keys, at) in self._issued.items()
        }

    def _remember(self, keys: Credentials) -> None:
        expires_at = None if keys.expires_at is None else keys.expires_at.timestamp()
        self._issued[keys.access_key_id] = (keys, expires_at)

    def _make_up(self, now: float) -> Credentials:
        rng, lifetime = self._rng, self._lifetime
        key_id = "".join(rng.choices(_LETTERS, k=16))
        secret = base64.b64encode(rng.randbytes(30)).decode()
        if lifetime is None:
            return Credentials(access_key_id=f"AKIA{key_id}", secret_access_key=secret)
        return Credentials(
            access_key_id=f"ASIA{key_id}",
            secret_access_key=secret,
            session_token=base64.b64encode(rng.randbytes(90)).decode(),
            expires_at=dt.datetime.fromtimestamp(now + lifetime, dt.timezone.utc),
        )
