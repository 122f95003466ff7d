"""Every source of botocore's chain, with real files, processes, and servers on this machine."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest
from botocore.credentials import SSOProvider

from novaact_http import CredentialsError
from tests.helpers.calls import call_for, options_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from novaact_http.testing import LocalService
    from tests.helpers.both_clients import Face

STS = """<{0}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{0}Result><Credentials>
<AccessKeyId>{1}</AccessKeyId><SecretAccessKey>{2}</SecretAccessKey><SessionToken></SessionToken>
<Expiration>{3}</Expiration></Credentials></{0}Result></{0}Response>"""


def in_an_hour() -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc) + dt.timedelta(hours=1)


class Aws:
    """STS, SSO, the containers' endpoint and the instances', all of which give out the local service's credentials."""

    def __init__(self, service: LocalService) -> None:
        self.asked: list[str] = []
        self.key_id, self.secret = service.credentials.access_key_id, service.credentials.secret_access_key
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"aws": self}))
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def answer(self, method: str, path: str, body: str) -> tuple[int, str]:
        expiry = in_an_hour().strftime("%Y-%m-%dT%H:%M:%SZ")
        # An empty token counts as none, and so the local service lets these in.
        keys = {"AccessKeyId": self.key_id, "SecretAccessKey": self.secret, "Token": "", "Expiration": expiry}
        action = parse_qs(body).get("Action", [""])[0]
        self.asked.append(action or f"{method} {path.partition('?')[0]}")
        if action:
            return 200, STS.format(action, self.key_id, self.secret, expiry)
        role = {"accessKeyId": self.key_id, "secretAccessKey": self.secret, "sessionToken": ""}
        soon = int(in_an_hour().timestamp() * 1000)
        documents: dict[str, object] = {
            "/federation/credentials": {"roleCredentials": {**role, "expiration": soon}},
            "/container": {**keys, "RoleArn": "arn:aws:iam::123456789012:role/r"},
            "/latest/api/token": "imds-token",
            "/latest/meta-data/iam/security-credentials/": "role",
            "/latest/meta-data/iam/security-credentials/role": {**keys, "Code": "Success", "LastUpdated": expiry},
        }
        document = documents.get(path.partition("?")[0])
        if document is None:
            return 404, ""
        return 200, document if isinstance(document, str) else json.dumps(document)


class _Handler(BaseHTTPRequestHandler):
    aws: Aws

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        status, text = self.aws.answer(self.command, self.path, body)
        self.send_response(status)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    do_GET = do_POST = do_PUT = handle_any  # noqa: N815 - their names are http.server's

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def aws(service: LocalService) -> Iterator[Aws]:
    running = Aws(service)
    yield running
    running.server.shutdown()
    running.server.server_close()


