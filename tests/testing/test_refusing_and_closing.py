"""The local service may be closed, and started again, while it refuses connections."""

from __future__ import annotations

import socket
import threading

import pytest

from novaact_http import Client
from novaact_http.testing import LocalService
from tests.helpers.calls import call_for, options_for


def test_a_service_may_be_closed_while_it_refuses() -> None:
    service = LocalService().start()
    with service.refusing():
        service.close()
    service.close()


def test_an_error_within_the_block_comes_out_as_itself() -> None:
    with pytest.raises(ZeroDivisionError), LocalService() as service, service.refusing():
        service.close()
        raise ZeroDivisionError


def test_a_service_may_be_started_again_while_it_refused() -> None:
    service = LocalService().start()
    run = service.add_run("a", sessions=1)
    with service.refusing():
        service.close()
        service.start()
        with Client(**options_for(service)) as client:
            assert len(client.list_sessions(**call_for(run)).session_summaries) == 1
    with Client(**options_for(service)) as client:
        assert len(client.list_sessions(**call_for(run)).session_summaries) == 1
    service.close()


def test_a_service_may_be_closed_by_another_thread_at_any_moment() -> None:
    for _ in range(30):
        service = LocalService().start()
        with service.refusing():
            closing = threading.Thread(target=service.close)
            closing.start()
        closing.join(60)
        assert not closing.is_alive()


def test_a_port_that_was_taken_while_it_refused_is_an_error() -> None:
    service = LocalService().start()
    with pytest.raises(OSError, match=r"in use|Errno"), service.refusing():
        taken = socket.create_server(("127.0.0.1", int(service.url.rpartition(":")[2])))
    taken.close()
    service.close()
