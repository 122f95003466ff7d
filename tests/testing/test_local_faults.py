"""The faults of the local service, as the clients see them, and a socket where that shows more."""

from __future__ import annotations

import datetime as dt
import random
import socket
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novaact_http import (
    Client,
    ConfigurationError,
    RetryPolicy,
    ServiceError,
    Timeout,
    TransportError,
    TransportTimeout,
    errors,
)
from novaact_http.testing import LocalService
from novaact_http.testing._local_service.faults import FaultSpecification, Schedule, ScheduledFault, TokenBucket
from novaact_http.testing._local_service.service_model import modelled_error
from tests.helpers.boto3_oracle import boto3_arguments, boto3_for
from tests.helpers.calls import KEYS, TEMPORARY_KEYS, call_for, options_for
from tests.helpers.raw_requests import connect, read_all
from tests.helpers.servers import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.helpers.both_clients import Face

SLOW = Timeout(read=0.2)


def outcomes(face: Face, service: LocalService, count: int, **options: Any) -> list[str]:
    """Make calls one after the other, and return for each the code or class of its error, or "ok"."""

    def outcome() -> str:
        try:
            face.page({**options_for(service), **options}, **call_for(service.runs[0]))
        except ServiceError as error:
            return error.code
        except TransportError as error:
            return type(error).__name__
        return "ok"

    return [outcome() for _ in range(count)]


# Schedules.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("reset", FaultSpecification(fault="reset")),
        ("ThrottlingException next 2", FaultSpecification(fault="ThrottlingException", times=2)),
        ("reset-mid every 3rd", FaultSpecification(fault="reset-mid", every=3)),
        (" close  every 1 ", FaultSpecification(fault="close", every=1)),
        ("stall 10%", FaultSpecification(fault="stall", chance=0.1)),
        ("drip for 0.5s 2.5 %", FaultSpecification(fault="drip", seconds=0.5, chance=0.025)),
        ("reset on ListActs next 1", FaultSpecification(fault="reset", operation="ListActs", times=1)),
        ("refuse for 2 s next 1", FaultSpecification(fault="refuse", seconds=2.0, times=1)),
    ],
)
def test_a_fault_is_read_from_text(text: str, expected: FaultSpecification) -> None:
    assert FaultSpecification.parse(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "reset 3", "reset next", "reset every 0", "reset 101 %", "drip for 1.2.3s", "reset next 2 every 3", "a b"],
)
def test_text_that_is_not_a_fault_is_refused(service: LocalService, text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a fault|must be"):
        service.inject(text)


def test_an_unknown_fault_is_refused_with_the_known_ones(service: LocalService) -> None:
    with pytest.raises(ValueError, match="'rest' is not a fault: use refuse, reset, "):
        service.inject("rest")
    with pytest.raises(ValueError, match="TeapotException is not an error of the service model"):
        service.inject("TeapotException")
    with pytest.raises(TypeError, match="reset has no reason"):
        service.inject("reset", reason="x")
    with pytest.raises(TypeError, match="ThrottlingException has no reason"):
        service.inject("ThrottlingException", reason="x")
    with pytest.raises(ValueError, match="times must be a whole number from 0"):
        service.inject("reset", times=-1)


def test_errors_come_as_scheduled(face: Face, service: LocalService) -> None:
    service.inject("ConflictException", every=3, resource_id="x")
    assert outcomes(face, service, 7) == ["ok", "ok", "ConflictException", "ok", "ok", "ConflictException", "ok"]
    service.clear_faults()
    service.inject("ThrottlingException next 2")
    service.inject("InternalServerException", times=0)
    assert outcomes(face, service, 3) == ["ThrottlingException", "ThrottlingException", "ok"]


def test_of_several_faults_that_are_due_the_first_applies() -> None:
    schedule = Schedule(random.Random(0))
    first, second = modelled_error("ConflictException", ""), modelled_error("ThrottlingException", "")
    schedule.add(ScheduledFault(name="x", effect=first, every=2))
    schedule.add(ScheduledFault(name="x", effect=second, times=3))
    applied = [schedule.next() for _ in range(6)]
    assert [each and each.effect for each in applied] == [second, first, second, first, second, first]


def test_chances_depend_on_the_seed(service: LocalService) -> None:
    def applied(seed: int) -> list[bool]:
        schedule = Schedule(random.Random(seed))
        schedule.add(ScheduledFault(name="x", effect=modelled_error("ConflictException", ""), chance=0.3))
        return [schedule.next() is not None for _ in range(1_000)]

    assert applied(1) == applied(1) != applied(2)
    assert 230 < sum(applied(3)) < 370
    service.inject("ConflictException 100 %")
    service.inject("ThrottlingException 0 %")
    with Client(**options_for(service)) as client, pytest.raises(errors.ConflictException):
        client.list_sessions(**call_for(service.runs[0]))


# Connections.


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ("refuse for 0.01s", "TransportError"),
        ("reset", "TransportError"),
        ("reset-mid", "TransportError"),
        ("reset-after", "ok"),
        ("truncate", "TransportError"),
        ("drip for 0.0001s", "ok"),
        ("stall", "TransportTimeout"),
        ("close", "ok"),
    ],
)
@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_connections_break_as_asked_for(face: Face, fault: str, outcome: str, tls: bool) -> None:
    with LocalService(tls=tls, definitions={"a": [1]}) as service:
        service.inject(f"{fault} next 1")
        trusting: dict[str, Any] = {"verify": service.ca_file} if tls else {}
        limits = {"timeout": SLOW} if outcome == "TransportTimeout" else {}
        assert outcomes(face, service, 1, **limits, **trusting) == [outcome]
        assert len(service.requests) == 1
        eventually(lambda: outcomes(face, service, 1, **trusting) == ["ok"])


