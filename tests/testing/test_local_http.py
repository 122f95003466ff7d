"""How the local service speaks HTTP, starts and stops."""

from __future__ import annotations

import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novaact_http import Client, errors
from novaact_http.testing import LocalService, ReceivedRequest
from novaact_http.testing._local_service.http import take_request
from tests.helpers.both_clients import SyncFace
from tests.helpers.boto3_oracle import boto3_arguments, boto3_client
from tests.helpers.calls import CALL, NOW, TEMPORARY_KEYS, call_for, options_for
from tests.helpers.raw_requests import connect, read_all


def _send_raw(service: LocalService, data: bytes) -> bytes:
    """Send bytes, and return all that comes back."""
    with connect(service) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        return read_all(connection)


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (b"", b""),
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET\xa0/ HTTP/1.1\r\n\r\n", b"400"),
        (b"GET  / HTTP/1.1\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", b"400"),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf", b""),
        (b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nContent-Length: \xb2\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
        (b"POST /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", b"414"),
    ],
)
def test_what_is_not_http_as_clients_speak_it_is_refused(service: LocalService, data: bytes, answer: bytes) -> None:
    assert answer in _send_raw(service, data).partition(b"\r\n")[0]
    assert service.requests == []


@given(st.data())
def test_requests_are_read_from_any_pieces(data: st.DataObject) -> None:
    whole = b"POST /a?b HTTP/1.1\r\nA: b \r\nContent-Length: 3\r\n\r\n\r\n\r" + b"GET / HTTP/1.0\r\n\r\nrest"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)))))
    buffer, taken = bytearray(), []
    for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        buffer += whole[start:end]
        while found := take_request(buffer):
            taken.append(found)
    assert buffer == b"rest"
    assert taken == [
        (
            ReceivedRequest(
                method="POST", target="/a?b", headers=(("A", "b"), ("Content-Length", "3")), body=b"\r\n\r"
            ),
            True,
        ),
        (ReceivedRequest(method="GET", target="/", headers=(), body=b""), False),
    ]


def test_leading_slashes_are_kept(service: LocalService) -> None:
    _send_raw(service, b"POST //x HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert service.requests[0].target == "//x"


def test_it_stops_at_once_with_open_connections_and_can_start_again() -> None:
    service = LocalService()
    with pytest.raises(RuntimeError, match="not running"):
        _ = service.url
    before = set(threading.enumerate())
    service.start()
    assert service.start() is service
    with Client(**options_for(service)) as client:
        client.list_sessions(**call_for(service.runs[0]))
        service.close()
        service.close()
        assert set(threading.enumerate()) <= before
    with service, Client(**options_for(service)) as client:
        client.list_sessions(**call_for(service.runs[0]))


def test_a_client_that_hangs_up_causes_no_output(service: LocalService, capfd: pytest.CaptureFixture[str]) -> None:
    with connect(service) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf")
    with Client(**options_for(service)) as client:
        client.list_sessions(**call_for(service.runs[0]))
    assert capfd.readouterr().err == ""


def test_its_environment_is_all_that_boto3_needs(world: LocalService) -> None:
    import boto3

    page = boto3.Session().client("nova-act").list_sessions(**boto3_arguments(call_for(world.runs[0])))
    assert [each["sessionId"] for each in page["sessionSummaries"]] == list(world.runs[0].session_ids)


def test_its_environment_has_the_session_token_if_there_is_one() -> None:
    with LocalService(credentials=TEMPORARY_KEYS) as service:
        assert service.environ["AWS_SESSION_TOKEN"] == TEMPORARY_KEYS.session_token


def test_boto3_with_temporary_credentials_is_accepted() -> None:
    with LocalService(credentials=TEMPORARY_KEYS) as service:
        client = boto3_client(endpoint_url=service.url, credentials=TEMPORARY_KEYS)
        assert client.list_sessions(**boto3_arguments(call_for(service.runs[0])))["sessionSummaries"]
        assert CALL["workflow_definition_name"] == service.runs[0].workflow_definition_name


def test_a_mistake_in_the_test_itself_is_not_hidden(capfd: pytest.CaptureFixture[str]) -> None:
    seconds = [NOW]
    with LocalService(clock=lambda: seconds[0]) as service:
        options = options_for(service)
        seconds.clear()
        with pytest.raises(errors.TransportError):
            SyncFace().page(options, **call_for(service.runs[0]))
    assert "IndexError" in capfd.readouterr().err
