"""`replay`: a transport that gives recorded or prepared answers."""

from __future__ import annotations

import math
import os
import threading
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl

from novaact_http._needed_packages import needed
from novaact_http._operations.service_errors import ERRORS
from novaact_http.errors import ServiceError
from novaact_http.testing import _recordings
from novaact_http.testing._argument_checks import check, refuse
from novaact_http.testing._expectations import expect
from novaact_http.testing._outputs_and_errors import operation_of, to_json
from novaact_http.testing._routes import find_route

with needed("httpx", by="replay"):
    import httpx

if TYPE_CHECKING:
    from novaact_http._operations.shapes import Output
    from novaact_http.testing._recordings import Message

_REPLAYED = (
    "the folder of a recording, or a list of outputs, errors and httpx.Response, such as "
    "[make_error(...), make_page(3)]"
)
_SIZE = "maxResults"  # how many items a page has is no part of what is asked for


class _Answer(NamedTuple):
    """An answer to a request.

    Attributes:
        answer: the response, or what is raised instead.
        to: what it answers, for messages; None if it fits any request.
        operation: the name of the only operation that it fits; None if it fits any, or the request is recorded.
        recorded: the method and the target of the recorded request; None if there is none.
    """

    answer: httpx.Response | Exception
    to: str | None = None
    operation: str | None = None
    recorded: tuple[str, str] | None = None


class Replay(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport for either client that gives prepared answers in order; see `replay`.

    Attributes:
        requests: all requests so far, as `httpx.Request`, with their bodies in `.content`.
        remaining: the number of answers that are left.
    """

    def __init__(self, answers: Iterable[Output | httpx.Response | Exception], *, allow_unused: bool = False) -> None:
        if not isinstance(answers, Iterable):
            refuse("the argument of replay()", answers, _REPLAYED)
        check("allow_unused", allow_unused, "True or False", valid=isinstance(allow_unused, bool))
        self._answers = deque([_to_answer(each) for each in answers])
        self._count = len(self._answers)
        self._allow_unused = allow_unused
        self._lock = threading.Lock()
        self._names = _Names()
        self.requests: list[httpx.Request] = []
        expect(self)

    @property
    def remaining(self) -> int:
        return len(self._answers)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the next answer, or raise it if it is an exception.

        Raises:
            AssertionError: no answer is left, or the next one is for another request.
        """
        with self._lock:
            self.requests.append(request)
            if not self._answers:
                raise AssertionError(
                    f"no answer is left for {request}: replay() was given {self._count}, so give it one more"
                )
            next_answer = self._answers[0]
            if not self._fits(next_answer, request):
                target = request.url.raw_path.decode("ascii")
                raise AssertionError(
                    f"the next answer is {next_answer.to}, but the request is {request.method} {target}: "
                    "replay() answers the requests for which it has answers, in their order"
                )
            self._answers.popleft()
        if isinstance(next_answer.answer, Exception):
            raise next_answer.answer
        return next_answer.answer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See `handle_request`."""
        return self.handle_request(request)

    def assert_all_used(self) -> None:
        """Check that no answer is left, unless `allow_unused` was given. pytest does it at the end of each test.

        Raises:
            AssertionError: answers are left.
        """
        if self._answers and not self._allow_unused:
            raise AssertionError(
                f"{self.remaining} of {self._count} answers of replay() were not used; "
                "if that is meant, pass allow_unused=True"
            )

    def _fits(self, answer: _Answer, request: httpx.Request) -> bool:
        target = request.url.raw_path.decode("ascii")
        if answer.recorded is not None:
            return self._names.are_the_same(answer.recorded, (request.method, target))
        if answer.operation is None:
            return True
        route = find_route(request.method, target.partition("?")[0])
        return route is not None and route.operation.name == answer.operation


class _Names:
    """The names, ids and tokens of recorded requests, each with the one in the requests that are answered.

    A recording has made-up ones. Each always stands for the same real one.
    """

    def __init__(self) -> None:
        self._pairs: set[tuple[str, str]] = set()

    def are_the_same(self, recorded: tuple[str, str], sent: tuple[str, str]) -> bool:
        """Tell whether two requests, by method and target, ask for the same but for names."""
        (kind, names), (sent_kind, sent_names) = _question(*recorded), _question(*sent)
        if kind != sent_kind or names.keys() != sent_names.keys():
            return False
        pairs = {(name, sent_names[key]) for key, name in names.items()} | self._pairs
        if any(len(pairs) > len(set(each)) for each in zip(*pairs, strict=True)):
            return False
        self._pairs = pairs
        return True


def _question(method: str, target: str) -> tuple[str, dict[str, str]]:
    """Return what kind of request it is, and the names, ids and tokens in it."""
    path, _, query = target.partition("?")
    route = find_route(method, path)
    if route is None:
        return method, {}
    names = {name: value for name, value in parse_qsl(query, keep_blank_values=True) if name != _SIZE}
    return route.operation.name, {**route.labels, **names}


def replay(
    case: str | os.PathLike[str] | Iterable[Output | ServiceError | httpx.Response | Exception],
    *,
    allow_unused: bool = False,
) -> Replay:
    """Return a transport for either client that gives recorded or prepared answers in order.

        transport = replay([make_error("ThrottlingException"), make_page(3)])
        client = Client(region="us-east-1", credentials=keys, transport=transport)

    A recorded answer is given only to the recorded request, in which names, ids and tokens may be others, but each
    always the same; an output only to a request for its operation. Anything else is an AssertionError. At the end of a
    test, pytest fails it if answers are left; elsewhere, call `assert_all_used`.

    Args:
        case: the folder of a recording, as `Recorder` writes it; or the answers: outputs as of `make_page` and
            `make_output`, errors of the service, httpx's responses, and exceptions that are raised instead of an
            answer, such as `httpx.ConnectError("refused")`.
        allow_unused: whether answers may be left at the end of a test.

    Raises:
        ValueError: the folder has no recording, or an answer is not one of these.
    """
    if not isinstance(case, (str, os.PathLike)):
        return Replay(case, allow_unused=allow_unused)
    recorded = _recordings.read(Path(case))
    if not recorded:
        raise ValueError(f"{case} has no recording: give a folder with a file 1.request.http, as Recorder writes it")
    return Replay([_RecordedResponse(*each) for each in recorded], allow_unused=allow_unused)


class _RecordedResponse(httpx.Response):
    """A recorded response, with the method and the target of its request."""

    def __init__(self, request: Message, response: Message) -> None:
        super().__init__(response.status, headers=response.headers, stream=httpx.ByteStream(response.body))
        method, target, _ = request.start.split(" ")
        self.recorded = method, target


def _to_answer(answer: Output | httpx.Response | Exception) -> _Answer:
    if isinstance(answer, _RecordedResponse):
        return _Answer(answer, to=f"recorded for {' '.join(answer.recorded)}", recorded=answer.recorded)
    if isinstance(answer, ServiceError):
        return _Answer(_to_error_response(answer))
    if isinstance(answer, (httpx.Response, Exception)):
        return _Answer(answer)
    operation = operation_of(answer)
    if operation is None:
        refuse("the argument of replay()", answer, _REPLAYED)
    response = httpx.Response(200, headers=_headers(answer.metadata.request_id), json=to_json(operation.output, answer))
    return _Answer(response, to=f"a {type(answer).__name__}", operation=operation.name)


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
