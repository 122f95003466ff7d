"""Reports of the results: Markdown for the terminal and for `RESULTS.md`, and a chart as SVG.

A report describes the machine only by its Python, its processors and the versions of the libraries.
"""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from bench.measure import NEWEST_BOTO3

if TYPE_CHECKING:
    from bench.measure import Spread

Table = tuple[Sequence[str], Sequence[Sequence[str]]]

LIBRARIES = ("novaact-http", "boto3", "botocore", "aiobotocore", "capo-nova-act", "aiohttp", "httpx", "uvloop")


@dataclass(frozen=True)
class Budget:
    """A limit for a result: at most `must`, and preferably `aim`."""

    name: str
    must: float
    aim: float | None = None
    unit: str = ""


BUDGETS = {
    "sync": Budget("sync call, CPU / boto3", 0.16, 0.145),
    "async-1": Budget("async call, CPU / aiobotocore, 1 at a time", 0.19, 0.175),
    "async-50": Budget("async call, CPU / aiobotocore, 50 at a time", 0.145, 0.135),
    "async-50-aiohttp": Budget("async call, CPU / unsigned raw aiohttp POST, 50 at a time", 1.02, 0.95),
    "async-1-capo": Budget("async call, CPU / capo-nova-act, 1 at a time", 0.28, 0.25),
    "async-50-capo": Budget("async call, CPU / capo-nova-act, 50 at a time", 0.21, 0.19),
    "growth": Budget("async call, CPU, 10,000 at a time / 50 at a time", 1.3, 1.1),
    "get": Budget("GetWorkflowRun polled, CPU / boto3", 0.20, 0.15),
    "step": Budget("InvokeActStep with a result of 1 MB, CPU / boto3", 0.90, 0.82),
    "step-memory": Budget("its memory above the result", 4, 3, "MB"),
    "cold": Budget("cold start to first response, sync / boto3", 0.32, 0.30),
    "cold-async": Budget("cold start to first response, async / aiobotocore", 0.24, 0.22),
    "cold-capo": Budget("imports, client and first call / capo-nova-act", 0.31, 0.25),
    "memory": Budget("peak memory after the first call / a bare socket with attrs, json and logging", 1.10, 1.05),
    "construct": Budget("second client's construction", 0.3, 0.1, "ms"),
    "sign": Budget("signing one request", 8, 5, "µs"),
    "heartbeat-first": Budget("largest gap in the event loop, first call", 20, unit="ms"),
    "heartbeat-refresh": Budget("largest gap in the event loop, credentials take 5 s", 20, unit="ms"),
}


@dataclass(frozen=True)
class Bar:
    """A bar of the chart."""

    group: str
    label: str
    milliseconds: float
    ours: bool


