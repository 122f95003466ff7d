"""Draws docs/command-line.svg: the installed command in a terminal, against the local service. `make screenshots`."""

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


def shown(command: str) -> str:
    """What a terminal gets of a command, on standard output and standard error."""
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
            except OSError:  # how Linux says that the other end is closed
                break
            if not data:
                break
            text += data
    os.close(terminal)
    return text.decode().replace("\r\n", "\n")


def half_way(text: str) -> str:
    """The progress line as it was before it was erased."""
    steps = text.split("\r")
    return steps[len(steps) // 2] + "\n"


def main() -> None:
    """Run the commands, and draw them."""
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
        draw(command, shown(command))
        command = listing(long.workflow_run_id, "--output ids > ids.txt")
        draw(command, half_way(shown(command.replace("ids.txt", shlex.quote(os.devnull)))))
        command = listing(run.workflow_run_id.replace("6", "7"), "")
        draw(command, shown(command))
        command = listing(run.workflow_run_id, "--region nowhere/at/all")
        draw(command, shown(command))
    PICTURE.parent.mkdir(exist_ok=True)
    console.save_svg(str(PICTURE), title="novaact-http", unique_id="novaact-http")


if __name__ == "__main__":
    main()
