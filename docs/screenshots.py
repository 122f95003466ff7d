"""Draws the pictures of the installed command in a terminal, with the local service. Run `make screenshots`."""

from __future__ import annotations

import fcntl
import os
import re
import shlex
import signal
import struct
import subprocess
import sys
import termios
import time
from html import escape, unescape
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from novaact_http.testing import LocalService

if TYPE_CHECKING:
    from collections.abc import Callable

    from novaact_http.testing import WorkflowRun

COLUMNS = 100
FOLDER = Path(__file__).parent
PROGRAM = Path(sys.executable).with_name("novaact-http")
LEAVE_SCREEN = "\x1b[?1049l"
PROGRESS = re.compile("\r[^\r\n]*\x1b\\[K")
NO_BREAK_SPACE = "\xa0"  # rich's space

# Of a cell in rich's SVG.
WIDTH, HEIGHT, ABOVE_BASELINE = 12.2, 24.4, 20.0
# How thick the arms of each line are, in pixels: to the left, to the right, up, down.
LIGHT = 1.5
ARMS = {
    "─": (LIGHT, LIGHT, 0, 0),
    "│": (0, 0, LIGHT, LIGHT),
    "├": (0, LIGHT, LIGHT, LIGHT),
    "└": (0, LIGHT, LIGHT, 0),
    "┘": (LIGHT, 0, LIGHT, 0),
    "┴": (LIGHT, LIGHT, LIGHT, 0),
}


def run_in_terminal(command: str, *, until: str | None = None, then: Callable[[], object] | None = None) -> str:
    """Run a command in a terminal, and return its standard output and standard error.

    Args:
        command: the command, for a shell.
        until: what must have been shown before the command is interrupted; None if it ends by itself.
        then: what to do when the command has shown something for the first time.
    """
    terminal, end = os.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
    environ = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "LINES": "40"}
    environ["PATH"] = f"{PROGRAM.parent}{os.pathsep}{environ['PATH']}"
    with subprocess.Popen(["sh", "-c", f"exec {command}"], stdin=end, stdout=end, stderr=end, env=environ) as process:
        os.close(end)
        text = b""
        while True:
            try:
                data = os.read(terminal, 65_536)
            except OSError:  # Linux raises this when the other end is closed
                break
            if not data:
                break
            text += data
            if then is not None and b"next in" in text:
                then()
                then = None
            if until is not None and until.encode() in text:
                process.send_signal(signal.SIGINT)
                until = None
    os.close(terminal)
    return text.decode().replace("\r\n", "\n")


