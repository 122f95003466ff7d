"""A profile that asks for the code of an MFA device, on a real pseudo-terminal."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import textwrap
import time
from typing import TYPE_CHECKING

import pytest

from tests.helpers.servers import Server, always

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from typing_extensions import Self

if sys.platform == "win32":
    pytest.skip("Windows has no pseudo-terminals", allow_module_level=True)

import pty
import termios

CONFIG = """
[profile role]
role_arn = arn:aws:iam::123456789012:role/lister
mfa_serial = arn:aws:iam::123456789012:mfa/somebody
source_profile = keys
[profile keys]
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
"""
# The child of `pty.fork` runs another program at once, so it does not matter which threads there are.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
PATIENCE = 60  # seconds until a test that hangs fails
PRELUDE = """
    import asyncio, contextlib, signal, sys, threading
    import botocore.credentials, botocore.session, boto3, concurrent.futures
    from novaact_http import AsyncClient, Client, NovaActError, RetryPolicy

    options = dict(region="us-east-1", endpoint_url="http://127.0.0.1:9", retries=RetryPolicy(mode="off"))
    call = dict(workflow_definition_name="a", workflow_run_id="01234567-89ab-4cde-8f01-23456789abcd")

    def go_on(what):
        print("ended by", what, flush=True)
        print("read", input(), flush=True)

    async def listed(client):
        async with client:
            return await client.list_sessions(**call)
"""
ROLE = (
    "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAIOSFODNN7EXAMPLE</AccessKeyId>"
    "<SecretAccessKey>wJalrXUtnFEMI</SecretAccessKey><SessionToken>token</SessionToken>"
    "<Expiration>2100-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
)


class Terminal:
    """A program on a terminal of its own, and what one sees and types there."""

    def __init__(self, code: str, environ: dict[str, str]) -> None:
        self.seen = ""
        self.pid, self._master = pty.fork()
        if self.pid == 0:  # pragma: no cover - another process
            os.execve(sys.executable, [sys.executable, "-c", code], environ)
        self._status: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._master)

    def until(self, text: str) -> None:
        """Wait until a text is shown."""
        ends = time.monotonic() + PATIENCE
        while text not in self.seen:
            assert select.select([self._master], [], [], max(0.0, ends - time.monotonic()))[0], self.seen
            try:
                part = os.read(self._master, 4096)
            except OSError:  # on Linux, the program has ended
                part = b""
            assert part, f"the program has ended: {self.seen}"
            self.seen += part.decode()

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    @property
    def echoes(self) -> bool:
        return bool(termios.tcgetattr(self._master)[3] & termios.ECHO)

    def end(self) -> int:
        """Wait for the program, and return its exit code."""
        with contextlib.suppress(OSError):
            while part := os.read(self._master, 4096):
                self.seen += part.decode()
        self._status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self._status


@pytest.fixture
def sts() -> Iterator[Server]:
    """The service that takes the code."""
    with Server(always(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(ROLE), ROLE.encode()))) as server:
        yield server


@pytest.fixture
def run(tmp_path: Path, sts: Server) -> Callable[[str], Terminal]:
    (tmp_path / "config").write_text(CONFIG)
    environ = {
        **os.environ,
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_PROFILE": "role",
        "AWS_ENDPOINT_URL_STS": f"http://127.0.0.1:{sts.port}",
    }

    def make(code: str) -> Terminal:
        return Terminal(textwrap.dedent(PRELUDE) + textwrap.dedent(code), environ)

    return make


CREDENTIALS = {"the chain": "", "a session": ", credentials=boto3.Session(region_name='us-east-1')"}
CALLS = {
    "sync": "Client(**options{0}).list_sessions(**call)",
    "async": "asyncio.run(listed(AsyncClient(**options{0})))",
}


@pytest.fixture(params=[(call, source) for call in CALLS for source in CREDENTIALS], ids=" of ".join)
def calling(request: pytest.FixtureRequest) -> str:
    call, source = request.param
    return CALLS[call].format(CREDENTIALS[source])


def still_works(terminal: Terminal) -> None:
    """Check that what is typed is shown, and goes to the program."""
    assert terminal.echoes
    terminal.type("a line\n")
    terminal.until("read a line")
    assert terminal.end() == 0
    assert terminal.seen.count("a line") == 2


def test_ctrl_c_at_the_prompt_leaves_the_terminal_as_it_was(run: Callable[[str], Terminal], calling: str) -> None:
    code = f"""
        try:
            {calling}
        except KeyboardInterrupt:
            go_on("Ctrl-C")
    """
    with run(code) as terminal:
        terminal.until("Enter MFA code")
        eventually_silent(terminal)
        terminal.type("123\x03")
        terminal.until("ended by Ctrl-C")
        still_works(terminal)


def eventually_silent(terminal: Terminal) -> None:
    ends = time.monotonic() + PATIENCE
    while terminal.echoes:
        assert time.monotonic() < ends


def test_a_deadline_at_the_prompt_leaves_the_terminal_as_it_was(run: Callable[[str], Terminal], calling: str) -> None:
    code = f"""
        options["timeout"] = 1
        try:
            {calling}
        except NovaActError as error:
            go_on(type(error).__name__)
    """
    with run(code) as terminal:
        terminal.until("ended by DeadlineExceeded")
        still_works(terminal)


def test_a_program_that_ends_at_the_prompt_leaves_the_terminal_as_it_was(
    run: Callable[[str], Terminal], calling: str
) -> None:
    code = f"""
        def ask():
            with contextlib.suppress(NovaActError):
                {calling}

        threading.Thread(target=ask, daemon=True).start()
        signal.signal(signal.SIGUSR1, lambda *_: sys.exit(3))
        signal.pause()
    """
    with run(code) as terminal:
        terminal.until("Enter MFA code")
        eventually_silent(terminal)
        os.kill(terminal.pid, signal.SIGUSR1)
        assert terminal.end() == 3
        assert terminal.echoes
    assert "Traceback" not in terminal.seen


def test_the_code_goes_to_the_service_and_is_not_shown(
    run: Callable[[str], Terminal], sts: Server, calling: str
) -> None:
    code = f"""
        try:
            {calling}
        except NovaActError as error:
            go_on(type(error).__name__)
    """
    with run(code) as terminal:
        terminal.until("Enter MFA code for arn:aws:iam::123456789012:mfa/somebody: ")
        eventually_silent(terminal)
        terminal.type("123456\n")
        terminal.until("ended by TransportError")
        still_works(terminal)
    assert "123456\r" not in terminal.seen
    (request,) = sts.requests
    assert b"TokenCode=123456" in request.body


def test_the_next_call_asks_again(run: Callable[[str], Terminal], sts: Server) -> None:
    code = """
        client = Client(**options)
        for _ in range(2):
            try:
                client.list_sessions(**call)
            except KeyboardInterrupt:
                print("interrupted", flush=True)
            except NovaActError as error:
                go_on(type(error).__name__)
    """
    with run(code) as terminal:
        terminal.until("Enter MFA code")
        eventually_silent(terminal)
        terminal.seen = ""
        terminal.type("\x03")
        terminal.until("interrupted")
        terminal.until("Enter MFA code")
        eventually_silent(terminal)
        terminal.type("654321\n")
        terminal.until("ended by TransportError")
        still_works(terminal)
    assert b"TokenCode=654321" in sts.requests[-1].body
