"""Cold start to the first response: a fresh Python imports a library, makes a client and makes one call.

The scripts do not use this package and run isolated (`python -I`), so they import what a user's script would import.
The time runs from before the process starts until it reports a complete page. It reports its CPU time and peak memory
at that moment. click and rich are installed here, and httpx imports both if it can (for its command line). So a script
without them blocks their import, as if they were not installed.
"""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from bench.contenders import HEADERS, KEY, NAME, REGION, RUN_ID, SECRET, Arguments
from bench.measure import ENVIRONMENT, ContenderError

if TYPE_CHECKING:
    from pathlib import Path

    from bench.contenders import Target

_BLOCKED = 'sys.modules.update(dict.fromkeys(("click", "rich", "pygments")))'

# VmHWM is the peak of this program alone. `ru_maxrss` begins with the peak of the parent process.
_SCRIPT = """
import sys
from time import perf_counter, process_time
{blocked}
url, ca_bundle = {url!r}, {ca_bundle!r}
began = perf_counter()
{imports}
imported = perf_counter()

{prefix}def main():
    client = {client}
    made = perf_counter()
    page = {call}
    answered, cpu = perf_counter(), process_time()
    print("answered", flush=True)
    print(cpu, imported - began, made - imported, answered - made, peak(), {count}, flush=True)
    {close}

def fetch(connection, request):
    connection.sendall(request)
    received = b""
    while not received.endswith(b"}}"):
        received += connection.recv(65536)
    return received.partition(b"\\r\\n\\r\\n")[2]

def peak():
    try:
        with open("/proc/self/status") as status:
            return int(status.read().partition("VmHWM:")[2].split()[0]) * 1024
    except FileNotFoundError:
        import resource
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

{run}
"""


@dataclass(frozen=True)
class Script:
    """The parts of a contender's script, as Python source."""

    imports: str
    client: str
    call: str
    count: str
    close: str
    asynchronous: bool = False


class Start(NamedTuple):
    """The cost of a cold start: `peak` in bytes, all else in seconds."""

    cpu: float
    wall: float
    imports: float
    client: float
    call: float
    peak: float

    @property
    def inside(self) -> float:
        """The time within Python, from before the imports on."""
        return self.imports + self.client + self.call


_ARGUMENTS = Arguments(RUN_ID, "AQICAHi/x+x=", 100)
_OURS = (
    f"(region={REGION!r}, endpoint_url=url, verify=ca_bundle, "
    f"credentials=Credentials(access_key_id={KEY!r}, secret_access_key={SECRET!r}))"
)
_OURS_CALL = (
    f"client.list_sessions(workflow_definition_name={NAME!r}, workflow_run_id={RUN_ID!r}, "
    f"max_results=100, next_token={_ARGUMENTS.token!r})"
)
_BOTOCORE = (
    f"('nova-act', region_name={REGION!r}, endpoint_url=url, verify=ca_bundle, "
    f"aws_access_key_id={KEY!r}, aws_secret_access_key={SECRET!r})"
)
_BOTOCORE_CALL = (
    f"client.list_sessions(workflowDefinitionName={NAME!r}, workflowRunId={RUN_ID!r}, "
    f"maxResults=100, nextToken={_ARGUMENTS.token!r})"
)
_REQUEST = (
    f"POST {_ARGUMENTS.path()} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    "Content-Length: 2\r\n\r\n{}"
).encode()
_HTTPX_CALL = f"json.loads(client.post(url + {_ARGUMENTS.path()!r}, headers={HEADERS!r}, content=b'{{}}').content)"

SCRIPTS = {
    "nothing": Script("", "None", "None", "100", "pass"),
    "ours": Script(
        "from novaact_http import Client, Credentials",
        f"Client{_OURS}",
        _OURS_CALL,
        "len(page.session_summaries)",
        "client.close()",
    ),
    "boto3": Script(
        "import boto3",
        f"boto3.client{_BOTOCORE}",
        _BOTOCORE_CALL,
        "len(page['sessionSummaries'])",
        "client.close()",
    ),
    "httpx": Script(
        "import httpx, json, ssl",
        "httpx.Client(verify=ssl.create_default_context(cafile=ca_bundle))",
        _HTTPX_CALL,
        "len(page['sessionSummaries'])",
        "client.close()",
    ),
    "capo": Script(
        "from capo_nova_act import Credentials, NovaActClient",
        f"NovaActClient(region={REGION!r}, endpoint=url, "
        f"credentials=Credentials(access_key={KEY!r}, secret_key={SECRET!r}))",
        f"client.list_sessions({NAME!r}, {RUN_ID!r}, max_results=100, next_token={_ARGUMENTS.token!r})",
        "len(page['session_summaries'])",
        "pass",
    ),
    "bare": Script(
        "import attrs, json, logging, socket, ssl\nfrom urllib.parse import urlsplit",
        "ssl.create_default_context(cafile=ca_bundle).wrap_socket("
        "socket.create_connection((urlsplit(url).hostname, urlsplit(url).port)), server_hostname='127.0.0.1')",
        f"json.loads(fetch(client, {_REQUEST!r}))",
        "len(page['sessionSummaries'])",
        "client.close()",
    ),
    "ours, async": Script(
        "import asyncio\nfrom novaact_http import AsyncClient, Credentials",
        f"AsyncClient{_OURS}",
        f"await {_OURS_CALL}",
        "len(page.session_summaries)",
        "await client.aclose()",
        asynchronous=True,
    ),
    "aiobotocore": Script(
        "import asyncio\nfrom aiobotocore.session import get_session",
        f"await get_session().create_client{_BOTOCORE}.__aenter__()",
        f"await {_BOTOCORE_CALL}",
        "len(page['sessionSummaries'])",
        "await client.__aexit__(None, None, None)",
        asynchronous=True,
    ),
}


def run(name: str, target: Target, *, with_click: bool = True, python: str | Path = sys.executable) -> Start:
    """Run the script of a contender, and return its cost.

    Raises:
        ContenderError: it did not get a whole page.
    """
    script = SCRIPTS[name]
    code = _SCRIPT.format(
        blocked="" if with_click else _BLOCKED,
        url=target.url,
        ca_bundle=target.ca_bundle,
        imports=script.imports,
        prefix="async " if script.asynchronous else "",
        client=script.client,
        call=script.call,
        count=script.count,
        close=script.close,
        run="asyncio.run(main())" if script.asynchronous else "main()",
    )
    began = time.perf_counter()
    process = subprocess.Popen(
        [str(python), "-I", "-c", code], env=ENVIRONMENT, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    wall = time.perf_counter() - began
    figures = process.communicate()[0].split()
    if process.returncode or len(figures) != 6 or figures[-1] != "100":
        raise ContenderError(f"the cold start of {name} got no page: see its output above")
    cpu, *rest = map(float, figures[:5])
    return Start(cpu, wall, *rest)
