"""Errors and responses that a test asks the local service for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from novaact_http import Client, Credentials, ServiceError, Timeout, errors
from tests.helpers.calls import call_for, options_for

if TYPE_CHECKING:
    from novaact_http.testing import LocalService
    from tests.helpers.both_clients import Face


def test_an_errors_members_can_be_chosen(face: Face, service: LocalService) -> None:
    service.fail_next("ThrottlingException", retry_after_seconds=7, service_code="nova-act", quota_code="L-1")
    with pytest.raises(errors.ThrottlingException) as caught:
        face.page(options_for(service), **call_for(service.runs[0]))
    assert (caught.value.retry_after_seconds, caught.value.retry_after) == (7, 7.0)
    assert (caught.value.service_code, caught.value.quota_code) == ("nova-act", "L-1")


def test_an_error_that_is_not_modelled_is_refused_with_advice(service: LocalService) -> None:
    with pytest.raises(ValueError, match="answer_next"):
        service.fail_next("TeapotException")
    with pytest.raises(TypeError, match="ThrottlingException has no reason, only message, "):
        service.fail_next("ThrottlingException", reason="x")


def test_any_response_can_be_asked_for(face: Face, service: LocalService) -> None:
    service.answer_next(599, b"<html>gateway</html>", {"X-Cache": "Error"})
    with pytest.raises(ServiceError) as caught:
        face.page(options_for(service), **call_for(service.runs[0]))
    assert (caught.value.code, caught.value.headers["x-cache"]) == ("599", "Error")


def test_an_answers_headers_replace_the_services_own(face: Face, service: LocalService) -> None:
    service.answer_next(418, b"{}", {"x-amzn-requestid": "mine", "DATE": "never"})
    with pytest.raises(ServiceError) as caught:
        face.page(options_for(service), **call_for(service.runs[0]))
    assert (caught.value.request_id, caught.value.headers["date"]) == ("mine", "never")
    service.answer_next(200, b"{}", {"Content-Length": "99"})
    with pytest.raises(errors.TransportError):
        face.page({**options_for(service), "timeout": Timeout(read=0.05)}, **call_for(service.runs[0]))


@pytest.mark.parametrize("header", [("a", "b\r\nc: d"), ("a b", "c"), ("", "c"), ("a", "\u20ac"), ("a:", "b")])
def test_an_answers_headers_are_checked_where_they_are_given(service: LocalService, header: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="not a header that can be sent"):
        service.answer_next(200, b"", dict([header]))


def test_an_answers_body_is_checked_where_it_is_given(service: LocalService) -> None:
    body: Any = "text"
    with pytest.raises(TypeError, match="the body must be bytes, not str"):
        service.answer_next(200, body)


def test_answers_come_in_the_order_asked_for(face: Face, service: LocalService) -> None:
    for status in (501, 502):
        service.answer_next(status)
    for status in (501, 502):
        with pytest.raises(ServiceError) as caught:
            face.page(options_for(service), **call_for(service.runs[0]))
        assert caught.value.status_code == status


def test_a_bad_signature_does_not_use_up_an_answer(service: LocalService) -> None:
    service.fail_next("ThrottlingException")
    keys = Credentials(access_key_id=service.credentials.access_key_id, secret_access_key="wrong")
    codes = []
    for credentials in (keys, service.credentials):
        with Client(**{**options_for(service), "credentials": credentials}) as client:
            with pytest.raises(ServiceError) as caught:
                client.list_sessions(**call_for(service.runs[0]))
            codes.append(caught.value.code)
    assert codes == ["InvalidSignatureException", "ThrottlingException"]
