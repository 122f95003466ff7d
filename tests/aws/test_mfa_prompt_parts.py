"""The prompt for the code of an MFA device, on a pseudo-terminal of this process."""

from __future__ import annotations

import io
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from novaact_http._aws import mfa_prompt
from novaact_http._aws.botocore_credentials import BotocoreSource
from novaact_http._aws.credential_cache import CredentialCache
from novaact_http._aws.credential_sources import CredentialsFunction, FixedCredentials
from novaact_http._aws.mfa_prompt import MfaPrompt, PromptGivenUp
from novaact_http.config import Credentials
from novaact_http.errors import CredentialsError
from tests.helpers.calls import KEYS
from tests.helpers.credentials import result_of

if TYPE_CHECKING:
    from collections.abc import Iterator

if sys.platform == "win32":
    pytest.skip("Windows has no pseudo-terminals", allow_module_level=True)

import termios


@pytest.fixture
def master(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The other end of a terminal, which is the one to ask on."""
    master, slave = os.openpty()
    name = os.ttyname(slave)
    monkeypatch.setattr(mfa_prompt, "_path_of_terminal", lambda: name)
    yield master
    os.close(slave)
    os.close(master)


def echoes(master: int) -> bool:
    return bool(termios.tcgetattr(master)[3] & termios.ECHO)


def until_asked(master: int) -> None:
    seen = b""
    while b"code: " not in seen:
        seen += os.read(master, 100)
    assert not echoes(master)


def test_the_line_that_is_typed_is_returned(master: int) -> None:
    with ThreadPoolExecutor() as threads:
        answer = threads.submit(MfaPrompt(), "code: ")
        until_asked(master)
        time.sleep(0.06)  # so that it looks again
        os.write(master, b"123456\n")
        assert answer.result() == "123456"
    assert echoes(master)


def test_the_end_of_the_input_is_no_code(master: int) -> None:
    with ThreadPoolExecutor() as threads:
        answer = threads.submit(MfaPrompt(), "code: ")
        until_asked(master)
        os.write(master, b"\x04")
        with pytest.raises(EOFError):
            answer.result()
    assert echoes(master)


def test_giving_up_restores_the_terminal_at_once(master: int) -> None:
    prompt = MfaPrompt()
    with ThreadPoolExecutor() as threads:
        answer = threads.submit(prompt, "code: ")
        until_asked(master)
        assert prompt.give_up()
        assert echoes(master)
        assert not prompt.give_up()
        with pytest.raises(PromptGivenUp):
            answer.result()
    with pytest.raises(PromptGivenUp):
        prompt("code: ")  # nobody wants it


def test_giving_up_as_the_terminal_is_made_silent_restores_it_too(master: int, monkeypatch: pytest.MonkeyPatch) -> None:
    prompt, set_up = MfaPrompt(), termios.tcsetattr

    def given_up_meanwhile(*arguments: Any) -> None:
        monkeypatch.undo()
        assert prompt.give_up()
        set_up(*arguments)

    monkeypatch.setattr(termios, "tcsetattr", given_up_meanwhile)
    name = mfa_prompt._path_of_terminal()
    monkeypatch.setattr(mfa_prompt, "_path_of_terminal", lambda: name)
    with pytest.raises(PromptGivenUp):
        prompt("code: ")
    assert echoes(master)


def test_without_a_terminal_getpass_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_terminal(*_: Any) -> Any:
        raise OSError

    monkeypatch.setattr(os, "open", no_terminal)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    monkeypatch.setattr("getpass.getpass", lambda text: text + "123")
    assert MfaPrompt()("code: ") == "code: 123"


def test_the_terminal_is_the_controlling_one_or_that_of_the_input(monkeypatch: pytest.MonkeyPatch) -> None:
    opened, (master, slave) = os.open, os.openpty()
    monkeypatch.setattr(os, "open", lambda *_: opened(os.devnull, os.O_RDONLY))
    assert mfa_prompt._path_of_terminal() == "/dev/tty"
    monkeypatch.setattr(os, "open", lambda *_: opened("/no/such/file", os.O_RDONLY))
    with os.fdopen(slave) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        assert mfa_prompt._path_of_terminal() == os.ttyname(slave)
    os.close(master)


class Asking:
    """Credentials of botocore that ask."""

    def __init__(self, prompt: MfaPrompt) -> None:
        self._prompt = prompt

    def get_frozen_credentials(self) -> Any:
        self._prompt("code: ")


def test_a_call_after_one_that_gave_up_asks_anew(master: int) -> None:
    prompt = MfaPrompt()
    source = BotocoreSource(lambda: Asking(prompt), "botocore", lambda: CredentialsError("none"), prompt)
    cache = CredentialCache(source, lambda: 0.0)
    assert not source.give_up()
    first = cache.get()
    until_asked(master)
    with cache.waiting():
        pass
    second = cache.get()
    assert second is not first
    with cache.waiting():  # in which the first may end, and nothing is asked twice
        until_asked(master)
        os.write(master, b"\n")
        assert not isinstance(second, Credentials)
        with pytest.raises(CredentialsError, match="none"):
            result_of(second)
    assert echoes(master)


def test_a_prompt_that_nobody_waits_for_does_not_begin(master: int) -> None:
    prompt = MfaPrompt()
    source = BotocoreSource(lambda: Asking(prompt), "botocore", lambda: CredentialsError("none"), prompt)
    source.give_up()
    with pytest.raises(PromptGivenUp):
        source.fetch(forced=False)
    source._found = None
    forgotten = BotocoreSource(lambda: Asking(prompt), "botocore", lambda: CredentialsError("none"), prompt)

    class Replaced(Asking):
        def get_frozen_credentials(self) -> Any:
            forgotten._found = None
            super().get_frozen_credentials()

    forgotten._found = Replaced(prompt)
    with pytest.raises(PromptGivenUp):
        forgotten.fetch(forced=False)
    assert echoes(master)


def test_other_sources_ask_nobody() -> None:
    for source in (
        FixedCredentials(KEYS, "keys"),
        CredentialsFunction(lambda: KEYS, "a function"),
        BotocoreSource(lambda: None, "botocore", lambda: CredentialsError("none")),
    ):
        source.want()
        assert not source.give_up()
