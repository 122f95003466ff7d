"""Requests to the local service as no client would send them."""

from __future__ import annotations

import http.client
import json
import socket
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from novaact_http._call.sigv4 import Scope, SigV4Signer
from tests.helpers.calls import NOW, call_for
from tests.helpers.flows import request_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from novaact_http._call.http_messages import Headers, Request
    from novaact_http.testing import LocalService


class Answered(NamedTuple):
    """What the service answered: its headers with lower-case names, and the parsed body."""

    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def code(self) -> str:
        """The code of the error."""
        return self.headers["x-amzn-errortype"]


def connect(service: LocalService) -> socket.socket:
    """Return a connection to a service."""
    return socket.create_connection(("127.0.0.1", urlsplit(service.url).port or 0), timeout=60)


def read_all(connection: socket.socket) -> bytes:
    """Return all that comes until the service closes the connection."""
    return b"".join(iter(lambda: connection.recv(65_536), b""))


def signed(service: LocalService, **changes: Any) -> Request:
    """Return a request for the first run, as a client would sign it at `NOW`.

    Args:
        service: the service to send it to.
        changes: other arguments of the call.
    """
    arguments = {**call_for(service.runs[0]), **changes}
    return request_of(arguments, service.credentials, endpoint_url=service.url)


def signed_as_given(
    service: LocalService, method: str, target: str, body: bytes, *extra: tuple[str, str], now: float = NOW
) -> Request:
    """Return any request, with a signature that is valid.

    Args:
        service: the service to send it to.
        method: the method.
        target: the path and query.
        body: the body.
        extra: more headers to sign.
        now: the time of the signature.
    """
    base: Headers = (("Host", urlsplit(service.url).netloc), ("Content-Type", "application/json"), *extra)
    headers = SigV4Signer().sign(
        method, target, base, body, credentials=service.credentials, scope=Scope(service.region, "nova-act"), now=now
    )
    length = ("Content-Length", str(len(body)))
    return signed(service)._replace(method=method, target=target, headers=(*headers, length), body=body)


def send(service: LocalService, request: Request) -> Answered:
    """Send exactly this request."""
    connection = http.client.HTTPConnection(urlsplit(service.url).netloc)
    connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
    for name, value in request.headers:
        connection.putheader(name, value)
    connection.endheaders(request.body)
    answer = connection.getresponse()
    body = json.loads(answer.read() or b"null")
    connection.close()
    return Answered(answer.status, {name.lower(): value for name, value in answer.getheaders()}, body)