def progress_line(text: str) -> str:
    """Return the progress line from the middle of the output, before it was erased."""
    updates = text.split("\r")
    return updates[len(updates) // 2] + "\n"


class Picture:
    """A picture of a terminal.

    Args:
        name: the name of its file, without `.svg`.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        nowhere = Path(os.devnull).open("w")  # noqa: SIM115
        self._console = Console(record=True, width=COLUMNS, force_terminal=True, file=nowhere)

    def draw(self, command: str, text: str) -> None:
        """Draw a command and what it shows."""
        self._console.print(Text.assemble(("$ ", "bold green"), (command, "bold")))
        self._console.print(Text.from_ansi(text))

    def save(self) -> None:
        """Write the file."""
        svg = self._console.export_svg(title="novaact-http", unique_id=self._name)
        FOLDER.joinpath(f"{self._name}.svg").write_text(with_drawn_lines(without_fonts(svg)), encoding="utf-8")


def without_fonts(svg: str) -> str:
    """Return rich's SVG without the fonts that it would load from elsewhere. The reader's own take their place."""
    return re.sub(r"\s*@font-face \{[^}]*\}", "", svg).replace("Fira Code, monospace", "monospace")


def with_drawn_lines(svg: str) -> str:
    """Return rich's SVG with each word at its place and with paths for lines, whatever font shows it."""
    return re.sub(
        r'<text class="([^"]+)" x="([^"]+)" y="([^"]+)" textLength="[^"]+"([^>]*)>([^<]*)</text>', _drawn, svg
    )


def _drawn(element: re.Match[str]) -> str:
    style, left, baseline, rest, text = element.groups()
    x, y = float(left), float(baseline)
    cells = [unescape(cell) for cell in re.findall(r"&[^;]+;|.", text)]
    lines = [
        _path(ARMS[cell], x + WIDTH * number, y - ABOVE_BASELINE) for number, cell in enumerate(cells) if cell in ARMS
    ]
    drawn = [f'<path class="{style}" d="{"".join(lines)}"/>'] if lines else []
    words = "".join([NO_BREAK_SPACE if cell in ARMS else cell for cell in cells])
    for word in re.finditer(f"[^{NO_BREAK_SPACE}]+", words):
        at, length = x + WIDTH * word.start(), WIDTH * len(word[0])
        place = f'x="{at:g}" y="{y:g}" textLength="{length:g}"'
        drawn.append(f'<text class="{style}" {place}{rest}>{escape(word[0], quote=False)}</text>')
    return "".join(drawn)


def _path(arms: tuple[float, float, float, float], x: float, y: float) -> str:
    """Return a rectangle for each arm of a line, from the edge of the cell to a bit behind its middle."""
    left, right, up, down = arms
    over = max(arms) / 2
    middle_x, middle_y = x + WIDTH / 2, y + HEIGHT / 2
    rectangles = [
        (x, middle_y - left / 2, middle_x + over - x, left),
        (middle_x - over, middle_y - right / 2, x + WIDTH - middle_x + over, right),
        (middle_x - up / 2, y, up, middle_y + over - y),
        (middle_x - down / 2, middle_y - over, down, y + HEIGHT - middle_y + over),
    ]
    return "".join(
        [
            f"M{left:.1f} {top:.1f}h{wide:.1f}v{high:.1f}h-{wide:.1f}z"
            for left, top, wide, high in rectangles
            if wide and high
        ]
    )


def draw_list_sessions() -> None:
    """Draw a table that is cut off, progress, and two errors."""
    picture = Picture("command-line")
    with LocalService() as service:
        os.environ.update(service.environ)
        run, long = service.runs[0], service.add_run("checkout-flow", sessions=12_345)
        named = f"novaact-http list-sessions --workflow-definition-name {run.workflow_definition_name} \\\n"

        def listing(run_id: str, options: str) -> str:
            return f"{named}    --workflow-run-id {run_id} {options}".rstrip()

        command = listing(run.workflow_run_id, "--max-items 3")
        picture.draw(command, run_in_terminal(command))
        command = listing(long.workflow_run_id, "--output ids > ids.txt")
        picture.draw(command, progress_line(run_in_terminal(command.replace("ids.txt", shlex.quote(os.devnull)))))
        command = listing(run.workflow_run_id.replace("6", "7"), "")
        picture.draw(command, run_in_terminal(command))
        command = listing(run.workflow_run_id, "--region nowhere/at/all")
        picture.draw(command, run_in_terminal(command))
    picture.save()


def draw_tree_and_watch() -> None:
    """Draw definitions with their runs, sessions and acts, and then the runs while some of them change."""
    with LocalService(definitions={}) as service:
        os.environ.update(service.environ)
        now = time.time()
        service.add_definition("invoice-export", created_at=now - 900_000)
        service.add_definition("checkout-flow", created_at=now - 400_000)

        runs: list[WorkflowRun] = []

        def add(name: str, status: str, began: float, took: float = 0, sessions: int = 0) -> None:
            run = service.add_run(
                name, status=status, sessions=sessions, started_at=now - began, ended_at=now - began + took
            )
            runs.append(run)

        add("invoice-export", "SUCCEEDED", 90_000, 1_290)
        add("invoice-export", "TIMED_OUT", 86_400 * 8, 604_800)
        add("checkout-flow", "SUCCEEDED", 7_260, 614)
        add("checkout-flow", "FAILED", 3_720, 95, 1)
        service.add_act(
            runs[-1], runs[-1].session_ids[0], status="FAILED", started_at=now - 3_700, ended_at=now - 3_630
        )
        add("invoice-export", "RUNNING", 1_460, 0, 1)
        service.add_act(runs[-1], runs[-1].session_ids[0], started_at=now - 1_400)
        add("checkout-flow", "RUNNING", 754, 0, 2)
        first, second = runs[-1].session_ids
        service.add_act(runs[-1], first, status="SUCCEEDED", started_at=now - 740, ended_at=now - 655)
        service.add_act(runs[-1], first, status="PENDING_HUMAN_ACTION", started_at=now - 650)
        service.add_act(runs[-1], second, started_at=now - 42)

        picture = Picture("tree")
        command = "novaact-http tree --since 2d --depth acts"
        picture.draw(command, PROGRESS.sub("", run_in_terminal(command)))
        picture.save()

        def change() -> None:
            service.end_run(runs[-2], "FAILED")
            service.add_run("checkout-flow")

        picture = Picture("watch")
        shown = run_in_terminal("novaact-http watch --interval 3", until="was RUNNING", then=change)
        picture.draw("novaact-http watch --interval 3", shown.rpartition(LEAVE_SCREEN)[2])
        picture.save()


if __name__ == "__main__":
    draw_list_sessions()
    draw_tree_and_watch()