def raw_answer(service: LocalService, count: int = 1) -> tuple[bytes, str]:
    """Send `count` requests over one connection, and return what comes back, and how the connection ends."""
    with Client(**options_for(service)) as client:
        client.list_sessions(**call_for(service.runs[0]))
    request = service.requests[-1]
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers)
    raw = f"{request.method} {request.target} HTTP/1.1\r\n{head}\r\n".encode() + request.body
    got = b""
    with connect(service) as connection:
        connection.sendall(raw * count)
        try:
            while data := connection.recv(65_536):
                got += data
        except ConnectionResetError:
            return got, "reset"
        return got, "closed"


@pytest.mark.parametrize(
    ("fault", "end"),
    [("reset", "reset"), ("reset-mid", "reset"), ("reset-after", "reset"), ("truncate", "closed"), ("close", "closed")],
)
def test_a_broken_connection_has_what_was_sent_before(fault: str, end: str) -> None:
    with LocalService() as service:
        service.inject(fault, every=2)
        got, ended = raw_answer(service)
    assert ended == end
    head, _, body = got.partition(b"\r\n\r\n")
    length = 1_700  # of 34 sessions, about
    if fault == "reset":
        assert got == b""
    elif fault == "reset-mid":
        assert 0.4 * length < len(got) < 0.7 * length
    elif fault == "truncate":
        assert f"Content-Length: {2 * len(body)}".encode() in head
    else:
        assert f"Content-Length: {len(body)}".encode() in head
        assert b"close" not in head


def test_several_requests_at_once_are_answered_in_turn() -> None:
    with LocalService(latency=0.001) as service:
        service.inject("close", every=4)
        got, _ = raw_answer(service, 3)
    assert got.count(b"HTTP/1.1 200 OK") == 3


def test_a_request_waits_while_another_is_answered(service: LocalService) -> None:
    service.latency = 0.05
    with connect(service) as connection:
        connection.sendall(b"GET /1 HTTP/1.1\r\n")
        connection.sendall(b"\r\n")
        eventually(lambda: service.requests)
        connection.sendall(b"GET /2 HTTP/1.1\r\nConnection: close\r\n\r\n")
        got = read_all(connection)
    assert got.count(b"HTTP/1.1 403") == 2
    assert [each.target for each in service.requests] == ["/1", "/2"]


