"""Every exception the library raises.

Rules of this file: plain exception classes with keyword arguments (facts are attributes, the message is one sentence);
all of them pickle; none is ever given a secret. `NovaActError` is the root of everything raised, except Python's own
`TypeError` for missing or unknown arguments, and what the user's own code raises: a transport, a signer, a mock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from typing_extensions import Unpack

__all__ = [
    "AccessDeniedException",
    "ConfigurationError",
    "ConflictException",
    "CredentialsError",
    "DeadlineExceeded",
    "InternalServerException",
    "NovaActError",
    "PaginationError",
    "ParameterError",
    "Problem",
    "ResourceNotFoundException",
    "ResponseError",
    "ServiceError",
    "ServiceQuotaExceededException",
    "ThrottlingException",
    "TransportError",
    "TransportTimeout",
    "ValidationException",
    "ValidationExceptionField",
]


class NovaActError(Exception):
    """The root of everything the library raises.

    Attributes:
        request_id: the service's id of the request, which AWS support asks for; None where there is none.
    """

    request_id: str | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions pickle as `cls(*args)`, which fails for keyword-only arguments. The facts are in `__dict__`.
        return _unpickle, (type(self), self.args), vars(self).copy()


def _unpickle(cls: type[NovaActError], args: tuple[object, ...]) -> NovaActError:
    return cls.__new__(cls, *args)


class Problem(NamedTuple):
    """What is wrong with one argument of a call.

    Attributes:
        argument: its name, such as `"max_results"`.
        message: what is wrong, to be read after the name, such as `"must be at least 1, not 0"`.
    """

    argument: str
    message: str


class ParameterError(NovaActError, ValueError):
    """Bad arguments of a call. All of them are named in the one message, and nothing was sent.

    Attributes:
        problems: what is wrong with each argument; empty where it is not known which one is at fault.
    """

    def __init__(self, message: str, *, problems: Iterable[Problem] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        problems = "; ".join([f"{each.argument} {each.message}" for each in self.problems])
        return f"{self.args[0]}: {problems}" if problems else str(self.args[0])


class _SetupError(NovaActError):
    """What a client is set up with is missing or wrong.

    Attributes:
        setting: the setting's name, as the client's argument is called, such as `"region"`; None if it is none of them.
        source: where the value came from, such as `"AWS_REGION"` or `"the argument region"`; None if there is no value.
        problem: what is wrong. Where there is a source, it is to be read after the source.
        advice: what to do, or what is allowed; None where that is obvious.
    """

    def __init__(
        self, problem: str, *, setting: str | None = None, source: str | None = None, advice: str | None = None
    ) -> None:
        super().__init__(problem)
        self.setting = setting
        self.source = source
        self.problem = problem
        self.advice = advice

    def __str__(self) -> str:
        text = self.problem if self.source is None else f"{self.source} {self.problem}"
        return text if self.advice is None else f"{text}: {self.advice}"


class ConfigurationError(_SetupError):
    """A bad or missing setting: region, endpoint, timeout, CA bundle, transport. Names the setting and its source."""


class CredentialsError(_SetupError):
    """No credentials were found, or what was found is incomplete or malformed."""


class PaginationError(NovaActError):
    """The service repeated a pagination token, so going on would list the same pages for ever."""


class TransportError(NovaActError):
    """No usable response came back. The transport's own exception is the `__cause__`.

    Attributes:
        request_sent: could the service have seen the request? False only where it is certain that nothing was sent.
        attempts: how many times the request was tried.
    """

    def __init__(self, message: str, *, request_sent: bool, attempts: int = 1) -> None:
        super().__init__(message)
        self.request_sent = request_sent
        self.attempts = attempts

    def __str__(self) -> str:
        sent = "request may have been received" if self.request_sent else "request not sent"
        return f"{self.args[0]} ({sent}, attempts {self.attempts})"


class TransportTimeout(TransportError):
    """Connecting, sending or receiving took longer than its `Timeout`."""


class DeadlineExceeded(TransportError):
    """The call's `Timeout.total` is over, or the next attempt's turn would come after it."""


class ResponseError(NovaActError):
    """A success status whose body is not a response of this operation: not JSON, or of the wrong shape.

    Attributes:
        status_code, request_id, headers: of the response; header names are lower-case.
        attempts: how many times the request was tried.
        retry_after: seconds the service asked to wait, or None.
    """

    def __init__(
        self,
        message: str,
        *,
        status_code: int,
        request_id: str | None = None,
        headers: Mapping[str, str] | None = None,
        attempts: int = 1,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.request_id = request_id
        self.headers: Mapping[str, str] = dict(headers or {})
        self.attempts = attempts
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.args[0]} (status {self.status_code}, request id {self.request_id}, attempts {self.attempts})"


class _ServiceFacts(TypedDict, total=False):
    code: str | None
    status_code: int | None
    request_id: str | None
    headers: Mapping[str, str] | None
    attempts: int
    operation: str
    retry_after: float | None


class ServiceError(NovaActError):
    """The service answered with an error. A code that the service model does not know is a plain `ServiceError`.

    Attributes:
        code: the error code, such as `"ThrottlingException"`; the HTTP status as text where the service named none.
        message: the service's own words, `""` if it had none.
        status_code: HTTP status.
        request_id: what AWS support asks for, or None if the response had none.
        headers: of the response; names lower-case, repeats joined by `", "`.
        attempts: how many times the request was tried.
        operation: the operation's name, such as `"ListSessions"`.
        retry_after: seconds the service asked to wait (`Retry-After`, as seconds or as an HTTP date), or None.
    """

    _default_status_code = 400

    def __init__(
        self,
        message: str = "",
        *,
        code: str | None = None,
        status_code: int | None = None,
        request_id: str | None = None,
        headers: Mapping[str, str] | None = None,
        attempts: int = 1,
        operation: str = "ListSessions",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = type(self).__name__ if code is None else code
        self.status_code = self._default_status_code if status_code is None else status_code
        self.request_id = request_id
        self.headers: Mapping[str, str] = dict(headers or {})
        self.attempts = attempts
        self.operation = operation
        self.retry_after = retry_after

    def __str__(self) -> str:
        # The opening words are botocore's, so that what people search their logs for is still found.
        return (
            f"An error occurred ({self.code}) when calling the {self.operation} operation: {self.message} "
            f"(status {self.status_code}, request id {self.request_id}, attempts {self.attempts})"
        )


class AccessDeniedException(ServiceError):
    """The caller lacks the IAM permission for this action (403)."""

    _default_status_code = 403


class ConflictException(ServiceError):
    """The operation conflicts with the resource's state (409)."""

    _default_status_code = 409

    def __init__(
        self,
        message: str = "",
        *,
        resource_id: str | None = None,
        resource_type: str | None = None,
        **facts: Unpack[_ServiceFacts],
    ) -> None:
        super().__init__(message, **facts)
        self.resource_id = resource_id
        self.resource_type = resource_type


