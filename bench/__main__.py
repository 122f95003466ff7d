"""`python -m bench`: start the server, run the scenarios, print the results.

A full run also writes them to `bench/RESULTS.md` and `bench/results.svg`; with `--runs 3` it judges by the median of
three, and with `--output` it writes another file, and no picture. The exit status is 1 if a contender fails; a slow
result does not change it.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import certifi
import trustme

from bench import report
from bench.contenders import Target
from bench.measure import ContenderError, start
from bench.scenarios import SCENARIOS, Setting

if TYPE_CHECKING:
    from bench.measure import Spread

HERE = Path(__file__).parent
RESULTS = "RESULTS.md"
INTRODUCTION = """\
# Measurements

`make bench` writes this file. The contenders take short turns in shuffled order. Each has its own process, uses TLS on
the loopback interface, and verifies the server's certificate. Run id and token differ from call to call. CPU is user
and system time of the client's process. Ratios compare turns of the same round. The figures are medians over all
rounds, with quartiles in brackets. The library is installed from a wheel, not editable, and used through its public
API. aiobotocore limits the version of botocore, so "boto3" is the boto3 for that version; the newest boto3 is measured
separately.
"""


def main() -> None:
    """Parse the arguments, and measure."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure the library and its alternatives.")
    parser.add_argument("--quick", action="store_true", help="measure for two or three minutes, and write no file")
    parser.add_argument(
        "--only", choices=SCENARIOS, metavar="NAME", help=f"run one scenario, and write no file: {', '.join(SCENARIOS)}"
    )
    parser.add_argument(
        "--runs", type=int, default=1, metavar="N", help="measure all of it N times, one after the other"
    )
    parser.add_argument("--output", default=RESULTS, metavar="FILE", help=f"write this file in place of {RESULTS}")
    options = parser.parse_args()
    began, machine = time.monotonic(), report.machine()
    print(machine, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        certificate, ca_bundle = certificates(Path(folder))
        process = start("bench.server", str(certificate))
        assert process.stdout is not None
        tls, plain = json.loads(process.stdout.readline())
        setting = Setting(
            tls=Target(f"https://127.0.0.1:{tls}", str(ca_bundle)),
            plain=Target(f"http://127.0.0.1:{plain}", str(ca_bundle)),
            quick=options.quick,
        )
        names = [options.only] if options.only else list(SCENARIOS)
        runs: list[dict[str, Spread]] = []
        sections: list[report.Section] = []
        failures: list[str] = []
        for _ in range(options.runs):
            sections, failed = measure(setting, names)
            failures += failed
            runs.append({key: figure for section in sections for key, figure in section.figures.items()})
            print(report.verdicts(runs))
        process.communicate()
    verdicts = report.verdicts(runs)
    print(f"\n{time.monotonic() - began:.0f} s in total")
    if failures:
        sys.exit(f"failed: {', '.join(failures)}")
    if not options.quick and not options.only:
        image = "![CPU per call](results.svg)" if options.output == RESULTS else ""
        tried = (HERE / "TRIED.md").read_text(encoding="utf-8").rstrip()  # written by hand
        parts = [INTRODUCTION.rstrip(), machine, verdicts, image, *[each.markdown() for each in sections], tried]
        (HERE / options.output).write_text("\n\n".join(filter(None, parts)) + "\n", encoding="utf-8")
        if image:
            bars = [bar for section in sections for bar in section.bars]
            (HERE / "results.svg").write_text(report.chart(bars), encoding="utf-8")


def measure(setting: Setting, names: list[str]) -> tuple[list[report.Section], list[str]]:
    """Run scenarios. Return their results, and the names of those that failed."""
    sections, failures = [], []
    for name in names:
        print(f"... {name}", file=sys.stderr, flush=True)
        try:
            section = SCENARIOS[name](setting)
        except ContenderError as error:
            print(error, file=sys.stderr)
            failures.append(name)
            continue
        print(f"\n{section.markdown()}\n", flush=True)
        sections.append(section)
    return sections, failures


def certificates(folder: Path) -> tuple[Path, Path]:
    """Make a CA and a certificate. Return the server's file, and a CA bundle as large as a usual one."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    certificate, ca_bundle = folder / "server.pem", folder / "ca.pem"
    issued.private_key_and_cert_chain_pem.write_to_path(str(certificate))
    ca_bundle.write_bytes(Path(certifi.where()).read_bytes() + b"\n" + authority.cert_pem.bytes())
    return certificate, ca_bundle


if __name__ == "__main__":
    main()