def test_a_service_that_refuses_connections_accepts_them_again(face: Face, service: LocalService) -> None:
    with Client(**options_for(service)) as client:
        client.list_sessions(**call_for(service.runs[0]))
        url = service.url
        with service.refusing():
            assert service.url == url
            with pytest.raises(TransportError) as caught:
                client.list_sessions(**call_for(service.runs[0]))
            assert not caught.value.request_sent
            with service.refusing():
                pass
        client.list_sessions(**call_for(service.runs[0]))
    assert outcomes(face, service, 1) == ["ok"]


def test_a_service_stops_at_once_during_requests_and_handshakes() -> None:
    with LocalService(tls=True) as service:
        service.inject("stall", times=1)
        service.inject("drip", seconds=60)
        with Client(**options_for(service), verify=service.ca_file, timeout=Timeout(read=0.05)) as client:
            for _ in range(2):
                with pytest.raises(TransportTimeout):
                    client.list_sessions(**call_for(service.runs[0]))
        waiting = connect(service)  # without a TLS handshake
        while service.connections < 3:
            time.sleep(0.001)
        service.close()
        assert waiting.recv(1) == b""
        waiting.close()


# Time.


def test_answers_take_as_long_as_asked_for(face: Face) -> None:
    with LocalService(latency=0.1) as service:
        began = time.monotonic()
        assert outcomes(face, service, 1) == ["ok"]
        assert time.monotonic() - began >= 0.1
        assert outcomes(face, service, 1, timeout=Timeout(read=0.02)) == ["TransportTimeout"]
        service.latency, service.jitter = 0.0, 0.001
        assert outcomes(face, service, 3) == ["ok"] * 3


def test_a_client_may_close_its_connection_or_its_half(service: LocalService) -> None:
    service.latency = 0.02
    got = Counter[bytes]()
    for half in (True, False):
        with connect(service) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
            if half:
                connection.shutdown(socket.SHUT_WR)
                got[connection.recv(12)] += 1
    assert got == {b"HTTP/1.1 403": 1}


def test_its_clock_may_be_wrong(face: Face) -> None:
    with LocalService(clock_offset=3_600) as service:
        assert outcomes(face, service, 1, correct_clock_skew=False) == ["InvalidSignatureException"]
        assert outcomes(face, service, 1, retries=RetryPolicy()) == ["ok"]
        service.clock_offset = 0
        assert outcomes(face, service, 1, correct_clock_skew=False) == ["ok"]


def test_requests_over_the_rate_are_throttled(face: Face) -> None:
    with LocalService(rate=0.001, burst=2) as service:
        assert outcomes(face, service, 3) == ["ok", "ok", "ThrottlingException"]
        with pytest.raises(errors.ThrottlingException) as caught:
            face.page(options_for(service), **call_for(service.runs[0]))
        assert 900 < (caught.value.retry_after_seconds or 0) <= 1_000
    with LocalService(rate=10_000) as service:
        assert outcomes(face, service, 3) == ["ok"] * 3


@given(
    st.floats(0.1, 1_000),
    st.floats(1, 100),
    st.lists(st.floats(0, 10), max_size=100),
)
def test_a_bucket_admits_no_more_than_its_rate_and_burst(rate: float, burst: float, steps: list[float]) -> None:
    now = 0.0
    bucket = TokenBucket(rate, burst, now)
    for given_out, step in enumerate(steps, start=1):
        now += step
        wait = bucket.take(now)
        if wait:
            assert wait <= 1 / rate * 1.000001
            now += wait * 1.000001
            assert bucket.take(now) == 0.0
        assert given_out <= burst + now * rate + 1e-6


# Credentials.


def test_random_credentials_expire_and_are_replaced(face: Face) -> None:
    now = [time.time()]
    with LocalService(credentials_lifetime=900, clock=lambda: now[0]) as service:
        first = service.credentials
        assert first.session_token
        assert first.expires_at == dt.datetime.fromtimestamp(now[0] + 900, dt.timezone.utc)
        assert service.get_credentials() == first
        assert service.environ["AWS_CREDENTIAL_EXPIRATION"] == first.expires_at.isoformat()
        assert outcomes(face, service, 1) == ["ok"]
        now[0] += 901
        bare = {"credentials": first, "correct_clock_skew": False}
        assert outcomes(face, service, 1, **bare) == ["ExpiredTokenException"]
        assert service.credentials != first


