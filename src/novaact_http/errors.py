"""Every exception that the library raises.

Each carries its facts as attributes, and its text is one sentence that tells the user what to do next. All of them can
be pickled. None ever holds a secret. `NovaActError` is the root of all of them. Only two kinds of exception do not
derive from it: Python's `TypeError` for missing or unknown arguments, and what the user's own code raises, such as a
transport, a signer or a mock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict

from novaact_http._support.late_attrs import ValueObject, frozen

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
    """The root of the library's exceptions. Raised itself if a closed client is called or a pager iterated twice.

    Attributes:
        request_id (str | None): the service's id of the request, which AWS support asks for. None if no response came,
            or if the response had none.
        client_token (str | None): the token of the failed call, if its operation takes one. If you make the call again
            with it, the service does nothing twice. None otherwise.
    """

    request_id: str | None = None
    client_token: str | None = None

    _remark = ""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"  # also with what only the text has, such as the bad arguments

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions pickle as `cls(*args)`, which fails for keyword-only arguments. The facts are in `__dict__`.
        return _unpickle, (type(self), self.args), vars(self).copy()


def _unpickle(cls: type[NovaActError], args: tuple[object, ...]) -> NovaActError:
    return cls.__new__(cls, *args)


class Problem(NamedTuple):
    """What is wrong with one argument of a call.

    Attributes:
        argument (str): the argument's name, such as `"max_results"`.
        message (str): what is wrong with it. Reads on from the name, such as `"must be at least 1, not 0"`.
    """

    argument: str
    message: str


class ParameterError(NovaActError, ValueError):
    """A call had bad arguments, and nothing was sent. Raised before any request, with all problems at once.

    Attributes:
        problems (tuple[Problem, ...]): what is wrong with each bad argument. Empty if no single argument is at fault.
    """

    def __init__(self, message: str, *, problems: Iterable[Problem] = ()) -> None:
        super().__init__(message)
        self.problems: tuple[Problem, ...] = tuple(problems)

    def __str__(self) -> str:
        problems = "; ".join([f"{each.argument} {each.message}" for each in self.problems])
        return f"{self.args[0]}: {problems}" if problems else str(self.args[0])


class _SetupError(NovaActError):
    """What a client needs is missing or bad. The text is "source problem: advice".

    Attributes:
        setting (str | None): the setting, by the name of the client's argument, such as `"region"`, wherever the value
            came from. None if no argument sets it.
        source (str | None): where the value came from, such as `"the argument region"`, `"AWS_REGION"` or
            `"region of the profile 'dev'"`; or what needs a package that is not installed. None if there is no value.
        problem (str): what is wrong. Reads on from the source, if there is one.
        advice (str | None): what to do, or which values are allowed. None if there is no general advice.
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
    """A setting is missing or bad: region, endpoint, profile, timeout, retries, CA bundle, proxy, transport, signer.

    Raised when `Timeout`, `RetryPolicy` or a client is made. What is needed only for sending is checked by the first
    call: whether the CA bundle can be read, and what the signer returns.

    Attributes:
        setting (str | None): the setting, by the name of the client's argument, such as `"region"`, wherever the value
            came from; `"verify"` for any CA bundle. None if no argument sets it, such as a proxy.
        source (str | None): where the value came from, such as `"the argument region"`, `"AWS_REGION"` or
            `"region of the profile 'dev'"`; or what needs a package that is not installed. None if there is no value.
        problem (str): what is wrong. Reads on from the source, if there is one.
        advice (str | None): what to do, or which values are allowed. None if there is no general advice.
    """


class CredentialsError(_SetupError):
    """No credentials were found, or they are incomplete, malformed or expired, or their source failed.

    Raised when `Credentials` are made, when a client is made with bad ones, and by a call that needs them. If a source
    failed, its exception is the `__cause__`, unless that could show a secret.

    Attributes:
        setting (str | None): `"credentials"`. None if your own function raised the error without it.
        source (str | None): where the credentials came from, such as `"the argument credentials"`,
            `"AWS_SECRET_ACCESS_KEY"` or `"botocore's chain of providers"`. None if none were found.
        problem (str): what is wrong. Reads on from the source, if there is one.
        advice (str | None): what to do. None if there is no general advice.
    """


class PaginationError(NovaActError):
    """The service returned the same pagination token twice. Raised by a listing, which would otherwise never end."""


