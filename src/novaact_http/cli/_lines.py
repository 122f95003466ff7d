"""Lines for people: coloured where the terminal has colours, cut to its width, in characters that it has."""

from __future__ import annotations

import locale
import os
import shutil
import sys
from typing import TYPE_CHECKING, NamedTuple

from novaact_http.cli._terminal import is_terminal, printable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO


class Marks(NamedTuple):
    """The characters that are not letters and digits."""

    branch: str
    last_branch: str
    trunk: str
    no_trunk: str
    ellipsis: str
    arrow: str
    spinner: str


_DRAWN = Marks("├─ ", "└─ ", "│  ", "   ", "…", "→", "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")
_ASCII = Marks("|- ", "`- ", "|  ", "   ", "...", "->", "-\\|/")
_GAP = "  "
SHORTEST_NAME = (
    9  # cells of a name that are left before what follows it is cut: the first part of a UUID and an ellipsis
)
Part = tuple[str, str]  # a text and its style


class Look(NamedTuple):
    """How lines look on a stream.

    Attributes:
        has_colours: whether styles are shown.
        width: the cells that a line may take; None for no limit.
        encoding: the encoding whose characters may be used.
        marks: the characters to draw with.
    """

    has_colours: bool
    width: int | None
    encoding: str
    marks: Marks

    def plain(self, text: str) -> str:
        """Return text from outside without anything that could control a terminal or that the encoding lacks."""
        if text.isascii() and text.isprintable():
            return text
        return printable(text).encode(self.encoding, "backslashreplace").decode(self.encoding)

    def styled(self, text: str, style: str) -> str:
        """Return text in a style, which is numbers of SGR."""
        return f"\x1b[{style}m{text}\x1b[0m" if style and text and self.has_colours else text

    def cut(self, text: str, width: int) -> str:
        """Return text that takes no more cells than the width; if it is cut, it ends in an ellipsis."""
        if cells(text) <= width:
            return text
        from rich.cells import set_cell_size

        ellipsis = self.marks.ellipsis[:width]
        return set_cell_size(text, width - len(ellipsis)).rstrip() + ellipsis

    def line(self, name: Part, details: Iterable[Part], *, before: str = "") -> str:
        """Return a line that is no wider than the width.

        If there is no room for all, the last details are left out, and what is left of the room is the name's.

        Args:
            name: what the line is about.
            details: what follows it, as far as it is not `""`.
            before: what the line begins with.
        """
        text, style = name
        shown = [each for each in details if each[0]]
        if self.width is not None:
            before = self.cut(before, self.width)
            room = self.width - cells(before)
            while shown and taken(shown) + min(cells(text), SHORTEST_NAME) > room:
                shown.pop()
            text = self.cut(text, max(room - taken(shown), 0))
        return before + self.styled(text, style) + "".join([f"{_GAP}{self.styled(*each)}" for each in shown])


def look_of(stream: TextIO) -> Look:
    """Return how lines look on a standard stream."""
    encoding = _encoding_of(stream)
    return Look(
        has_colours=_has_colours(stream),
        width=shutil.get_terminal_size().columns if is_terminal(stream) else None,
        encoding=encoding,
        marks=_DRAWN if _can_encode("".join(_DRAWN), encoding) else _ASCII,
    )


def _has_colours(stream: TextIO) -> bool:
    import click

    context = click.get_current_context(silent=True)
    if context is not None and context.color is not None:  # the option --color
        return context.color
    return can_move_cursor(stream) and not os.environ.get("NO_COLOR")


def can_move_cursor(stream: TextIO) -> bool:
    """Tell whether a stream is a terminal that understands escape sequences."""
    return is_terminal(stream) and os.environ.get("TERM") != "dumb"


def cells(text: str) -> int:
    """Return how many cells of a terminal a printable text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def taken(details: Iterable[Part]) -> int:
    """Return how many cells details take in a line."""
    return sum([len(_GAP) + cells(text) for text, _ in details if text])


def padded(text: str, width: int) -> str:
    """Return text with spaces after it, so that it takes at least this many cells."""
    return text + " " * (width - cells(text))


def _encoding_of(stream: TextIO) -> str:
    """Return the encoding of the stream, or that of the locale if Python does not use it and it has less."""
    encoding = stream.encoding
    if sys.platform == "win32" or _can_encode("│", locale.nl_langinfo(locale.CODESET)):
        return encoding
    return "ascii"


def _can_encode(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def counted(number: int, name: str) -> str:
    """Return a number of things with their name."""
    return f"{number:,} {name}" if number == 1 else f"{number:,} {name}s"
