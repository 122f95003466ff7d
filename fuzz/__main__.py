"""`python -m fuzz responses|arguments [options of libFuzzer]`: look for what breaks the library, guided by coverage.

What is found is written to `fuzz/found/`; such a file, put into `tests/fuzz_cases/`, is a test from then on.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

with atheris.instrument_imports(include=["novaact_http"]):
    import fuzzing


def main() -> None:
    """Fuzz until told to stop, or until something breaks."""
    target, options = sys.argv[1], sys.argv[2:]
    corpus = Path(__file__).parent / "corpus" / target
    found = Path(__file__).parent / "found"
    for folder in (corpus, found):
        folder.mkdir(parents=True, exist_ok=True)
    dictionary = Path(__file__).parent / "http.dict"
    arguments = [f"-dict={dictionary}", "-timeout=10", "-rss_limit_mb=1024", f"-artifact_prefix={found}/{target}-"]
    atheris.Setup([sys.argv[0], *arguments, *options, str(corpus), str(fuzzing.CASES / target)], fuzzing.CHECKS[target])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
