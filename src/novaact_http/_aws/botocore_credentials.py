"""Credentials of botocore and boto3, and of objects with their methods. No other file knows botocore's privates.

Imported only where it is needed: keys that are passed in or set in the environment never load it. botocore itself is
imported when its chain of providers is first asked.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
import sys
import traceback
from typing import TYPE_CHECKING, Any, Protocol

from novaact_http._aws.mfa_prompt import MfaPrompt, PromptGivenUp
from novaact_http._needed_packages import needed
from novaact_http.config import Credentials
from novaact_http.errors import CredentialsError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator

_PAUSE = 60  # seconds after a refresh, as botocore may hide that it failed
_LONGEST_REASON = 300  # characters
_PACKAGES = frozenset({"botocore", "dateutil", "urllib3", "awscrt"})  # botocore, and what it calls
# Services quote the Authorization header that they refuse. Other texts quote what came instead of credentials.
_QUOTED = re.compile(r"(?i)(?:AWS4-HMAC-|Signature=|[{\[<\"].*?(?:secret|token)).*")


class _HasFrozenCredentials(Protocol):
    def get_frozen_credentials(self) -> Any: ...


class _HasCredentials(Protocol):
    def get_credentials(self) -> Any: ...


# Credentials and sessions of botocore and boto3.
BotocoreCredentials = _HasFrozenCredentials | _HasCredentials


class BotocoreSource:
    """Credentials of botocore, which refresh themselves.

    Args:
        resolve: returns an object with `get_frozen_credentials()`, or None if there are no credentials.
        name: the source's name.
        none_found: makes the error for when there are none.
        prompt: what it asks the user with, if it may ask.
    """

    renews = True

    def __init__(
        self,
        resolve: Callable[[], object],
        name: str,
        none_found: Callable[[], CredentialsError],
        prompt: MfaPrompt | None = None,
    ) -> None:
        self.name = name
        self._prompt = prompt
        self._resolve = resolve
        self._none_found = none_found
        self._found: Any = None
        # botocore's last credentials, and the same as ours. The tuple is replaced whole, so that readers need no lock.
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
            # botocore's plain credentials are a value. What those of other libraries do when asked is unknown.
            if type(found).__module__ != "botocore.credentials":
                return None, True
            return self._converted(found.get_frozen_credentials()), False
        if refresh_needed(0):
            return None, True
        # Read from the private attribute, as its method may begin a refresh. Read each time, as other users of the same
        # object may have refreshed it.
        frozen = getattr(found, "_frozen_credentials", None)
        if frozen is None:
            return None, True
        return self._converted(frozen), refresh_needed() and now >= self._due

    def fetch(self, *, forced: bool) -> object:
        found = self._found
        if forced or found is None:
            found = self._found = self._resolve()
        try:
            return None if found is None else found.get_frozen_credentials()
        except PromptGivenUp:
            if self._found is found:
                self._found = None  # botocore asks only once, so the next call needs others
            raise

    def want(self) -> None:
        if self._prompt is not None:
            self._prompt.is_wanted = True

    def give_up(self) -> bool:
        if self._prompt is None or not self._prompt.give_up():
            return False
        self._found = None
        return True

    def store(self, answer: object, now: float) -> Credentials:
        if answer is None:
            raise self._none_found()
        # If a refresh fails while the old credentials are still good, botocore returns those and hides the failure.
        self.postpone_refresh(now + _PAUSE)
        return self._converted(answer)

    def postpone_refresh(self, until: float) -> None:
        self._due = until

    def origin(self) -> tuple[str, dt.datetime | None]:
        """Return the name of botocore's provider too, if it is known."""
        method = getattr(self._found, "method", None)
        name = self.name if method is None else f"{self.name}: {method}"
        return name, getattr(self._found, "_expiry_time", None)

    def after_fork(self) -> None:
        # botocore's credentials have a lock, which the parent's thread may hold.
        self._found = None

    def _converted(self, frozen: Any) -> Credentials:
        known, kept = self._kept
        if kept is None or frozen != known:
            try:
                key_id, secret, token = frozen.access_key, frozen.secret_key, frozen.token
            except AttributeError:
                raise CredentialsError(
                    f"gave an object of type {type(frozen).__name__}, which has no access_key, secret_key and token",
                    setting="credentials",
                    source=self.name,
                    advice="pass a session or credentials of botocore or boto3, or a function that returns a "
                    "novaact_http.Credentials",
                ) from None
            try:
                kept = Credentials(access_key_id=key_id, secret_access_key=secret, session_token=token)
            except CredentialsError as error:
                field = (error.source or "").removeprefix("Credentials.")
                raise CredentialsError(
                    error.problem, setting="credentials", source=f"{field} of {self.name}", advice=error.advice
                ) from None
            self._kept = (frozen, kept)
        return kept


def from_session(get_credentials: Callable[[], object], name: str) -> BotocoreSource:
    """Return the source that asks a session, or something else with its method, for its credentials."""

    def none_found() -> CredentialsError:
        return CredentialsError(
            "has no credentials", setting="credentials", source=name, advice="configure it with some, or pass others"
        )

    prompt = MfaPrompt()

    def resolve() -> object:
        session: Any = getattr(get_credentials, "__self__", None)
        session = getattr(session, "_session", session)  # boto3's has one of botocore's
        if not type(session).__module__.startswith("botocore."):
            return get_credentials()
        with _asking_with(prompt, session.get_component("credential_provider")):
            return get_credentials()

    return BotocoreSource(resolve, name, none_found, prompt)


