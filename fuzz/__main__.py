"""`python -m fuzz responses|arguments [libFuzzer options]`: find inputs that break the library, guided by coverage.

An input that breaks it is written to `fuzz/found/`. Copy the file to `tests/fuzz_cases/` to make it a test.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

with atheris.instrument_imports(include=["novaact_http"]):
    from tests.helpers import fuzz_checks


def main() -> None:
    """Fuzz until an input breaks the library, or libFuzzer's options end the run."""
    target, options = sys.argv[1], sys.argv[2:]
    corpus = Path(__file__).parent / "corpus" / target
    found = Path(__file__).parent / "found"
    for folder in (corpus, found):
        folder.mkdir(parents=True, exist_ok=True)
    dictionary = Path(__file__).parent / "http.dict"
    arguments = [f"-dict={dictionary}", "-timeout=10", "-rss_limit_mb=1024", f"-artifact_prefix={found}/{target}-"]
    folders = [str(corpus), str(fuzz_checks.CASES / target)]
    atheris.Setup([sys.argv[0], *arguments, *options, *folders], fuzz_checks.CHECKS[target])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
