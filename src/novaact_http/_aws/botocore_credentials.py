"""Credentials of botocore, of boto3, and of whatever has their methods. No other file knows botocore's privates.

Imported only where it is needed: keys that are passed or that stand in the environment do without it. botocore itself
is imported when its chain of providers is first asked.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Protocol

from novaact_http.config import Credentials
from novaact_http.errors import CredentialsError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

_PAUSE = 60  # seconds after a refresh, whose failure botocore hides
_LONGEST_REASON = 300  # characters


class _HasFrozenCredentials(Protocol):
    def get_frozen_credentials(self) -> Any: ...


class _HasCredentials(Protocol):
    def get_credentials(self) -> Any: ...


# botocore's and boto3's credentials and sessions.
BotocoreCredentials = _HasFrozenCredentials | _HasCredentials


class BotocoreSource:
    """Credentials of botocore's, which refresh themselves.

    Args:
        resolve: returns an object with `get_frozen_credentials()`, or None if there are no credentials to be had.
        name: for messages.
        looked_at: where it looks for them, for the message when there are none.
    """

    renews = True

    def __init__(self, resolve: Callable[[], object], name: str, looked_at: Callable[[], str] = lambda: "") -> None:
        self.name = name
        self._resolve = resolve
        self._looked_at = looked_at
        self._found: Any = None
        # What it gave last, and that as our own. Replaced whole, so that readers need no lock.
        self._kept: tuple[object, Credentials | None] = (None, None)
        self._due = -math.inf

    def is_asynchronous(self) -> bool:
        return False

    def cached(self, now: float) -> tuple[Credentials | None, bool]:
        found = self._found
        if found is None:
            return None, True
        refresh_needed = getattr(found, "refresh_needed", None)
        if refresh_needed is None:
            # botocore's plain ones are a value. What other people's do when they are asked, nobody knows.
            if type(found).__module__ != "botocore.credentials":
                return None, True
            return self._converted(found.get_frozen_credentials()), False
        if refresh_needed(0):
            return None, True
        # Not by its method, which may begin a refresh. Somebody else may have refreshed them, so they are not ours to
        # keep.
        frozen = getattr(found, "_frozen_credentials", None)
        if frozen is None:
            return None, True
        return self._converted(frozen), refresh_needed() and now >= self._due

    def fetch(self, *, forced: bool) -> object:
        if forced or self._found is None:
            self._found = self._resolve()
        return None if self._found is None else self._found.get_frozen_credentials()

    def store(self, answer: object, now: float) -> Credentials:
        if answer is None:
            raise CredentialsError(
                "no credentials were found: pass credentials=..., or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY "
                f"(looked at, in this order: {self._looked_at() or self.name})"
            )
        # botocore keeps the old ones if they are still good and no others could be got.
        self.postpone_refresh(now + _PAUSE)
        return self._converted(answer)

    def postpone_refresh(self, until: float) -> None:
        self._due = until

    def origin(self) -> tuple[str, dt.datetime | None]:
        """Which of botocore's providers gave them, and when they expire, as far as is known."""
        method = getattr(self._found, "method", None)
        name = self.name if method is None else f"{self.name}: {method}"
        return name, getattr(self._found, "_expiry_time", None)

    def after_fork(self) -> None:
        # botocore's have a lock of their own, which that thread holds.
        self._found = None

    def _converted(self, frozen: Any) -> Credentials:
        known, kept = self._kept
        if kept is None or frozen != known:
            try:
                key_id, secret, token = frozen.access_key, frozen.secret_key, frozen.token
            except AttributeError:
                raise CredentialsError(
                    f"{self.name} gave a {type(frozen).__name__}, which has no access_key, secret_key and token"
                ) from None
            try:
                kept = Credentials(access_key_id=key_id, secret_access_key=secret, session_token=token)
            except CredentialsError as error:
                raise CredentialsError(f"{self.name} gave bad credentials: {error}") from None
            self._kept = (frozen, kept)
        return kept


def chain_of_providers(profile: str | None, region: str) -> BotocoreSource:
    methods: list[str] = []

    def resolve() -> object:
        from botocore.credentials import create_credential_resolver
        from botocore.session import Session

        # Not the session's own resolver, which would not know the region.
        resolver = create_credential_resolver(Session(profile=profile), region_name=region)
        methods[:] = ["the argument credentials", *(provider.METHOD for provider in resolver.providers)]
        return resolver.load_credentials()

    return BotocoreSource(resolve, "botocore's chain of providers", lambda: ", ".join(methods))


def reason_and_cause(error: BaseException) -> tuple[str, BaseException | None]:
    # Of botocore's words the first line is enough. Where botocore quotes the line of a file that it cannot parse, or
    # STS the request whose signature it refuses, with its session token, the cause is not kept, as it would be shown
    # along.
    kind, text = type(error).__name__, str(error)
    if kind == "ConfigParseError":
        return kind, None
    cause = None if "(SignatureDoesNotMatch)" in text else error
    return f"{kind}: {text.partition(chr(10))[0][:_LONGEST_REASON]}", cause
