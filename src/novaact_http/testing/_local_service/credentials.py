"""The credentials that the local service accepts."""

from __future__ import annotations

import base64
import datetime as dt
import random

from novaact_http.config import Credentials

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


class CredentialStore:
    """Issues credentials, and knows which of them are valid.

    Args:
        seed: the seed of the random credentials that it issues.
        given: the only valid credentials, until they expire; with None, random ones.
        lifetime: seconds that random credentials are valid; they are temporary then. With None, they never expire.
    """

    def __init__(self, seed: int, given: Credentials | None, lifetime: float | None) -> None:
        self._rng = random.Random(f"credentials {seed}")  # noqa: S311 - not secret, and the same for the same seed
        self._lifetime = lifetime
        self._issued: dict[str, tuple[Credentials, float | None]] = {}  # by key id, with when they expire
        self._current: Credentials | None = given
        if given is not None:
            self._store(given)

    def current(self, now: float) -> Credentials:
        """Return valid credentials: new ones if the last ones have expired. `now` is in seconds since the epoch."""
        if self._current is None or self.is_expired(self._current.access_key_id, now):
            self._current = self._generate(now)
            self._store(self._current)
        return self._current

    def get(self, key_id: str) -> Credentials | None:
        """Return the credentials of this access key id, or None if they were not issued here."""
        issued = self._issued.get(key_id)
        return None if issued is None else issued[0]

    def is_expired(self, key_id: str, now: float) -> bool:
        expires_at = self._issued[key_id][1]
        return expires_at is not None and expires_at <= now

    def expire_all(self, now: float) -> None:
        """Make all credentials issued so far expire now."""
        self._issued = {
            key_id: (keys, now if at is None else min(at, now)) for key_id, (keys, at) in self._issued.items()
        }

    def _store(self, keys: Credentials) -> None:
        expires_at = None if keys.expires_at is None else keys.expires_at.timestamp()
        self._issued[keys.access_key_id] = (keys, expires_at)

    def _generate(self, now: float) -> Credentials:
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
