"""Values that users pass in: credentials, retries, timeouts, polling. Each checks itself when it is made."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from novaact_http._support import traceback_scrubbing
from novaact_http._support.late_attrs import ValueObject, field, frozen
from novaact_http.errors import ConfigurationError, CredentialsError

if TYPE_CHECKING:
    import datetime as dt  # noqa: TC004 - annotations are not evaluated

    import attrs

__all__ = ["Credentials", "Poll", "RetryPolicy", "Timeout"]

_LONG_ENOUGH_TO_TELL = 16  # characters, as AWS's access key ids have at least
_LONGEST_TIMEOUT = 365 * 24 * 60 * 60  # operating systems refuse to wait for much longer


def _masked(value: str) -> str:
    return f"'***{value[-4:] if len(value) >= _LONG_ENOUGH_TO_TELL else ''}'"


def _hidden(value: str | None) -> str:
    return "None" if value is None else "'***'"


def _bad_credentials(attribute: attrs.Attribute[Any], problem: str, advice: str | None = None) -> CredentialsError:
    return CredentialsError(problem, setting="credentials", source=f"Credentials.{attribute.name}", advice=advice)


def _key(_: Credentials, attribute: attrs.Attribute[Any], value: object) -> None:
    # The key's id and the token are sent in headers, where a line break pasted with them would split the request.
    if not isinstance(value, str):
        raise _bad_credentials(attribute, f"is of type {type(value).__name__}", "pass a str")
    if not value:
        raise _bad_credentials(attribute, "is empty", "set a value")
    if not all("!" <= character <= "~" for character in value):
        raise _bad_credentials(
            attribute, "has a space, line break or other character that no key has", "copy it again, without that"
        )


def _token(credentials: Credentials, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is not None and value != "":
        _key(credentials, attribute, value)


def _moment(_: Credentials, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is None:
        return
    import datetime as dt  # 2 ms to import, and most credentials do not expire

    if not isinstance(value, dt.datetime):
        raise _bad_credentials(attribute, f"is of type {type(value).__name__}", "pass a datetime.datetime")
    if value.utcoffset() is None:
        raise _bad_credentials(attribute, "has no time zone", "pass one that has, such as datetime.timezone.utc")


@frozen(kw_only=True, init=False, eq=False, repr=False)
class Credentials(ValueObject):
    """AWS credentials. They cannot be pickled, and their `repr` shows no secret.

    Args:
        access_key_id: the public half of the key pair.
        secret_access_key: the secret half.
        session_token: of temporary credentials. An empty one counts as None, as in botocore.
        expires_at: when temporary credentials expire, with a time zone. None if that is unknown, or never.

    Raises:
        CredentialsError: a value is empty or not a str, or has characters that no key has; or `expires_at` is not a
            datetime with a time zone.
    """

    access_key_id: str = field(validator=_key, repr=_masked)
    secret_access_key: str = field(validator=_key, repr=_hidden)
    session_token: str | None = field(default=None, validator=_token, repr=_hidden)
    expires_at: dt.datetime | None = field(default=None, validator=_moment)

    def __init__(
        self,
        *,
        access_key_id: str,
        secret_access_key: str,
        session_token: str | None = None,
        expires_at: dt.datetime | None = None,
    ) -> None:
        try:
            self.__attrs_init__(
                access_key_id=access_key_id,
                secret_access_key=secret_access_key,
                session_token=session_token,
                expires_at=expires_at,
            )
        except BaseException as error:
            traceback_scrubbing.clear(error)
            del access_key_id, secret_access_key, session_token  # this frame still runs, so it was not cleared
            raise

    def __reduce__(self) -> NoReturn:
        raise CredentialsError(
            "credentials are not pickled, so that no secret is stored by accident",
            setting="credentials",
            advice="where they are needed, pass a function that returns them",
        )


_MODES = ("standard", "adaptive", "off")


def _bad_policy(attribute: attrs.Attribute[Any], problem: str, advice: str) -> ConfigurationError:
    return ConfigurationError(problem, setting="retries", source=f"RetryPolicy.{attribute.name}", advice=advice)


def _attempts(_: RetryPolicy, attribute: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise _bad_policy(
            attribute, "is not a number of attempts", "use a whole number from 1, the first attempt included"
        )


def _mode(_: RetryPolicy, attribute: attrs.Attribute[Any], value: object) -> None:
    if value not in _MODES:
        raise _bad_policy(attribute, "is not a retry mode", f"use one of {', '.join(_MODES)}")


def _callable(_: RetryPolicy, attribute: attrs.Attribute[Any], value: object) -> None:
    if not callable(value):
        raise _bad_policy(attribute, "is not a function", "use one such as random.random")


def _random() -> float:
    import random  # takes 1 ms to import, and few calls are made again

    return random.random()  # noqa: S311 - no secret


@frozen(kw_only=True, eq=False, repr=False)
class RetryPolicy(ValueObject):
    """How a failed call is retried. A pickled copy uses `random.random`, or all copies would wait equally long.

    Args:
        max_attempts: how many attempts a call makes at most, the first included.
        mode: `"standard"`, `"adaptive"` or `"off"`. `"standard"` is AWS's: exponential backoff with jitter, and a quota
            that all calls of a client share, so that an outage is not made worse. `"adaptive"` is AWS's too: once the
            service has throttled a call, all calls of the client also wait for a rate that follows what the service
            admits. `"off"` makes a single attempt, whatever `max_attempts` is.
        rng: returns a random number from 0 up to but not including 1, for the jitter. By default `random.random`. A
            call that gets another value from it raises a `ConfigurationError`. In tests, `lambda: 0.0` makes retries
            wait only if the service asks for it, or in adaptive mode.

    Raises:
        ConfigurationError: a value is not one of these.
    """

    max_attempts: int = field(default=3, validator=_attempts)
    mode: Literal["standard", "adaptive", "off"] = field(default="standard", validator=_mode)
    rng: Callable[[], float] = field(default=_random, validator=_callable, repr=False, eq=False)

    def __reduce__(self) -> tuple[partial[RetryPolicy], tuple[()]]:
        return partial(RetryPolicy, max_attempts=self.max_attempts, mode=self.mode), ()


def is_number_of_seconds(value: object) -> bool:
    """Tell whether a value is a number of seconds that one can wait for."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= _LONGEST_TIMEOUT


