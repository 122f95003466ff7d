"""What a client calls itself, in the form of AWS's SDKs.

https://docs.aws.amazon.com/sdkref/latest/guide/feature-application-id.html
`platform` would tell more about the operating system, but importing it takes longer than all of this.
"""

from __future__ import annotations

import re
import sys

from novaact_http._version import __version__

_NOT_ALLOWED = r"[^A-Za-z0-9!$%&'*+.^_`|~,-]"


def user_agent(app_id: str, execution_env: str = "") -> str:
    """Return the value of the header User-Agent.

    Args:
        app_id: the application's id, `""` for none.
        execution_env: the environment that AWS says this runs in, such as `AWS_Lambda_python3.13`; `""` for none.
    """
    system = {"darwin": "macos", "win32": "windows"}.get(sys.platform, sys.platform)
    python = ".".join(map(str, sys.version_info[:3]))
    implementation = {"cpython": "CPython", "pypy": "PyPy"}.get(sys.implementation.name, sys.implementation.name)
    return (
        f"novaact-http/{__version__} ua/2.1 os/{system} lang/python#{python} md/pyimpl#{implementation}"
        + (f" exec-env/{re.sub(_NOT_ALLOWED, '-', execution_env)}" if execution_env else "")
        + (f" app/{app_id}" if app_id else "")
    )
