"""`python -m bench`: start the server, run the scenarios, print what they find.

A full run also writes it to `bench/RESULTS.md` and `bench/results.svg`. Exits with 1 if a contender does not work, but
never because something is slow.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import certifi
import trustme

from bench import report
from bench.contenders import Target
from bench.measure import ContenderError, start
from bench.scenarios import SCENARIOS, Setting

HERE = Path(__file__).parent
INTRODUCTION = """\
# Measurements

`make bench` wrote this. The contenders take short turns, in shuffled order, each in a process of its own, over TLS on
the loopback interface, and verify the server's certificate. Run id and token differ from call to call. CPU is user and
system time of the client's process. Ratios compare turns of the same round; what is given are medians over all rounds
and, in brackets, quartiles. The library is installed from a wheel, not editable, and used through its public API.
aiobotocore caps botocore, so boto3 is the one of aiobotocore's botocore; the newest boto3 is measured beside it.
"""


def main() -> None:
    """Parse the arguments and measure."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure the library and its peers.")
    parser.add_argument("--quick", action="store_true", help="about a minute, and nothing is written")
    parser.add_argument("--only", choices=SCENARIOS, metavar="NAME", help=f"one of {', '.join(SCENARIOS)}")
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
        sections, failures = measure(setting, [options.only] if options.only else list(SCENARIOS))
        process.communicate()
    figures = {key: figure for section in sections for key, figure in section.figures.items()}
    verdicts = report.verdicts(figures)
    print(f"{verdicts}\n\n{time.monotonic() - began:.0f} s in all")
    if failures:
        sys.exit(f"did not work: {', '.join(failures)}")
    if not options.quick and not options.only:
        image = "![CPU per call](results.svg)"
        parts = [INTRODUCTION.rstrip(), machine, verdicts, image, *[each.markdown() for each in sections]]
        (HERE / "RESULTS.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")
        (HERE / "results.svg").write_text(
            report.chart([bar for section in sections for bar in section.bars]), encoding="utf-8"
        )


def measure(setting: Setting, names: list[str]) -> tuple[list[report.Section], list[str]]:
    """Run scenarios; return what they found, and the names of those that failed."""
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
    """Make a CA and a server's certificate: the server's file, and a bundle as large as everybody's."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    certificate, ca_bundle = folder / "server.pem", folder / "ca.pem"
    issued.private_key_and_cert_chain_pem.write_to_path(str(certificate))
    ca_bundle.write_bytes(Path(certifi.where()).read_bytes() + b"\n" + authority.cert_pem.bytes())
    return certificate, ca_bundle


if __name__ == "__main__":
    main()
