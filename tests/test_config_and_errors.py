"""The values that users pass in and the errors that they get: what these refuse, show and pickle."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from novaact_http import (
    ConfigurationError,
    Credentials,
    CredentialsError,
    NovaActError,
    Timeout,
    errors,
)
from tests.helpers.calls import KEYS, TEMPORARY_KEYS


def test_credentials_show_no_secret() -> None:
    assert repr(KEYS) == (
        "Credentials(access_key_id='***MPLE', secret_access_key='***', session_token=None, expires_at=None)"
    )
    assert repr(TEMPORARY_KEYS).endswith("secret_access_key='***', session_token='***', expires_at=None)")
    assert str(TEMPORARY_KEYS) == repr(TEMPORARY_KEYS)


def test_credentials_refuse_to_be_pickled_or_copied() -> None:
    for refused in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(CredentialsError, match="not pickled"):
            refused(KEYS)


@pytest.mark.parametrize("name", ["access_key_id", "secret_access_key", "session_token"])
@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("", "is empty"),
        ("a\n", "has a space"),
        (" a", "has a space"),
        ("a\x00", "has a space"),
        ("é", "has a space"),
        (7, "is of type int: pass a str"),
    ],
)
def test_malformed_credentials_are_refused(name: str, value: Any, problem: str) -> None:
    values = {"access_key_id": "a", "secret_access_key": "b", name: value}
    if name == "session_token" and value == "":
        assert Credentials(**values).session_token == ""
        return
    with pytest.raises(CredentialsError, match=f"^Credentials.{name} {problem}") as caught:
        Credentials(**values)
    assert "\n" not in str(caught.value)


def test_credentials_take_keywords_only_and_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        Credentials("a", "b")  # type: ignore[call-arg]
    with pytest.raises(AttributeError):
        KEYS.access_key_id = "x"  # type: ignore[misc]


TIMEOUTS = [0, -1, float("inf"), float("nan"), True, "5", None, 1e10, 10**5000]


@pytest.mark.parametrize("value", TIMEOUTS, ids=map(str, range(len(TIMEOUTS))))
@pytest.mark.parametrize("name", ["connect", "read", "total"])
def test_a_timeout_is_a_positive_number_of_seconds(name: str, value: Any) -> None:
    if name == "total" and value is None:
        assert Timeout(total=None).total is None
        return
    with pytest.raises(ConfigurationError, match=f"Timeout.{name} is not a usable number of seconds: use a positive"):
        Timeout(**{name: value})


def test_timeouts_have_defaults() -> None:
    assert (Timeout().connect, Timeout().read) == (5.0, 60.0)
    assert Timeout(connect=1) == Timeout(connect=1, read=60.0)


ERRORS: list[NovaActError] = [
    errors.ParameterError("bad", problems=[errors.Problem("a", "must be int"), errors.Problem("b", "is missing")]),
    errors.ConfigurationError("is bad", setting="region", source="AWS_REGION", advice="set another"),
    errors.CredentialsError("bad", setting="credentials"),
    errors.PaginationError("bad"),
    errors.TransportError("lost", request_sent=True, attempts=3),
    errors.TransportTimeout("late", request_sent=False),
    errors.DeadlineExceeded("over", request_sent=True, attempts=2),
    errors.ResponseError("odd", status_code=200, request_id="r", headers={"a": "b"}, attempts=2),
    errors.ServiceError(
        "no", code="X", status_code=418, request_id="r", headers={"a": "b"}, attempts=2, retry_after=1.5
    ),
    errors.AccessDeniedException("no", request_id="r"),
    errors.ConflictException("no", resource_id="i", resource_type="t"),
    errors.InternalServerException("no", reason="r", retry_after_seconds=2),
    errors.ResourceNotFoundException("no", resource_id="i", resource_type="t"),
    errors.ServiceQuotaExceededException("no", resource_id="i", resource_type="t", service_code="s", quota_code="q"),
    errors.ThrottlingException("no", service_code="s", quota_code="q", retry_after_seconds=2),
    errors.ValidationException(
        "no", reason="r", field_list=[errors.ValidationExceptionField(name="n", message="m")], operation="Other"
    ),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_errors_are_pickled_with_all_their_facts(error: NovaActError) -> None:
    for loaded in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(loaded) is type(error)
        assert vars(loaded) == vars(error)
        assert (str(loaded), loaded.args) == (str(error), error.args)


def test_every_error_is_a_nova_act_error_and_has_a_pickle_test() -> None:
    kinds = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)}
    kinds -= {kind for kind in kinds if kind.__name__.startswith("_")}  # base classes without instances
    assert all(issubclass(kind, NovaActError) for kind in kinds)
    assert kinds - {type(error) for error in ERRORS} == {NovaActError}


def test_an_error_without_a_response_has_the_request_id_none() -> None:
    assert [error.request_id for error in ERRORS if not hasattr(error, "headers")] == [None] * 7


def test_the_text_of_an_error_has_its_facts() -> None:
    problems = [errors.Problem("max_results", "must be int"), errors.Problem("next_token", "must not be empty")]
    refused = errors.ParameterError("bad arguments", problems=problems)
    assert str(refused) == "bad arguments: max_results must be int; next_token must not be empty"
    assert refused.problems == (("max_results", "must be int"), ("next_token", "must not be empty"))
    assert str(errors.ParameterError("bad arguments")) == "bad arguments"
    wrong = errors.ConfigurationError("is no region", setting="region", source="AWS_REGION", advice="set us-east-1")
    assert str(wrong) == "AWS_REGION is no region: set us-east-1"
    assert (wrong.setting, wrong.source, wrong.advice) == ("region", "AWS_REGION", "set us-east-1")
    assert str(errors.CredentialsError("no credentials", advice="set some")) == "no credentials: set some"
    assert str(errors.CredentialsError("is empty", source="AWS_ACCESS_KEY_ID")) == "AWS_ACCESS_KEY_ID is empty"


def test_the_text_of_a_service_error_has_all_that_support_asks_for() -> None:
    error = errors.ThrottlingException("Slow down.", request_id="r-1", attempts=3)
    assert str(error) == (
        "An error occurred (ThrottlingException) when calling the ListSessions operation: Slow down. "
        "(status 429, request id r-1, attempts 3)"
    )


def test_the_text_of_a_transport_error_says_whether_the_request_was_sent() -> None:
    assert str(errors.TransportError("lost", request_sent=True)).endswith(
        "(request may have been received, attempts 1)"
    )
    assert str(errors.TransportError("lost", request_sent=False)).endswith("(request not sent, attempts 1)")


def test_the_repr_of_an_error_says_what_its_text_says() -> None:
    error = errors.ParameterError("nothing was sent", problems=[errors.Problem("max_results", "must be an int")])
    assert repr(error) == f"ParameterError({str(error)!r})"
    assert "max_results must be an int" in repr(error)
