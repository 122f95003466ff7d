"""The AWS CLI that is compared with.

`make compare` installs version 1, as the package index has no other. `make compare AWS_CLI=/usr/bin/aws` uses another
one, such as Debian's 2.9. That does not know the service, so it is given botocore's model of it, and it takes endpoints
from its options only.
"""

from __future__ import annotations

import atexit
import gzip
import os
import re
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import botocore

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

AWS = os.environ.get("AWS_CLI", str(Path(sys.executable).parents[2] / ".venv-awscli" / "bin" / "aws"))
# The exit codes of version 1 for each of version 2's: arguments, configuration, the service, anything else.
EXIT_CODES_OF_VERSION_1 = {0: {0}, 252: {2, 255}, 253: {255}, 254: {255}, 255: {255}}
_OUTPUT = subprocess.run([AWS, "--version"], capture_output=True, check=True, text=True).stdout
_VERSION = tuple(map(int, re.findall(r"\d+", _OUTPUT.partition("/")[2].partition(" ")[0])))
IS_VERSION_2 = _VERSION >= (2,)
_LACKS_THE_SERVICE = (2,) <= _VERSION < (2, 31)


class Done(NamedTuple):
    """What a command printed, and its exit code."""

    stdout: str
    stderr: str
    exit_code: int


def run(command: Sequence[str], environ: Mapping[str, str] = os.environ) -> Done:
    """Run a command."""
    done = subprocess.run(command, capture_output=True, check=False, env=dict(environ))
    return Done(done.stdout.decode(), done.stderr.decode(), done.returncode)


def run_aws(arguments: Sequence[str], environ: Mapping[str, str] = os.environ) -> Done:
    """Run the AWS CLI's command for the service."""
    before: list[str] = []
    if _LACKS_THE_SERVICE:
        environ = {**environ, "AWS_DATA_PATH": _models()}
        before = ["--endpoint-url", environ["AWS_ENDPOINT_URL_NOVA_ACT"]]
    return run([AWS, *before, "nova-act", *arguments], environ)


def has_exit_code(done: Done, exit_code: int) -> bool:
    """Tell whether the AWS CLI ended with this exit code of version 2, or what version 1 has for it."""
    return done.exit_code in ({exit_code} if IS_VERSION_2 else EXIT_CODES_OF_VERSION_1[exit_code])


@cache
def _models() -> str:
    """Return a folder with botocore's model of the service, uncompressed."""
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    for path in (Path(botocore.__file__).parent / "data" / "nova-act").rglob("*.json*"):
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        target = Path(folder.name, "nova-act", path.parent.name, path.name.removesuffix(".gz"))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return folder.name