def chain_of_providers(profile: str | None, region: str) -> BotocoreSource:
    """Return the source that asks botocore's providers one after another, as boto3 does.

    Args:
        profile: the profile that was passed as an argument, or None.
        region: for services that the providers call, such as STS.
    """
    methods: list[str] = []
    prompt = MfaPrompt()
    name = "botocore's chain of providers"

    def resolve() -> object:
        whose = "profiles, SSO, containers, instances" if profile is None else f"the profile {profile!r}"
        with needed(
            "botocore",
            by=f"{name} ({whose})",
            setting="credentials",
            otherwise="pass credentials=..., set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        ):
            from botocore.credentials import create_credential_resolver
            from botocore.session import Session

        # Not the session's own resolver, which would not know the region.
        resolver = create_credential_resolver(Session(profile=profile), region_name=region)
        methods[:] = [provider.METHOD for provider in resolver.providers]
        with _asking_with(prompt, resolver):
            return resolver.load_credentials()

    def none_found() -> CredentialsError:
        return CredentialsError(
            f"no credentials were found (tried in this order: {', '.join(methods)})",
            setting="credentials",
            advice="pass credentials=..., or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        )

    return BotocoreSource(resolve, name, none_found, prompt)


@contextlib.contextmanager
def _asking_with(prompt: MfaPrompt, resolver: Any) -> Iterator[None]:
    """Have the credentials that are loaded inside of this ask for codes with our prompt in the place of `getpass`."""
    asking = [(each, vars(each).get("_prompter")) for each in resolver.providers]
    asking = [(each, own) for each, own in asking if getattr(own, "__module__", None) == "getpass"]
    for provider, _ in asking:
        vars(provider)["_prompter"] = prompt
    try:
        yield
    finally:
        for provider, own in asking:
            vars(provider)["_prompter"] = own


def is_from_botocore(error: BaseException) -> bool:
    """Tell whether an error is one of botocore's, or of a module that botocore called, such as json's.

    An error of the user's own function, which botocore may have called, is not.
    """
    raised_by = ""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        package = str(frame.f_globals.get("__name__")).partition(".")[0]
        if package not in sys.stdlib_module_names:
            raised_by = package
    return type(error).__module__.startswith("botocore.") or raised_by in _PACKAGES


def reason_and_cause(error: BaseException) -> tuple[str, BaseException | None]:
    """Return why botocore failed, in its words, and the error itself if it shows no more than these words.

    Some errors hold what could not be read, and with it secrets: `JSONDecodeError.doc` is all that a program for
    credentials printed, `UnicodeDecodeError.object` too, and `AttributeError.obj` is what was parsed. So an error is
    kept only if it is known to be harmless: an `OSError`, a `TypeError`, or one of botocore's whose whole text is in
    the reason. It is kept without the errors that it comes from.
    """
    kind, text = type(error).__name__, str(error)
    where = _file_of_cache(error)
    if not type(error).__module__.startswith("botocore."):
        details = [kind, *_details(error), *where]
        return ": ".join(details), _alone(error) if isinstance(error, (OSError, TypeError)) else None
    if kind == "ConfigParseError":  # quotes the line that it cannot parse
        return f"{kind}: {getattr(error, 'kwargs', {}).get('path')!r}", None
    reason = _QUOTED.sub("(...)", text.partition("\n")[0])[:_LONGEST_REASON]
    return ": ".join([kind, reason, *where]), _alone(error) if reason == text.rstrip() else None


def provider_asked(error: BaseException) -> str | None:
    """Return the name of botocore's provider that was asked when an error came; None if none was."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        asked = frame.f_locals.get("self")
        # The providers of the chain have METHOD; the credentials that they made, which refresh themselves, have method.
        if type(asked).__module__.startswith("botocore."):
            name = getattr(asked, "METHOD", None) or getattr(asked, "method", None)
            if isinstance(name, str):
                return name
    return None


def _details(error: BaseException) -> list[str]:
    """Return what an error that is not botocore's says of itself, without the text that could not be read."""
    if isinstance(error, OSError):
        filename = None if error.filename is None else repr(error.filename)
        return [each for each in (error.strerror, filename) if each]
    if isinstance(error, json.JSONDecodeError):
        return [f"{error.msg} (line {error.lineno}, column {error.colno})"]
    if isinstance(error, UnicodeDecodeError):
        return [f"{error.reason} (byte {error.start})"]
    if isinstance(error, KeyError):
        # Names of members; botocore's names for files of its caches have digits.
        return [f"{each} is missing" for each in error.args if re.fullmatch("[A-Za-z]{1,40}", str(each))]
    return []


def _file_of_cache(error: BaseException) -> list[str]:
    """Return words that name the file of botocore's cache of tokens and credentials that could not be used, if any."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        names = frame.f_locals
        owner = names.get("self")
        key = names.get("cache_key")
        if frame.f_code.co_name == "_load_from_cache":
            key = getattr(owner, "_cache_key", None)
        convert = getattr(getattr(owner, "_cache", None), "_convert_cache_key", None)
        if isinstance(key, str) and convert is not None:
            return [f"the file {convert(key)!r}"]
    return []


def _alone(error: BaseException) -> BaseException:
    error.__cause__ = error.__context__ = None
    return error
