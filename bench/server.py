"""The server for the benchmarks: prepared pages of sessions over TLS and plain HTTP, in its own process.

It must be so fast that no client waits for it, so it answers a few kinds of requests and checks nothing:

- a page of one session for `maxResults=1`, otherwise a page of a hundred;
- for the workflow definition `LISTING`, a page of a listing of `PAGES` pages after `DELAY` seconds, like a distant
  server;
- for GET, the CPU time that it has used, and the number of its requests.

It prints its two ports as JSON, and ends at the end of its standard input.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import threading
import time
import uuid
from email.utils import formatdate
from pathlib import Path
from typing import Any

from bench.measure import allow_many_files

LISTING = "listing"
PAGES = 20
DELAY = 0.03

_LISTING_PATH = f"/workflow-definitions/{LISTING}/".encode()
_TOKEN = b"nextToken=page-"
_LENGTH = b"\r\ncontent-length:"


def prepared_response(sessions: int, next_token: str | None) -> bytes:
    """Return a whole response with this number of sessions."""
    page: dict[str, object] = {"sessionSummaries": [{"sessionId": str(uuid.uuid4())} for _ in range(sessions)]}
    if next_token is not None:
        page["nextToken"] = next_token
    body = json.dumps(page, separators=(",", ":")).encode()
    head = (
        "HTTP/1.1 200 OK\r\n"
        f"Date: {formatdate(usegmt=True)}\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Connection: keep-alive\r\n"
        f"x-amzn-RequestId: {uuid.uuid4()}\r\n\r\n"
    )
    return head.encode() + body


class Service:
    """The prepared responses, and the number of requests so far."""

    def __init__(self) -> None:
        token = "AQICAHi" + "x" * 57
        self.one, self.hundred = prepared_response(1, token), prepared_response(100, token)
        self.listing = [prepared_response(100, f"page-{number + 1}") for number in range(1, PAGES)] + [
            prepared_response(100, None)
        ]
        self.requests = 0

    def statistics(self) -> bytes:
        """Return the response with the CPU time and the requests so far."""
        body = json.dumps({"cpu": time.process_time(), "requests": self.requests}).encode()
        return b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


class Connection(asyncio.Protocol):
    """One client's connection."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._unread = b""

    def connection_made(self, transport: Any) -> None:
        """Keep the transport."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each request that is complete."""
        unread = self._unread + data
        while (head := unread.find(b"\r\n\r\n")) >= 0:
            at = unread.lower().find(_LENGTH, 0, head)
            length = 0 if at < 0 else int(unread[at + len(_LENGTH) : unread.find(b"\r\n", at + 2)])
            if len(unread) < head + 4 + length:
                break
            self._answer(unread[: unread.find(b"\r\n")])
            unread = unread[head + 4 + length :]
        self._unread = unread

    def _answer(self, request_line: bytes) -> None:
        service = self._service
        if request_line.startswith(b"GET"):
            self._transport.write(service.statistics())
            self._transport.close()
            return
        service.requests += 1
        if _LISTING_PATH in request_line:
            at = request_line.find(_TOKEN)
            page = 1 if at < 0 else int(request_line[at + len(_TOKEN) :].replace(b"&", b" ").split()[0])
            asyncio.get_running_loop().call_later(DELAY, self._transport.write, service.listing[page - 1])
        elif b"maxResults=1 " in request_line or b"maxResults=1&" in request_line:
            self._transport.write(service.one)
        else:
            self._transport.write(service.hundred)


async def serve(certificate: Path) -> None:
    """Listen until the end of standard input."""
    loop, service = asyncio.get_running_loop(), Service()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    listening = [
        await loop.create_server(lambda: Connection(service), "127.0.0.1", 0, backlog=2048, ssl=context)
        for context in (tls, None)
    ]
    print(json.dumps([each.sockets[0].getsockname()[1] for each in listening]), flush=True)
    ended = asyncio.Event()

    def wait() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=wait, daemon=True).start()
    await ended.wait()


def main() -> None:
    """Serve with the certificate and key in the file given, on uvloop if it is installed."""
    allow_many_files()
    try:
        import uvloop
    except ImportError:
        loop = asyncio.new_event_loop()
    else:
        loop = uvloop.new_event_loop()
    loop.run_until_complete(serve(Path(sys.argv[1])))


if __name__ == "__main__":
    main()