@dataclass
class Section:
    """The results of a scenario."""

    title: str
    text: str
    tables: list[Table] = field(default_factory=list)
    figures: dict[str, Spread] = field(default_factory=dict)
    bars: list[Bar] = field(default_factory=list)

    def markdown(self) -> str:
        """Return title, text and tables."""
        return "\n\n".join([f"## {self.title}", self.text, *[table(head, rows) for head, rows in self.tables]])


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table, readable also as plain text. All columns except the first are aligned right."""
    widths = [max(3, *(len(row[at]) for row in (head, *rows))) for at in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        first, *others = zip(cells, widths, strict=True)
        padded = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
        return f"| {' | '.join(padded)} |"

    rule = [("-" * (width - 1) + ":") if at else "-" * width for at, width in enumerate(widths)]
    return "\n".join([line(head), line(rule), *map(line, rows)])


def format_number(value: float) -> str:
    """Format a number with three significant digits and no exponent."""
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def format_spread(spread: Spread, unit: str = "") -> str:
    """Format the median and the quartiles."""
    space = f" {unit}" if unit else ""
    return f"{format_number(spread.median)}{space} ({format_number(spread.lower)}-{format_number(spread.upper)})"


def verdicts(runs: Sequence[dict[str, Spread]]) -> str:
    """Return a table of the budgets that were measured, and whether each is met by the median of some runs."""
    rows, missed, met = [], [], 0
    for key, budget in BUDGETS.items():
        spreads = [each[key] for each in runs if key in each]
        if not spreads:
            continue
        spread = sorted(spreads, key=lambda each: each.median)[(len(spreads) - 1) // 2]
        if spread.median <= budget.must:
            met += 1
        else:
            missed.append(budget.name)
        rows.append(
            (
                budget.name,
                format_spread(spread, budget.unit),
                format_number(spread.minimum),
                str(spread.count),
                " ".join([format_number(each.median) for each in spreads]),
                f"≤ {format_number(budget.must)}",
                "met" if spread.median <= budget.must else "MISSED",
                "" if budget.aim is None else f"≤ {format_number(budget.aim)}",
                "" if budget.aim is None else "met" if spread.median <= budget.aim else "missed",
            )
        )
    if not rows:
        return ""
    head = ("budget", "median (quartiles)", "minimum", "rounds", "each run", "must", "", "aim", "")
    which = f"By the median of {len(runs)} whole runs; the tables below are of the last. " if len(runs) > 1 else ""
    summary = f"{which}Met: {met} of {len(rows)}" + (f"; missed: {'; '.join(missed)}." if missed else ".")
    return f"## Against the budgets\n\n{summary}\n\n{table(head, rows)}"


def machine() -> str:
    """Describe the machine and the versions of the libraries."""
    newest = subprocess.run(
        [NEWEST_BOTO3, "-c", "import importlib.metadata as m; print(m.version('boto3'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return (
        f"{platform.python_implementation()} {platform.python_version()} on {platform.system()} "
        f"{platform.machine()}, {os.cpu_count()} processors, load average {os.getloadavg()[0]:.1f} at the start. "
        f'{versions}; "boto3, newest" is boto3 {newest}.'
    )


def chart(bars: Sequence[Bar]) -> str:
    """Draw CPU per call, with a group of bars for each scenario."""
    scale = 420 / max(bar.milliseconds for bar in bars)
    shapes, y, group = [], 34, None
    for bar in bars:
        if bar.group != group:
            group = bar.group
            y += 12
            shapes.append(f'<text x="8" y="{y + 12}" class="title">{escape(group)}</text>')
            y += 22
        width = max(1.0, bar.milliseconds * scale)
        kind = "ours" if bar.ours else "other"
        shapes.append(f'<text x="212" y="{y + 12}" text-anchor="end">{escape(bar.label)}</text>')
        shapes.append(f'<rect x="220" y="{y}" width="{width:.1f}" height="16" rx="2" class="{kind}"/>')
        shapes.append(f'<text x="{226 + width:.1f}" y="{y + 12}">{bar.milliseconds:.2f}</text>')
        y += 22
    title = "CPU per call in milliseconds, a page of 100 sessions over TLS; lower is better"
    return svg(
        (700, y + 10),
        "CPU per call",
        [f'<text x="8" y="20" class="title">{title}</text>', *shapes],
        style=".ours{fill:#0969da}.other{fill:#afb8c1}",
        dark=".ours{fill:#58a6ff}.other{fill:#6e7681}",
    )


def svg(size: tuple[int, int], label: str, shapes: Sequence[str], *, style: str, dark: str) -> str:
    """Return an SVG document; its colours follow the reader's light or dark mode.

    Args:
        size: width and height.
        label: a description for readers who cannot see the chart.
        shapes: the content, in SVG. Text may have the class `title`.
        style: CSS for the shapes.
        dark: CSS that replaces parts of `style` in dark mode.
    """
    text = "text{font:12px system-ui,sans-serif;fill:#24292f}.title{font-weight:600}"
    in_the_dark = f"@media(prefers-color-scheme:dark){{text{{fill:#e6edf3}}{dark}}}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size[0]} {size[1]}" role="img" aria-label="{label}">\n'
        f"<style>{text}{style}{in_the_dark}</style>\n" + "\n".join(shapes) + "\n</svg>\n"
    )
