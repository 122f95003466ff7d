"""`LocalService`: an HTTP/1.1 server on 127.0.0.1 that behaves as Nova Act does for ListSessions."""

from __future__ import annotations

import base64
import contextlib
import random
import re
import socket
import socketserver
import sys
import threading
import time
from collections import deque
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

from novaact_http.config import Credentials
from novaact_http.testing import _behaviour
from novaact_http.testing._authorization import Gate
from novaact_http.testing._messages import Answer, ReceivedRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from typing_extensions import Self

    from novaact_http.testing._behaviour import WorkflowRun

_ADDRESS = "127.0.0.1"
_LONGEST_LINE = 65_536
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t\x20-\x7e\x80-\xff]*")
_LENGTH = re.compile(r"[0-9]{1,9}")
_POLL = 0.02  # seconds until a running server notices that it is to stop


class LocalService:
    """Nova Act's ListSessions on this machine. A context manager; or call `start()` and `close()`.

    Args:
        port: to listen on; any free one by default.
        seed: of all that is made up: credentials, runs, sessions, tokens, request ids. The same seed gives the same.
        region: the one region that signatures must be for.
        credentials: the only ones that are let in; made up by default.
        clock: seconds since the epoch. Signatures may be 5 minutes off it.

    Attributes:
        url: to pass as `endpoint_url`; known once the service has started.
        requests: all that came, in order of arrival, whether let in or not.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        seed: int = 0,
        region: str = "us-east-1",
        credentials: Credentials | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.region = region
        self.credentials = credentials or _make_up_credentials(seed)
        self._gate = Gate(credentials=self.credentials, region=region)
        self.requests: list[ReceivedRequest] = []
        self._nova_act = _behaviour.NovaAct(seed)
        self._clock = clock
        self._scripted: deque[Answer] = deque()
        self._lock = threading.Lock()
        self._port = port
        self._server: _Server | None = None

    @property
    def url(self) -> str:
        if self._server is None:
            raise RuntimeError("the local service is not running: use it in a `with` block, or call start()")
        return f"http://{_ADDRESS}:{self._server.server_address[1]}"

    @property
    def environ(self) -> dict[str, str]:
        """The environment variables that make boto3, the AWS CLI and this library's clients talk to this service."""
        variables = {
            "AWS_ENDPOINT_URL_NOVA_ACT": self.url,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ACCESS_KEY_ID": self.credentials.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.credentials.secret_access_key,
        }
        if self.credentials.session_token:
            variables["AWS_SESSION_TOKEN"] = self.credentials.session_token
        return variables

    @property
    def runs(self) -> tuple[WorkflowRun, ...]:
        """All workflow runs. The first has more than ten sessions; there are some with one and with none."""
        return tuple(self._nova_act.runs.values())

    def add_run(self, workflow_definition_name: str, *, sessions: int) -> WorkflowRun:
        """Add a workflow run with so many sessions, and its definition if there is none.

        Raises:
            ValueError: the service model allows no such name.
        """
        with self._lock:
            return self._nova_act.add_run(workflow_definition_name, sessions)

    def fail_next(
        self, code: str, message: str = "Asked for by the test.", *, times: int = 1, **members: object
    ) -> None:
        """Answer the next requests that are signed rightly with a modelled error.

        Args:
            code: such as `"ThrottlingException"`; the status is the service model's.
            message: the service's words.
            times: how many requests.
            members: the error's own, by their names on the exception, such as `retry_after_seconds=2`.

        Raises:
            ValueError: the code is not in the service model; `answer_next` sends anything.
            TypeError: the error has no such member.
        """
        self._scripted.extend([_behaviour.modelled(code, message, **members)] * times)

    def answer_next(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        """Answer the next request that is signed rightly with exactly this, as a gateway might.

        Date, x-amzn-RequestId and Content-Length are added where they are not given.

        Raises:
            ValueError: a header cannot be sent.
        """
        for name, value in (headers or {}).items():
            if not _HEADER.fullmatch(f"{name}: {value}"):
                raise ValueError(f"{name!r}: {value!r} is not a header that can be sent")
        self._scripted.append(Answer(status=status, headers=dict(headers or {}), body=body))

    def start(self) -> Self:
        """Start listening. Returns at once, ready for requests."""
        if self._server is None:
            self._server = _Server((_ADDRESS, self._port), self._answer)
            self._server.start()
        return self

    def close(self) -> None:
        """Stop listening, and close all connections. Closing again does nothing."""
        server, self._server = self._server, None
        if server is not None:
            server.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _answer(self, request: ReceivedRequest) -> bytes:
        now = self._clock()
        with self._lock:
            self.requests.append(request)
            request_id = self._nova_act.new_request_id()
        answer = self._gate.refusal(request, now)
        if answer is None:
            with self._lock:
                answer = (
                    self._scripted.popleft()
                    if self._scripted
                    else self._nova_act.answer(request.method, request.target, request.body)
                )
        return _to_wire(
            answer,
            {
                "Date": formatdate(now, usegmt=True),
                "x-amzn-RequestId": request_id,
                "Content-Length": str(len(answer.body)),
            },
        )


def _make_up_credentials(seed: int) -> Credentials:
    chance = random.Random(f"credentials {seed}")  # noqa: S311 - made up, and the same for the same seed
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    return Credentials(
        access_key_id="AKIA" + "".join(chance.choices(letters, k=16)),
        secret_access_key=base64.b64encode(chance.randbytes(30)).decode(),
    )


def _to_wire(answer: Answer, headers: Mapping[str, str]) -> bytes:
    try:
        phrase = HTTPStatus(answer.status).phrase
    except ValueError:
        phrase = ""
    given = {name.lower() for name in answer.headers}
    added = {name: value for name, value in headers.items() if name.lower() not in given}
    every = {**added, **answer.headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in every.items())
    return f"HTTP/1.1 {answer.status} {phrase}\r\n{head}\r\n".encode("latin-1") + answer.body


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    request_queue_size = 1024  # with the default of 5, a burst of connections waits for seconds

    def __init__(self, address: tuple[str, int], answer: Callable[[ReceivedRequest], bytes]) -> None:
        self.answer = answer
        self._connections: dict[threading.Thread, socket.socket] = {}
        super().__init__(address, _Handler)

    def start(self) -> None:
        self._thread = threading.Thread(target=self.serve_forever, args=(_POLL,), name="novaact-local", daemon=True)
        self._thread.start()

    def process_request(self, request: Any, client_address: Any) -> None:
        # A thread a connection, as ThreadingMixIn does, but known here, so that `close` can end and join it.
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        self._connections[thread] = request
        thread.start()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        super().process_request_thread(request, client_address)
        self._connections.pop(threading.current_thread(), None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):  # clients come and go
            super().handle_error(request, client_address)

    def close(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()
        for thread, connection in list(self._connections.items()):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def handle_one_request(self) -> None:
        # Not the standard one, which knows only the methods it has a function for.
        self.raw_requestline = self.rfile.readline(_LONGEST_LINE + 1)
        if len(self.raw_requestline) > _LONGEST_LINE:
            self.requestline, self.request_version, self.command = "", "", ""
            self.send_error(HTTPStatus.REQUEST_URI_TOO_LONG)
        if not 0 < len(self.raw_requestline) <= _LONGEST_LINE or not self.parse_request():
            self.close_connection = True
            return
        words = self.raw_requestline.split(b" ")
        lengths = self.headers.get_all("Content-Length", ["0"])
        if len(words) != 3 or not _LENGTH.fullmatch(",".join(lengths)) or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            self.send_error(HTTPStatus.BAD_REQUEST)
            return
        length = int(lengths[0])
        body = self.rfile.read(length)
        if len(body) < length:  # the client hung up
            self.close_connection = True
            return
        request = ReceivedRequest(
            method=self.command,
            # Not `self.path`, in which leading slashes have been made one.
            target=words[1].decode("latin-1"),
            headers=tuple(self.headers.items()),
            body=body,
        )
        self.wfile.write(self.server.answer(request))

    def log_message(self, *_: object) -> None:
        """Say nothing: standard error belongs to the tests."""