class Machine:
    """The files and the environment of the user's machine."""

    def __init__(self, folder: Path, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.aws = folder, aws
        self._set = monkeypatch.setenv
        # botocore looks in the home folder that the interpreter started with.
        monkeypatch.setattr(SSOProvider, "_SSO_TOKEN_CACHE_DIR", str(folder / ".aws/sso/cache"))
        self.set(HOME=str(folder), AWS_DEFAULT_REGION="us-east-1")
        self.set(AWS_CONFIG_FILE=str(folder / "config"), AWS_SHARED_CREDENTIALS_FILE=str(folder / "credentials"))
        self.set(AWS_ENDPOINT_URL_STS=aws.url, AWS_ENDPOINT_URL_SSO=aws.url, AWS_ENDPOINT_URL_SSO_OIDC=aws.url)

    def set(self, **environ: str) -> None:
        for name, value in environ.items():
            self._set(name, value)

    def keys(self) -> str:
        return f"aws_access_key_id = {self.aws.key_id}\naws_secret_access_key = {self.aws.secret}\n"

    def config(self, text: str) -> None:
        (self.folder / "config").write_text(text)

    def credentials(self, text: str) -> None:
        (self.folder / "credentials").write_text(text)


@pytest.fixture
def machine(tmp_path: Path, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, aws, monkeypatch)


def static_profile(machine: Machine) -> None:
    machine.credentials(f"[dev]\n{machine.keys()}")


def profile_in_the_config_file(machine: Machine) -> None:
    machine.config(f"[profile dev]\n{machine.keys()}")


def assumed_role(machine: Machine) -> None:
    machine.credentials("[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = basebasebase\n")
    machine.config("[profile dev]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = base\n")


def web_identity(machine: Machine) -> None:
    (machine.folder / "token").write_text("a.web.token")
    role = "role_arn = arn:aws:iam::123456789012:role/r"
    machine.config(f"[profile dev]\n{role}\nweb_identity_token_file = {machine.folder / 'token'}\n")


def sso(machine: Machine) -> None:
    start = "https://start.example"
    folder = machine.folder / ".aws/sso/cache"
    folder.mkdir(parents=True)
    token = {"startUrl": start, "region": "us-east-1", "accessToken": "t", "expiresAt": in_an_hour().isoformat()}
    (folder / f"{hashlib.sha1(start.encode()).hexdigest()}.json").write_text(json.dumps(token))
    account = "sso_account_id = 123456789012\nsso_role_name = r\n"
    machine.config(f"[profile dev]\nsso_start_url = {start}\nsso_region = us-east-1\n{account}")


def process(machine: Machine) -> None:
    found = {"Version": 1, "AccessKeyId": machine.aws.key_id, "SecretAccessKey": machine.aws.secret}
    (machine.folder / "process.py").write_text(f"print({json.dumps(json.dumps(found))})")
    machine.config(f"[profile dev]\ncredential_process = {sys.executable} {machine.folder / 'process.py'}\n")


def container(machine: Machine) -> None:
    machine.set(AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{machine.aws.url}/container")


def instance(machine: Machine) -> None:
    machine.set(AWS_EC2_METADATA_DISABLED="false", AWS_EC2_METADATA_SERVICE_ENDPOINT=machine.aws.url)


def session_of(face: Face, service: LocalService, **options: Any) -> Any:
    return face.page({**options_for(service), "credentials": None, **options}, **call_for(service.runs[0]))


@pytest.mark.parametrize(
    ("prepare", "asked"),
    [
        (static_profile, []),
        (profile_in_the_config_file, []),
        (assumed_role, ["AssumeRole"]),
        (web_identity, ["AssumeRoleWithWebIdentity"]),
        (sso, ["GET /federation/credentials"]),
        (process, []),
    ],
)
def test_a_profile_of_any_kind_works(
    face: Face, service: LocalService, machine: Machine, prepare: Any, asked: list[str]
) -> None:
    prepare(machine)
    assert session_of(face, service, profile="dev").session_summaries
    assert machine.aws.asked == asked


def test_a_profile_named_in_the_environment_works(face: Face, service: LocalService, machine: Machine) -> None:
    static_profile(machine)
    machine.set(AWS_PROFILE="dev")
    assert session_of(face, service).session_summaries


def test_a_role_is_assumed_in_the_clients_own_region_where_the_machine_has_none(
    face: Face, service: LocalService, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assumed_role(machine)
    assert session_of(face, service, profile="dev").session_summaries


@pytest.mark.parametrize(
    ("prepare", "asked"),
    [
        (container, ["GET /container"]),
        (
            instance,
            [
                "PUT /latest/api/token",
                "GET /latest/meta-data/iam/security-credentials/",
                "GET /latest/meta-data/iam/security-credentials/role",
            ],
        ),
    ],
)
def test_the_credentials_of_containers_and_instances_work(
    face: Face, service: LocalService, machine: Machine, prepare: Any, asked: list[str]
) -> None:
    prepare(machine)
    assert session_of(face, service).session_summaries
    if prepare is container:
        assert machine.aws.asked == asked
    else:  # newer versions of the protocol are tried first
        assert machine.aws.asked[0] == asked[0]
        assert machine.aws.asked[-1].endswith("/role")


def test_the_error_of_a_failed_process_has_its_output(face: Face, service: LocalService, machine: Machine) -> None:
    (machine.folder / "process.py").write_text("import sys; sys.exit('the vault is sealed')")
    machine.config(f"[profile dev]\ncredential_process = {sys.executable} {machine.folder / 'process.py'}\n")
    with pytest.raises(CredentialsError, match=r"CredentialRetrievalError: .*the vault is sealed") as caught:
        session_of(face, service, profile="dev")
    assert type(caught.value.__cause__).__name__ == "CredentialRetrievalError"


def test_an_sso_login_that_has_expired_says_so(face: Face, service: LocalService, machine: Machine) -> None:
    sso(machine)
    (token,) = (machine.folder / ".aws/sso/cache").iterdir()
    token.write_text(token.read_text().replace(str(in_an_hour().year), "2001"))
    with pytest.raises(CredentialsError, match=r"UnauthorizedSSOTokenError: The SSO session .* has expired"):
        session_of(face, service, profile="dev")


def test_half_a_key_pair_in_a_profile_is_an_error(face: Face, service: LocalService, machine: Machine) -> None:
    machine.credentials("[dev]\naws_access_key_id = AKIA\n")
    with pytest.raises(CredentialsError, match=r"PartialCredentialsError: .*aws_secret_access_key"):
        session_of(face, service, profile="dev")