class TransportError(NovaActError):
    """A call got no usable response. The transport's own exception is the `__cause__`.

    Attributes:
        request_sent (bool): whether the service could have received the request. False only if it is certain that
            nothing was sent.
        attempts (int): how many times the request was tried.
    """

    _is_of_wait = False  # of many calls that only read: what was sent is nothing that its user needs to know

    def __init__(self, message: str, *, request_sent: bool, attempts: int = 1) -> None:
        super().__init__(message)
        self.request_sent = request_sent
        self.attempts = attempts

    def __str__(self) -> str:
        if self._is_of_wait:
            return str(self.args[0])
        sent = "request may have been received" if self.request_sent else "request not sent"
        return f"{self.args[0]} ({sent}, attempts {self.attempts}){self._remark}"


class TransportTimeout(TransportError):
    """Connecting, sending or receiving took longer than `Timeout.connect` or `Timeout.read`."""


class DeadlineExceeded(TransportError):
    """The call's `Timeout.total` is over, or would be before the next attempt begins."""


class ResponseError(NovaActError):
    """The service answered with success, but the body is not a response of the operation: not JSON, or the wrong shape.

    Attributes:
        status_code (int): the HTTP status.
        request_id (str | None): the service's id of the request; None if the response had none.
        headers (Mapping[str, str]): the response's headers. Names are lower-case.
        attempts (int): how many times the request was tried.
        retry_after (float | None): how many seconds the service asked to wait; None if it did not ask.
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
        return (
            f"{self.args[0]} (status {self.status_code}, request id {self.request_id}, attempts {self.attempts})"
            f"{self._remark}"
        )


class _ServiceFacts(TypedDict, total=False):
    code: str | None
    status_code: int | None
    request_id: str | None
    headers: Mapping[str, str] | None
    attempts: int
    operation: str
    retry_after: float | None


class ServiceError(NovaActError):
    """The service answered with an error.

    Raised itself for a code that the service model does not have; each code that it has is a subclass.

    Attributes:
        code (str): the error code, such as `"ThrottlingException"`; the HTTP status if the response named none.
        message (str): the service's message, or `""`.
        status_code (int): the HTTP status.
        request_id (str | None): the service's id of the request, which AWS support asks for; None if the response had
            none.
        headers (Mapping[str, str]): the response's headers. Names are lower-case, and repeated values are joined by
            `", "`.
        attempts (int): how many times the request was tried.
        operation (str): the operation, such as `"ListSessions"`.
        retry_after (float | None): how many seconds the service asked to wait, as its Retry-After header says in
            seconds or as a date; None if it did not ask.
        clock_skew (float | None): how many seconds the service's clock is ahead of this machine's, if that explains the
            error, and was not corrected: it is over a day, or correction is turned off.
    """

    clock_skew: float | None = None

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
        # The first words are botocore's, as people search their logs for them.
        return (
            f"An error occurred ({self.code}) when calling the {self.operation} operation: {self.message} "
            f"(status {self.status_code}, request id {self.request_id}, attempts {self.attempts}){self._remark}"
        )


class AccessDeniedException(ServiceError):
    """The credentials lack the IAM permission for the operation (HTTP 403)."""

    _default_status_code = 403


class ConflictException(ServiceError):
    """The operation conflicts with the state of a resource (HTTP 409).

    Attributes:
        resource_id (str | None): the resource's id, if the service sent it.
        resource_type (str | None): the resource's type, if the service sent it.
    """

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
    """The service failed (HTTP 500).

    Attributes:
        reason (str | None): the reason, if the service sent it.
        retry_after_seconds (int | None): the Retry-After header, in seconds, if the service sent it.
    """

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
    """There is no such workflow definition or run (HTTP 404).

    Attributes:
        resource_id (str | None): the resource's id, if the service sent it.
        resource_type (str | None): the resource's type, if the service sent it.
    """

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
    """A quota of the account is used up (HTTP 402).

    Attributes:
        resource_id (str | None): the resource's id, if the service sent it.
        resource_type (str | None): the resource's type, if the service sent it.
        service_code (str | None): the service that the quota belongs to, if the service sent it.
        quota_code (str | None): the quota, if the service sent it.
    """

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
    """The account sends too many requests (HTTP 429).

    Attributes:
        service_code (str | None): the service that the quota belongs to, if the service sent it.
        quota_code (str | None): the quota, if the service sent it.
        retry_after_seconds (int | None): the Retry-After header, in seconds, if the service sent it.
    """

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


@frozen(kw_only=True, eq=False, repr=False)
class ValidationExceptionField(ValueObject):
    """One field that a `ValidationException` is about. What the service left out is `""`.

    Attributes:
        name (str): the field's name.
        message (str): what is wrong with it.
    """

    name: str = ""
    message: str = ""


class ValidationException(ServiceError):
    """The service refused the input (HTTP 400).

    Attributes:
        reason (str | None): the reason, if the service sent it.
        field_list (tuple[ValidationExceptionField, ...]): the fields that the service named.
    """

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
