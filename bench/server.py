"""The server for the benchmarks: prepared pages of sessions over TLS and plain HTTP, in its own process.

It must be so fast that no client waits for it, so it answers a few kinds of requests and checks nothing:

- for POST, a page of one session if `maxResults=1`, otherwise a page of a hundred;
- for the workflow definition `LISTING`, a page of a listing of `PAGES` pages of runs after `DELAY` seconds, like a
  distant server;
- for GET, a workflow run; for PUT, a session that was created, or a step that was taken;
- for GET of `/`, the CPU time that it has used, and the number of its requests.

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
PAGES = 10
DELAY = 0.03

_LISTING_PATH = f"/workflow-definitions/{LISTING}/".encode()
_TOKEN = b"nextToken=page-"
_LENGTH = b"\r\ncontent-length:"


def run(number: int) -> dict[str, object]:
    """Return a workflow run."""
    run_id = str(uuid.uuid4())
    arn = f"arn:aws:nova-act:us-east-1:111122223333:workflow-definition/{LISTING}/workflow-run/{run_id}"
    times = {
        "startedAt": f"2026-01-01T00:{number % 60:02}:00.250Z",
        "endedAt": f"2026-01-01T01:{number % 60:02}:00.500Z",
    }
    return {"workflowRunArn": arn, "workflowRunId": run_id, "status": "SUCCEEDED", "modelId": "nova-act-v1.0", **times}


def page_of_sessions(sessions: int) -> dict[str, object]:
    """Return a page of sessions that is not the last."""
    summaries = [{"sessionId": str(uuid.uuid4())} for _ in range(sessions)]
    return {"sessionSummaries": summaries, "nextToken": "AQICAHi" + "x" * 57}


def page_of_runs(number: int) -> dict[str, object]:
    """Return a page of the listing."""
    token = {"nextToken": f"page-{number}"} if number < PAGES else {}
    return {"workflowRunSummaries": [run(each) for each in range(100)], **token}


def prepared_response(document: dict[str, object], status: str = "200 OK") -> bytes:
    """Return a whole response."""
    body = json.dumps(document, separators=(",", ":")).encode()
    head = (
        f"HTTP/1.1 {status}\r\n"
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
        self.one, self.hundred = (prepared_response(page_of_sessions(number)) for number in (1, 100))
        self.listing = [prepared_response(page_of_runs(number + 1)) for number in range(PAGES)]
        self.run = prepared_response(run(0))
        self.created = prepared_response({"sessionId": str(uuid.uuid4())}, "201 Created")
        self.step = prepared_response({"stepId": str(uuid.uuid4()), "calls": []})
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
        if request_line.startswith(b"GET / "):
            self._transport.write(service.statistics())
            self._transport.close()
            return
        service.requests += 1
        if _LISTING_PATH in request_line:
            at = request_line.find(_TOKEN)
            page = 0 if at < 0 else int(request_line[at + len(_TOKEN) :].replace(b"&", b" ").split()[0])
            asyncio.get_running_loop().call_later(DELAY, self._transport.write, service.listing[page])
        elif request_line.startswith(b"GET"):
            self._transport.write(service.run)
        elif request_line.startswith(b"PUT"):
            self._transport.write(service.step if b"/invoke-step/" in request_line else service.created)
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