def _seconds(of: Timeout | Poll, attribute: attrs.Attribute[Any], value: object) -> None:
    if not is_number_of_seconds(value):
        kind = type(of).__name__
        raise ConfigurationError(
            "is not a usable number of seconds",
            setting=kind.lower(),
            source=f"{kind}.{attribute.name}",
            advice="use a positive number, a year (31,536,000) at most",
        )


def _seconds_or_none(of: Timeout, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is not None:
        _seconds(of, attribute, value)


@frozen(kw_only=True, eq=False, repr=False)
class Timeout(ValueObject):
    """Time limits, in seconds.

    Args:
        connect: for opening a connection, TLS included.
        read: for each wait for more bytes of the response, and for each write.
        total: for a whole call, with all its attempts and the waits between them; None for no limit. No wait is begun
            that would end later. `AsyncClient` keeps the limit exactly. `Client` does too, except that it cannot
            interrupt the lookup of a host's addresses, nor an httpx transport whose response arrives bit by bit: each
            of these may take as long again as was left when the attempt began.

    Raises:
        ConfigurationError: a value is not a positive number, or is over a year.
    """

    connect: float = field(default=5.0, validator=_seconds)
    read: float = field(default=60.0, validator=_seconds)
    total: float | None = field(default=None, validator=_seconds_or_none)


def _factor(_: Poll, attribute: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 1 <= value < math.inf:
        raise ConfigurationError(
            "is not a factor by which waits can grow",
            setting="poll",
            source=f"Poll.{attribute.name}",
            advice="use a number from 1",
        )


@frozen(kw_only=True, eq=False, repr=False)
class Poll(ValueObject):
    """How often to ask until something is done. Each wait is longer than the one before.

    Of each wait between a half and the whole is really waited, at random, so that programs that began together do not
    go on asking together.

    Args:
        initial: the first wait, in seconds.
        multiplier: by what each wait is longer than the one before; 1 for equal waits.
        maximum: the longest wait, in seconds.

    Raises:
        ConfigurationError: a number of seconds is not positive, or is over a year; or the multiplier is less than 1.
    """

    initial: float = field(default=2.0, validator=_seconds)
    multiplier: float = field(default=1.5, validator=_factor)
    maximum: float = field(default=30.0, validator=_seconds)
