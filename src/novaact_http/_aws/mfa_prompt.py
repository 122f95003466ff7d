"""Asks on the terminal for the code of an MFA device, as `getpass` does, and can be given up at any time.

botocore asks while credentials are fetched, on a thread of its own. A call that ends before there is an answer, as its
time is over or somebody pressed Ctrl-C, cannot end that thread: with `getpass`, it would leave the terminal without
echo, and take the next line that is typed.
"""

from __future__ import annotations

import atexit
import os
import sys
from typing import Any

_LOOK_AGAIN_AFTER = 50  # milliseconds


class PromptGivenUp(Exception):  # noqa: N818 - nobody waits for it
    """Nobody waits for the code any more."""


class _Asking:
    """A code that is asked for: where, and what that terminal was like before."""

    def __init__(self, path: str, before: list[Any]) -> None:
        self.path = path
        self.before = before
        self.given_up = False

    def restore(self, when: int) -> None:
        """Make the terminal as it was before, by a descriptor of its own: the thread that asks may close the other."""
        import termios

        descriptor = os.open(self.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            termios.tcsetattr(descriptor, when, self.before)
        finally:
            os.close(descriptor)


class MfaPrompt:
    """Asks for codes, on one thread. Any other thread gives up.

    Attributes:
        is_wanted: whether somebody waits for the code; without that, nothing is asked.
    """

    def __init__(self) -> None:
        self.is_wanted = True
        self._asking: _Asking | None = None

    def give_up(self) -> bool:
        """Ask no more, until it `is_wanted`. Return whether it was asking; the terminal is as it was before then."""
        self.is_wanted = False
        asking, self._asking = self._asking, None
        if asking is None:
            return False
        import termios

        asking.given_up = True
        asking.restore(termios.TCSAFLUSH)  # and drop what was typed of the code
        return True

    def __call__(self, text: str) -> str:
        """Show the text, and return the line that is typed, which is not shown.

        Raises:
            PromptGivenUp: nobody waits for it any more.
            EOFError: the input ended.
        """
        if not self.is_wanted:
            raise PromptGivenUp
        path = _path_of_terminal()
        if path is None:
            from getpass import getpass

            return getpass(text)
        import termios

        descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            asking = self._asking = _Asking(path, termios.tcgetattr(descriptor))
            atexit.register(self.give_up)  # as the thread is a daemon
            try:
                silent = [*asking.before]
                silent[3] &= ~termios.ECHO
                termios.tcsetattr(descriptor, termios.TCSAFLUSH, silent)
                if asking.given_up:  # just before the line above
                    asking.restore(termios.TCSAFLUSH)
                    raise PromptGivenUp
                os.write(descriptor, text.encode())
                return _line(descriptor, asking)
            finally:
                if self._asking is asking:
                    asking.restore(termios.TCSADRAIN)
                    self._asking = None
                    atexit.unregister(self.give_up)
                    os.write(descriptor, b"\n")
        finally:
            os.close(descriptor)


def _line(descriptor: int, asking: _Asking) -> str:
    import select

    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    line = b""
    while not line.endswith(b"\n"):
        ready = poll.poll(_LOOK_AGAIN_AFTER)
        if asking.given_up:
            raise PromptGivenUp
        if ready:
            part = os.read(descriptor, 1024)
            if not part:
                raise EOFError
            line += part
    return line[:-1].decode(errors="replace")


def _path_of_terminal() -> str | None:
    """Return the path of the terminal to ask on, or None if there is none that can be set up, as on Windows."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except (OSError, AttributeError):
        try:
            return os.ttyname(sys.stdin.fileno())
        except (OSError, ValueError, AttributeError):  # it is a file, is closed, or is something else altogether
            return None
    return "/dev/tty"
