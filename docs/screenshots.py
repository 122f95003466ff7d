"""Draws docs/command-line.svg, the installed command in a terminal, with the local service. Run `make screenshots`."""

from __future__ import annotations

import fcntl
import os
import shlex
import struct
import subprocess
import sys
import termios
from pathlib import Path

from rich.console import Console
from rich.text import Text

from novaact_http.testing import LocalService

COLUMNS = 100
PICTURE = Path(__file__).with_name("command-line.svg")
PROGRAM = Path(sys.executable).with_name("novaact-http")


def run_in_terminal(command: str) -> str:
    """Run a command in a terminal, and return its standard output and standard error."""
    terminal, end = os.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
    environ = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(COLUMNS)}
    environ["PATH"] = f"{PROGRAM.parent}{os.pathsep}{environ['PATH']}"
    with subprocess.Popen(["sh", "-c", command], stdin=subprocess.DEVNULL, stdout=end, stderr=end, env=environ):
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
    os.close(terminal)
    return text.decode().replace("\r\n", "\n")


def progress_line(text: str) -> str:
    """Return the progress line from the middle of the output, before it was erased."""
    updates = text.split("\r")
    return updates[len(updates) // 2] + "\n"


def main() -> None:
    """Run the commands, and draw their output."""
    console = Console(record=True, width=COLUMNS, force_terminal=True, file=Path(os.devnull).open("w"))  # noqa: SIM115

    def draw(command: str, text: str) -> None:
        console.print(Text.assemble(("$ ", "bold green"), (command, "bold")))
        console.print(Text.from_ansi(text))

    with LocalService() as service:
        os.environ.update(service.environ)
        run, long = service.runs[0], service.add_run("checkout-flow", sessions=12_345)
        named = f"novaact-http list-sessions --workflow-definition-name {run.workflow_definition_name} \\\n"

        def listing(run_id: str, options: str) -> str:
            return f"{named}    --workflow-run-id {run_id} {options}".rstrip()

        command = listing(run.workflow_run_id, "--max-items 3")
        draw(command, run_in_terminal(command))
        command = listing(long.workflow_run_id, "--output ids > ids.txt")
        draw(command, progress_line(run_in_terminal(command.replace("ids.txt", shlex.quote(os.devnull)))))
        command = listing(run.workflow_run_id.replace("6", "7"), "")
        draw(command, run_in_terminal(command))
        command = listing(run.workflow_run_id, "--region nowhere/at/all")
        draw(command, run_in_terminal(command))
    PICTURE.parent.mkdir(exist_ok=True)
    console.save_svg(str(PICTURE), title="novaact-http", unique_id="novaact-http")


if __name__ == "__main__":
    main()