class InternalServerException(ServiceError):
    """The service failed (500). `retry_after_seconds` is the `Retry-After` it sent, if any."""

    _default_status_code = 500

    def __init__(
        self,
        message: str = "",
        *,
        reason: str | None = None,
        retry_after_seconds: int | None = None,
        **facts: Unpack[_ServiceFacts],
    ) -> None:
        super().__init__(message, **facts)
        self.reason = reason
        self.retry_after_seconds = retry_after_seconds


class ResourceNotFoundException(ServiceError):
    """There is no such workflow definition or run (404)."""

    _default_status_code = 404

    def __init__(
        self,
        message: str = "",
        *,
        resource_id: str | None = None,
        resource_type: str | None = None,
        **facts: Unpack[_ServiceFacts],
    ) -> None:
        super().__init__(message, **facts)
        self.resource_id = resource_id
        self.resource_type = resource_type


class ServiceQuotaExceededException(ServiceError):
    """An account's quota is used up (402)."""

    _default_status_code = 402

    def __init__(
        self,
        message: str = "",
        *,
        resource_id: str | None = None,
        resource_type: str | None = None,
        service_code: str | None = None,
        quota_code: str | None = None,
        **facts: Unpack[_ServiceFacts],
    ) -> None:
        super().__init__(message, **facts)
        self.resource_id = resource_id
        self.resource_type = resource_type
        self.service_code = service_code
        self.quota_code = quota_code


class ThrottlingException(ServiceError):
    """Too many requests (429). `retry_after_seconds` is the `Retry-After` it sent, if any."""

    _default_status_code = 429

    def __init__(
        self,
        message: str = "",
        *,
        service_code: str | None = None,
        quota_code: str | None = None,
        retry_after_seconds: int | None = None,
        **facts: Unpack[_ServiceFacts],
    ) -> None:
        super().__init__(message, **facts)
        self.service_code = service_code
        self.quota_code = quota_code
        self.retry_after_seconds = retry_after_seconds


@attrs.frozen(kw_only=True)
class ValidationExceptionField:
    """One field that a `ValidationException` complains about; `""` for what the service left out."""

    name: str = ""
    message: str = ""


class ValidationException(ServiceError):
    """The service refused the input (400). `field_list` names the fields, where the service did."""

    _default_status_code = 400

    def __init__(
        self,
        message: str = "",
        *,
        reason: str | None = None,
        field_list: Sequence[ValidationExceptionField] = (),
        **facts: Unpack[_ServiceFacts],
    ) -> None:
        super().__init__(message, **facts)
        self.reason = reason
        self.field_list = tuple(field_list)
