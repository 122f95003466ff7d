"""What is made of counted instructions. Nothing is counted here."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from bench.fixed_calls import SCENARIOS
from bench.instructions import CannotCountError, Compared

from bench import instructions

ROOT = Path(__file__).parents[2]
SAID = """
==7== Events    : Ir
==7== Collected : 426369716
==7==
==7== I   refs:      426,369,716
"""


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_what_is_counted_runs(scenario: str) -> None:
    subprocess.run([sys.executable, ROOT / "bench" / "fixed_calls.py", scenario, "50"], check=True)


def test_everything_that_is_counted_exists() -> None:
    assert {*instructions.CALLS, *(name for name, _ in instructions.WHOLE.values())} <= {*SCENARIOS}


def test_callgrinds_count_is_read() -> None:
    assert instructions.parse(SAID) == 426_369_716
    assert instructions.parse("valgrind: command not found") is None


def counting(monkeypatch: pytest.MonkeyPatch, now: int) -> None:
    """Have a call take 1,000 instructions before and this many now, and a process a million."""

    def count(source: Path, _: str, calls: int) -> int:
        return 1_000_000 + calls * (1_000 if source.name == "before" else now)

    monkeypatch.setattr(instructions, "count", count)
    monkeypatch.setattr(instructions, "extract", lambda *_: Path("before"))
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: None)
    monkeypatch.setattr(sys, "argv", ["instructions"])


@pytest.mark.parametrize(("now", "code"), [(900, 0), (1_050, 0), (1_051, 1)])
def test_over_five_percent_more_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], now: int, code: int
) -> None:
    counting(monkeypatch, now)
    assert instructions.main() == code
    shown = capsys.readouterr().out.splitlines()
    assert len(shown) == 1 + len(instructions.CALLS) + len(instructions.WHOLE)
    assert shown[1].split()[:4] == ["list_sessions", "1,000", f"{now:,}", f"{now / 1_000 - 1:+.1%}"]
    assert sum("MORE THAN 5% MORE" in line for line in shown) == (len(instructions.CALLS) if code else 0)


def test_that_nothing_was_counted_is_said_loudly_and_is_no_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["instructions", "--against", "no-such-commit"])
    assert instructions.main() == 0
    assert "!!! INSTRUCTIONS WERE NOT COUNTED, so nothing is known: there is no commit no-such-commit" in (
        capsys.readouterr().out
    )
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(CannotCountError, match="valgrind is not installed"):
        instructions.count(ROOT, "list_sessions", 1)
    with pytest.raises(CannotCountError, match="git is not installed"):
        instructions.extract("HEAD", ROOT)


def test_a_line_has_both_counts_and_the_change() -> None:
    assert str(Compared("a", 1_000_000, 1_020_000)).split() == ["a", "1,000,000", "1,020,000", "+2.0%"]
