"""Transports that record exchanges, and that replay them."""

from __future__ import annotations

import math
import os
import threading
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

import httpx

from novaact_http._operations.service_errors import ERRORS
from novaact_http.errors import ServiceError
from novaact_http.models import ListSessionsResponse
from novaact_http.testing import _recordings
from novaact_http.testing._argument_checks import check, refuse
from novaact_http.testing._recordings import Message
from novaact_http.testing._scrubbing import Scrubber
from novaact_http.transports import LeanAsyncTransport, LeanTransport

if TYPE_CHECKING:
    from collections.abc import AsyncIterable

T = TypeVar("T", httpx.BaseTransport, httpx.AsyncBaseTransport)

_PROVENANCE = (
    "Recorded by novaact_http.testing.Recorder. Names, ids and tokens were made up. "
    "Not known to be harmless: {headers} headers, which were left out, and {words} words, which were replaced by x.\n"
)
_REPLAYED = (
    "the folder of a recording, or a list of pages, errors and httpx.Response, such as [make_error(...), make_page(3)]"
)


class Replay(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport for either client that gives prepared answers in order, whatever the requests are; see `replay`.

    Attributes:
        requests: all requests so far, as `httpx.Request`, with their bodies in `.content`.
        remaining: the number of answers that are left.
    """

    def __init__(self, answers: Iterable[ListSessionsResponse | httpx.Response | Exception]) -> None:
        if not isinstance(answers, Iterable):
            refuse("the argument of replay()", answers, _REPLAYED)
        self._answers = deque([_to_answer(each) for each in answers])
        self._count = len(self._answers)
        self._lock = threading.Lock()
        self.requests: list[httpx.Request] = []

    @property
    def remaining(self) -> int:
        return len(self._answers)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the next answer, or raise it if it is an exception.

        Raises:
            AssertionError: no answer is left.
        """
        with self._lock:
            self.requests.append(request)
            if not self._answers:
                raise AssertionError(
                    f"no answer is left for {request}: replay() was given {self._count}, so give it one more"
                )
            answer = self._answers.popleft()
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See `handle_request`."""
        return self.handle_request(request)


def replay(
    case: str | os.PathLike[str] | Iterable[ListSessionsResponse | ServiceError | httpx.Response | Exception],
) -> Replay:
    """Return a transport for either client that gives recorded or prepared answers in order.

        transport = replay([make_error("ThrottlingException"), make_page(3)])
        client = Client(region="us-east-1", credentials=keys, transport=transport)

    Args:
        case: the folder of a recording, as `Recorder` writes it; or the answers: pages, errors of the service, httpx's
            responses, and exceptions that are raised instead of an answer, such as `httpx.ConnectError("refused")`.

    Raises:
        ValueError: the folder has no recording, or an answer is not one of these.
    """
    if not isinstance(case, (str, os.PathLike)):
        return Replay(case)
    recorded = _recordings.read(Path(case))
    if not recorded:
        raise ValueError(f"{case} has no recording: give a folder with a file 1.request.http, as Recorder writes it")
    return Replay([_to_httpx(response) for _, response in recorded])


def _to_answer(answer: ListSessionsResponse | httpx.Response | Exception) -> httpx.Response | Exception:
    if isinstance(answer, ListSessionsResponse):
        page: dict[str, object] = {
            "sessionSummaries": [{"sessionId": each.session_id} for each in answer.session_summaries]
        }
        if answer.next_token is not None:
            page["nextToken"] = answer.next_token
        return httpx.Response(200, headers=_headers(answer.metadata.request_id), json=page)
    if isinstance(answer, ServiceError):
        return _to_error_response(answer)
    if not isinstance(answer, (httpx.Response, Exception)):
        refuse("the argument of replay()", answer, _REPLAYED)
    return answer


def _to_error_response(error: ServiceError) -> httpx.Response:
    body: dict[str, object] = {"message": error.message}
    shape = ERRORS.get(error.code)
    for member in shape.members if shape else ():
        value = getattr(error, member.name)
        if member.name == "field_list":
            body[member.wire_name] = [{"name": each.name, "message": each.message} for each in value]
        elif value is not None:
            body[member.wire_name] = value
    headers = {**_headers(error.request_id), "x-amzn-ErrorType": error.code, **error.headers}
    seconds = getattr(error, "retry_after_seconds", None)
    if seconds is None:
        seconds = error.retry_after
    if seconds is not None:
        headers.setdefault("Retry-After", str(math.ceil(seconds)))
    return httpx.Response(error.status_code, headers=headers, json=body)


def _headers(request_id: str | None) -> dict[str, str]:
    return {} if request_id is None else {"x-amzn-RequestId": request_id}


class Recorder(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport that writes all exchanges to a folder, for `replay`. It serves either kind of client, but not both.

    Only what is known to be harmless is written: the service's paths, headers and members, and the usual words of its
    messages. Names, ids and tokens are made up, the same one always as the same other one. Other headers are left out,
    other words become `x`, and large numbers 0; the file `provenance` says how many headers and words that were. The
    files are written as soon as an exchange ends. An earlier recording in the folder is replaced.

    Args:
        folder: the folder to write to; made if it does not exist.
        transport: the transport that sends the requests; by default the library's own, `LeanTransport` or
            `LeanAsyncTransport`.

    Raises:
        ValueError: `transport` is not a transport; or, at the first request, it is not of the client's kind.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        transport: httpx.BaseTransport | httpx.AsyncBaseTransport | None = None,
    ) -> None:
        is_transport = isinstance(transport, (httpx.BaseTransport, httpx.AsyncBaseTransport, type(None)))
        check("transport", transport, "an httpx.BaseTransport or an httpx.AsyncBaseTransport", valid=is_transport)
        self._folder = Path(folder)
        self._transport = transport
        self._default: LeanTransport | LeanAsyncTransport | None = None
        self._scrubber = Scrubber()
        self._count = 0
        self._lock = threading.Lock()
        _recordings.begin(self._folder, _PROVENANCE.format_map(self._scrubber.left_out))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and write it to the folder with its response."""
        transport = self._sender(httpx.BaseTransport, LeanTransport)
        response = transport.handle_request(request)
        try:
            body = b"".join(cast("Iterable[bytes]", response.stream))
        finally:
            response.close()
        return self._record(request, response, body)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See `handle_request`."""
        transport = self._sender(httpx.AsyncBaseTransport, LeanAsyncTransport)
        response = await transport.handle_async_request(request)
        try:
            body = b"".join([part async for part in cast("AsyncIterable[bytes]", response.stream)])
        finally:
            await response.aclose()
        return self._record(request, response, body)

    def _sender(self, required: type[T], default: type[LeanTransport | LeanAsyncTransport]) -> T:
        with self._lock:
            if self._transport is None:
                self._transport = self._default = default()
            transport = self._transport
        if not isinstance(transport, required):
            refuse("a Recorder's transport", type(transport), f"an httpx.{required.__name__} for this client")
        return transport

    def _record(self, request: httpx.Request, response: httpx.Response, body: bytes) -> httpx.Response:
        sent = Message(
            f"{request.method} {request.url.raw_path.decode('ascii')} HTTP/1.1",
            _header_pairs(request.headers),
            request.content,
        )
        headers = _header_pairs(response.headers)
        received = Message.response(response.status_code, headers, body)
        with self._lock:
            self._count += 1
            _recordings.add(self._folder, self._count, *self._scrubber.scrub(sent, received))
            _recordings.say(self._folder, _PROVENANCE.format_map(self._scrubber.left_out))
        return httpx.Response(response.status_code, headers=headers, stream=httpx.ByteStream(body))

    def close(self) -> None:
        """Close the transport, unless it was passed to `Recorder`."""
        if isinstance(self._default, LeanTransport):
            self._default.close()

    async def aclose(self) -> None:
        """See `close`."""
        if isinstance(self._default, LeanAsyncTransport):
            await self._default.aclose()


def _to_httpx(response: Message) -> httpx.Response:
    return httpx.Response(response.status, headers=response.headers, stream=httpx.ByteStream(response.body))


def _header_pairs(headers: httpx.Headers) -> tuple[tuple[str, str], ...]:
    return tuple([(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers.raw])
