"""boto3 as the oracle: what it sends, what it reads from a response, and how it retries."""

from __future__ import annotations

import datetime as dt
import functools
from typing import TYPE_CHECKING, Any
from unittest import mock

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.retries.standard import ExponentialBackoff
from urllib3 import HTTPHeaderDict

from novaact_http._operations.sessions import LIST_SESSIONS
from tests.helpers.answers import page
from tests.helpers.calls import CALL, KEYS, NOW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from novaact_http import Credentials
    from novaact_http._call.http_messages import Response
    from novaact_http.testing import LocalService


@functools.cache
def boto3_session() -> boto3.Session:
    return boto3.Session()


def boto3_client(
    *,
    endpoint_url: str | None = None,
    region: str = "us-east-1",
    credentials: Credentials = KEYS,
    max_attempts: int = 1,
    config: Config | None = None,
) -> Any:
    """Return a boto3 client. All share one session, as a session takes long to make."""
    return boto3_session().client(
        "nova-act",
        region_name=region,
        endpoint_url=endpoint_url,
        aws_access_key_id=credentials.access_key_id,
        aws_secret_access_key=credentials.secret_access_key,
        aws_session_token=credentials.session_token,
        config=Config(retries={"total_max_attempts": max_attempts, "mode": "standard"}).merge(config or Config()),
    )


def boto3_for(service: LocalService) -> Any:
    return boto3_client(endpoint_url=service.url, region=service.region, credentials=service.credentials)


BOTO3_NAMES = {each.name: each.wire_name for each in LIST_SESSIONS.inputs}


def boto3_arguments(arguments: Mapping[str, object]) -> dict[str, object]:
    """Return our arguments under boto3's names; None means not given."""
    # In our order, as boto3 writes the query in the order of its arguments.
    return {theirs: arguments[ours] for ours, theirs in BOTO3_NAMES.items() if arguments.get(ours) is not None}


class Boto3Wire:
    """A boto3 client that sends nothing. It remembers its requests, and gets the responses that tests choose."""

    def __init__(self, **options: Any) -> None:
        self.client = boto3_client(**options)
        self._sent: list[Any] = []
        self._answer = page()
        self.client.meta.events.register("before-send.nova-act.*", self._send)

    def _send(self, request: Any, **_: object) -> AWSResponse:
        self._sent.append(request)
        return self.response(request.url, self._answer)

    @staticmethod
    def response(url: str, answer: Response) -> AWSResponse:
        """Return a response of botocore's type."""
        return AWSResponse(url, answer.status, HTTPHeaderDict(answer.headers), _RawBody(answer.body))

    def request(self, method: str, arguments: Mapping[str, object]) -> Any:
        """Return what a method of boto3 would send at `NOW`, with its own arguments. See `request_of`."""
        now = dt.datetime.fromtimestamp(NOW, dt.timezone.utc).replace(tzinfo=None)
        with mock.patch("botocore.auth.get_current_datetime", return_value=now):
            self.result(method, arguments, page())
        return self._sent.pop()

    def result(self, method: str, arguments: Mapping[str, object], answer: Response) -> Any:
        """Return what a method of boto3 returns for a response, or the exception that it raises."""
        self._answer = answer
        try:
            return getattr(self.client, method)(**arguments)
        except Exception as error:  # noqa: BLE001 - any exception is a result
            return error

    def request_of(self, arguments: Mapping[str, object]) -> Any:
        """Return what boto3 would send at `NOW`: an object with method, url, headers and body."""
        return self.request("list_sessions", boto3_arguments(arguments))

    def result_of(self, answer: Response) -> Any:
        """Return boto3's result for a response: the parsed page, or the exception."""
        return self.result("list_sessions", boto3_arguments(CALL), answer)


class RetryingBoto3:
    """A boto3 client that retries, without sending or really sleeping. Its jitter is always a half.

    Attributes:
        client: the client of boto3.
    """

    def __init__(
        self,
        config: Config,
        *,
        on_request: Callable[[], object] = lambda: None,
        on_wait: Callable[[float], object] = lambda _: None,
    ) -> None:
        """Make a client.

        Args:
            config: the mode of retries, and the number of attempts.
            on_request: called when a request would be sent.
            on_wait: called with the seconds of each wait between attempts.
        """
        half = functools.partial(ExponentialBackoff, random=lambda: 0.5)
        with mock.patch("botocore.retries.standard.ExponentialBackoff", half):
            self.client = boto3_client(config=config)
        self.client._endpoint.http_session = self  # and no hook before sending, as botocore's rate limiter is one
        self._on_request, self._on_wait = on_request, on_wait
        self._answers: Iterator[Response | BotoCoreError] = iter(())

    def send(self, request: Any) -> AWSResponse:
        """Answer a request, as botocore's session of HTTP does."""
        self._on_request()
        answer = next(self._answers, page())
        if isinstance(answer, BotoCoreError):
            raise answer
        return Boto3Wire.response(request.url, answer)

    def call(self, answers: Iterable[Response | BotoCoreError]) -> bool:
        """Make a call, and return whether it succeeded.

        Args:
            answers: the response to each request; an error is raised instead. After the last, every response is an
                empty page.
        """
        self._answers = iter(answers)
        with mock.patch("time.sleep", self._on_wait):
            try:
                self.client.list_sessions(**boto3_arguments(CALL))
            except (BotoCoreError, ClientError):
                return False
        return True


class _RawBody:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self._body
