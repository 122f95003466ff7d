"""What a user passes in, as values: credentials, retries, timeouts. They check themselves when they are made."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import attrs

from novaact_http._support import traceback_scrubbing
from novaact_http.errors import ConfigurationError, CredentialsError

if TYPE_CHECKING:
    import datetime as dt  # noqa: TC004 - annotations are not evaluated

__all__ = ["Credentials", "RetryPolicy", "Timeout"]

_LONG_ENOUGH_TO_TELL = 16  # characters, as AWS's access key ids have at least
_LONGEST_TIMEOUT = 365 * 24 * 60 * 60  # operating systems refuse to wait for centuries


def _masked(value: str) -> str:
    return f"'***{value[-4:] if len(value) >= _LONG_ENOUGH_TO_TELL else ''}'"


def _hidden(value: str | None) -> str:
    return "None" if value is None else "'***'"


def _key(_: Credentials, attribute: attrs.Attribute[Any], value: object) -> None:
    # Two of the three travel in headers: a line break pasted along with a key would split the request.
    if not isinstance(value, str):
        raise CredentialsError(f"{attribute.name} must be str, not {type(value).__name__}")
    if not value:
        raise CredentialsError(f"{attribute.name} is empty")
    if not all("!" <= character <= "~" for character in value):
        raise CredentialsError(f"{attribute.name} has a space, line break or other character that no key has")


def _token(credentials: Credentials, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is not None and value != "":
        _key(credentials, attribute, value)


def _moment(_: Credentials, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is None:
        return
    import datetime as dt  # 2 ms to import, and most credentials do not expire

    if not isinstance(value, dt.datetime):
        raise CredentialsError(f"{attribute.name} must be a datetime.datetime, not {type(value).__name__}")
    if value.utcoffset() is None:
        raise CredentialsError(f"{attribute.name} must have a time zone, such as datetime.timezone.utc")


@attrs.frozen(kw_only=True, init=False)
class Credentials:
    """AWS credentials. They refuse to be pickled, and their repr shows no secret.

    Args:
        access_key_id: the public half of the key pair.
        secret_access_key: the secret half.
        session_token: for temporary credentials; an empty one counts as none, as in botocore.
        expires_at: when temporary credentials expire, with a time zone; None if that is not known, or never.

    Raises:
        CredentialsError: a value is empty, not a string, or has characters that cannot be part of a key; or
            `expires_at` is no datetime with a time zone.
    """

    access_key_id: str = attrs.field(validator=_key, repr=_masked)
    secret_access_key: str = attrs.field(validator=_key, repr=_hidden)
    session_token: str | None = attrs.field(default=None, validator=_token, repr=_hidden)
    expires_at: dt.datetime | None = attrs.field(default=None, validator=_moment)

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
            del access_key_id, secret_access_key, session_token  # this function's own
            raise

    def __reduce__(self) -> NoReturn:
        raise CredentialsError("credentials are not pickled, so that no secret is written anywhere by accident")


_MODES = ("standard", "adaptive", "off")


def _attempts(_: RetryPolicy, attribute: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ConfigurationError(
            f"RetryPolicy.{attribute.name} must be a whole number of attempts from 1, the first included"
        )


def _mode(_: RetryPolicy, attribute: attrs.Attribute[Any], value: object) -> None:
    if value not in _MODES:
        raise ConfigurationError(f"RetryPolicy.{attribute.name} must be one of {', '.join(_MODES)}")


def _callable(_: RetryPolicy, attribute: attrs.Attribute[Any], value: object) -> None:
    if not callable(value):
        raise ConfigurationError(f"RetryPolicy.{attribute.name} must be a function such as random.random")


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """How often a failed call is tried again. A pickled copy has `random.random` again, or all would jitter alike.

    Args:
        max_attempts: the most attempts of one call, the first included.
        mode: `"standard"`, AWS's own: exponential backoff with jitter, and a quota that all calls of a client share, so
            that an outage is not made worse. `"adaptive"`, AWS's too: besides, once the service has throttled a call,
            all calls of the client wait for their turn at a rate that follows what the service admits. `"off"` for a
            single attempt, whatever `max_attempts` says.
        rng: returns a random number from 0 up to 1, for the jitter.

    Raises:
        ConfigurationError: a value is not as above.
    """

    max_attempts: int = attrs.field(default=3, validator=_attempts)
    mode: Literal["standard", "adaptive", "off"] = attrs.field(default="standard", validator=_mode)
    rng: Callable[[], float] = attrs.field(default=random.random, validator=_callable, repr=False, eq=False)

    def __reduce__(self) -> tuple[partial[RetryPolicy], tuple[()]]:
        return partial(RetryPolicy, max_attempts=self.max_attempts, mode=self.mode), ()


def _seconds(_: Timeout, attribute: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value <= _LONGEST_TIMEOUT:
        raise ConfigurationError(f"Timeout.{attribute.name} must be a positive number of seconds, a year at most")


@attrs.frozen(kw_only=True)
class Timeout:
    """Limits, in seconds.

    Args:
        connect: for opening a connection, TLS included.
        read: for each wait for more bytes of the response, and for each write.
        total: for a whole call, with all its attempts and the waits between them; None for no limit. No wait is begun
            that would end later. `AsyncClient` keeps it to the moment. `Client` does too, but cannot interrupt a
            look-up of a host's addresses, nor a transport of httpx's over which bytes drip: there, each of them takes
            up to what was left when the attempt began.

    Raises:
        ConfigurationError: a value is not a positive number, or is over a year.
    """

    connect: float = attrs.field(default=5.0, validator=_seconds)
    read: float = attrs.field(default=60.0, validator=_seconds)
    total: float | None = attrs.field(default=None, validator=attrs.validators.optional(_seconds))
