"""Makes calls whose responses are fixed, and no other process answers: `python bench/fixed_calls.py SCENARIO CALLS`.

What it does is the same each time, so that its instructions can be counted; see `bench.instructions`. It uses nothing
but the public interface, as it also runs with older versions of the library.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import sys
from typing import Any

KEYS = ("AKIAIOSFODNN7EXAMPLE", "s" * 40)
NAMES = {"workflow_definition_name": "checkout-flow"}
PAGE = {
    "sessionSummaries": [{"sessionId": f"{number:08d}-aaaa-bbbb-cccc-ddddeeeeffff"} for number in range(100)],
    "nextToken": "x" * 40,
}
RUN = {
    "workflowRunArn": "arn:aws:nova-act:us-east-1:123456789012:example/1",
    "workflowRunId": "01234567-89ab-4cde-8f01-23456789abcd",
    "status": "RUNNING",
    "startedAt": "2026-01-01T12:00:00.123Z",
    "modelId": "nova-act-v1.0",
}
STEP = {"calls": [{"callId": "a", "input": ["click"], "name": "agentClick"}], "stepId": RUN["workflowRunId"]}
SCREENSHOT = "data:image/png;base64," + "A" * 1_000_000


class Answering:
    """Answers the requests that this process sends, at once: what is sent is read at the other end, and answered there.

    Args:
        body: the body of each response.
    """

    def __init__(self, body: dict[str, Any]) -> None:
        text = json.dumps(body).encode()
        self._response = (
            b"HTTP/1.1 200 OK\r\nDate: Wed, 21 Oct 2026 07:28:00 GMT\r\nContent-Type: application/json\r\n"
            b"x-amzn-RequestId: 11111111-2222-3333-4444-555555555555\r\nContent-Length: %d\r\n\r\n%b"
            % (len(text), text)
        )
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self._peers: dict[Any, tuple[socket.socket, bytearray]] = {}
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        send = socket.socket.send

        def answered(one: socket.socket, data: Any, *flags: int) -> int:
            count = send(one, data, *flags)
            self._read(one.getsockname(), count)
            return count

        def all_answered(one: socket.socket, data: Any, *_: int) -> None:
            view = memoryview(data)
            while view:
                view = view[answered(one, view) :]

        socket.socket.send = answered  # type: ignore[method-assign, assignment]
        socket.socket.sendall = all_answered  # type: ignore[method-assign, assignment]
        self._send = send

    def _read(self, name: Any, count: int) -> None:
        while name not in self._peers:
            peer, address = self._listener.accept()
            self._peers[address] = (peer, bytearray())
        peer, received = self._peers[name]
        while count:
            part = peer.recv(count)
            received += part
            count -= len(part)
        head, end, body = received.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        if end and len(body) == (int(length[1]) if length else 0):
            received.clear()
            self._send(peer, self._response)


def options(answering: Answering) -> dict[str, Any]:
    """Return the options of a client that gets these answers."""
    from novaact_http import Credentials

    keys = Credentials(access_key_id=KEYS[0], secret_access_key=KEYS[1])
    return {"region": "us-east-1", "credentials": keys, "endpoint_url": answering.url}


def list_sessions(calls: int) -> None:
    """List a page of a hundred sessions."""
    from novaact_http import Client

    with Client(**options(Answering(PAGE))) as client:
        for number in range(calls):
            client.list_sessions(**NAMES, workflow_run_id=f"{number:012}", next_token=f"t{number}", max_results=100)


def list_sessions_by_50_tasks(calls: int) -> None:
    """List a page of a hundred sessions, 50 at a time."""
    from novaact_http import AsyncClient

    async def task(client: Any, number: int) -> None:
        for turn in range(calls // 50):
            run_id = f"{turn:06}{number:06}"
            await client.list_sessions(**NAMES, workflow_run_id=run_id, next_token=f"t{turn}", max_results=100)

    async def main() -> None:
        async with AsyncClient(**options(Answering(PAGE))) as client:
            await asyncio.gather(*(task(client, number) for number in range(50)))

    asyncio.run(main())


def get_workflow_run(calls: int) -> None:
    """Get a run, as a poller does."""
    from novaact_http import Client

    with Client(**options(Answering(RUN))) as client:
        for number in range(calls):
            client.get_workflow_run(**NAMES, workflow_run_id=f"{number:012}")


def invoke_act_step(calls: int) -> None:
    """Take a step with a result of 1 MB."""
    from novaact_http import Client
    from novaact_http.models import CallResult, CallResultContent

    results = [CallResult(call_id="a", content=[CallResultContent(text=SCREENSHOT)])]
    with Client(**options(Answering(STEP))) as client:
        for number in range(calls):
            client.invoke_act_step(
                **NAMES, workflow_run_id="r", session_id="s", act_id=f"{number}", call_results=results
            )


SCENARIOS = {
    each.__name__: each for each in (list_sessions, list_sessions_by_50_tasks, get_workflow_run, invoke_act_step)
}

if __name__ == "__main__":
    SCENARIOS[sys.argv[1]](int(sys.argv[2]))
