"""Stand-ins for terminals, in this process."""

from __future__ import annotations

import io

from novaact_http.cli import _lines


class Terminal(io.TextIOWrapper):
    """A stream that is a terminal, in UTF-8."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)

    def isatty(self) -> bool:
        return True

    @property
    def shown(self) -> str:
        """What was written."""
        written = self.buffer
        assert isinstance(written, io.BytesIO)
        return written.getvalue().decode()


def look(width: int | None = None, *, has_colours: bool = False, encoding: str = "utf-8") -> _lines.Look:
    """Return how lines look on some terminal."""
    marks = _lines._DRAWN if encoding == "utf-8" else _lines._ASCII
    return _lines.Look(has_colours=has_colours, width=width, encoding=encoding, marks=marks)