def test_credentials_can_be_expired_and_a_client_gets_new_ones(face: Face, service: LocalService) -> None:
    first = service.credentials
    with Client(**{**options_for(service), "credentials": service.get_credentials}) as client:
        for _ in range(2):
            assert client.list_sessions(**call_for(service.runs[0])).session_summaries
            service.expire_credentials()
            service.expire_credentials()
    assert outcomes(face, service, 1, credentials=first) == ["ExpiredTokenException"]
    assert outcomes(face, service, 1) == ["ok"]


def test_given_credentials_expire_too() -> None:
    with LocalService(credentials=TEMPORARY_KEYS) as service:
        assert service.credentials == TEMPORARY_KEYS
        service.expire_credentials()
        assert service.credentials != TEMPORARY_KEYS
        assert LocalService(credentials=KEYS).credentials == KEYS


# HTTPS.


def test_it_serves_https_with_its_own_certificate(face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    service = LocalService(tls=True)
    assert service.ca_file is None
    with service:
        assert service.url.startswith("https://127.0.0.1:")
        assert outcomes(face, service, 2, verify=service.ca_file) == ["ok", "ok"]
        assert outcomes(face, service, 1) == ["TransportError"]  # the certificate is not trusted
        for name, value in service.environ.items():
            monkeypatch.setenv(name, value)
        assert boto3_for(service).list_sessions(**boto3_arguments(call_for(service.runs[0])))["sessionSummaries"]
    assert service.ca_file is None


def test_https_without_its_packages_is_refused_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "trustme", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'novaact-http\[testing\]'"):
        LocalService(tls=True).start()


# Data.


def test_definitions_runs_and_sessions_are_as_given(face: Face) -> None:
    with LocalService(definitions={"a": [2, ("first", "second", "third")], "b": [0]}) as service:
        assert [(run.workflow_definition_name, len(run.session_ids)) for run in service.runs] == [
            ("a", 2),
            ("a", 3),
            ("b", 0),
        ]
        items, _ = face.items(options_for(service), **call_for(service.runs[1]))
        assert [each.session_id for each in items] == ["first", "second", "third"]
        run = service.add_run("c", sessions=["x"], workflow_run_id="00000000-0000-4000-8000-000000000001")
        assert run.workflow_run_id == "00000000-0000-4000-8000-000000000001"
        assert face.page(options_for(service), **call_for(run)).session_summaries[0].session_id == "x"
        with pytest.raises(ValueError, match="'nonsense' cannot be a workflowRunId: "):
            service.add_run("c", workflow_run_id="nonsense")


@pytest.mark.parametrize("order", ["Ascending", "Descending"])
@pytest.mark.parametrize("page_size", [1, 4, 10])
def test_sessions_added_during_a_listing_come_in_order(order: str, page_size: int) -> None:
    with LocalService(definitions={"a": [10]}) as service, Client(**options_for(service)) as client:
        (run,) = service.runs
        pages = iter(client.iter_sessions(**call_for(run), page_size=page_size, sort_order=order).pages())
        seen = [each.session_id for each in next(pages).session_summaries]
        grown = service.add_sessions(run, 3)
        assert service.runs == (grown,)
        seen += [each.session_id for page in pages for each in page.session_summaries]
        if order == "Descending":
            assert seen == list(run.session_ids[::-1])
        elif page_size < 10:
            assert seen == list(grown.session_ids)
        else:
            assert seen == list(run.session_ids)


def test_requests_need_not_be_kept(face: Face) -> None:
    with LocalService(record_requests=False) as service:
        assert outcomes(face, service, 2) == ["ok", "ok"]
        assert service.requests == []


def test_the_next_answers_and_faults_share_one_queue(face: Face, service: LocalService) -> None:
    made: list[Callable[[], None]] = [
        lambda: service.answer_next(599),
        lambda: service.inject("reset next 1"),
        lambda: service.fail_next("ConflictException"),
    ]
    for make in made:
        make()
    assert outcomes(face, service, 4) == ["599", "TransportError", "ConflictException", "ok"]
