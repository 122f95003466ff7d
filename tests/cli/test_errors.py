"""Errors of the command line: one line on standard error, and an exit code."""

from __future__ import annotations

import errno
import json
import logging
import shlex
import signal
import ssl
import subprocess
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trustme

import novaact_http
from novaact_http import Client, NovaActError, Timeout, errors
from novaact_http.cli import _commands, _concurrent_listings, _errors, _list_sessions, _terminal
from tests.helpers.command import COMMAND, Held, list_sessions, naming, run, spawn
from tests.helpers.servers import Server, always, never

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from novaact_http.testing import LocalService


@pytest.fixture
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls_url(ca: trustme.CA) -> Iterator[str]:
    """Of a server with a certificate of the CA's, which answers everything with 418."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    answer = always(b"HTTP/1.1 418 Teapot\r\nContent-Length: 2\r\n\r\n{}")
    with Server(answer, answer, answer, answer, tls=context) as server:
        yield f"https://127.0.0.1:{server.endpoint().port}"


@pytest.mark.parametrize(
    ("arguments", "environ", "exit_code", "message"),
    [
        (["--workflow-run-id", ".."], {}, 252, "--workflow-run-id must not be '..'"),
        (["--page-size", "0"], {}, 252, "--page-size must be at least 1"),
        (["--no-paginate", "--max-results", "0"], {}, 252, "--max-results must be at least 1"),
        (["--region", "no region"], {}, 253, "--region is 'no region'"),
        (
            ["--ca-bundle", ""],
            {},
            253,
            "--ca-bundle is '', which is not the path of a CA bundle: use the path of a PEM file, or of a directory",
        ),
        (["--cli-read-timeout", "inf"], {}, 252, "--cli-read-timeout must be a number of seconds, a year at most; 0"),
        (["--cli-connect-timeout", "nan"], {}, 252, "--cli-connect-timeout must be a number of seconds"),
        (["--profile", "nobody"], {}, 253, "--profile is 'nobody', which is a profile of neither"),
        (["--endpoint-url", "https://user:secret@host"], {}, 253, "--endpoint-url holds a user name or password"),
        ([], {"AWS_REGION": "", "AWS_DEFAULT_REGION": ""}, 253, "AWS_DEFAULT_REGION is ''"),
        ([], {"AWS_ACCESS_KEY_ID": ""}, 253, "): pass --profile, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY\n"),
        (["--workflow-run-id", "x"], {}, 254, "ValidationException"),
        (
            ["--workflow-run-id", "00000000-0000-4000-8000-000000000000"],
            {},
            254,
            "check the name, the run's id, and that the run is in the region us-east-1",
        ),
        (["--region", "us-west-2"], {}, 254, "check the credentials: novaact-http doctor"),
        (
            ["--max-attempts", "1"],
            {"AWS_ENDPOINT_URL_NOVA_ACT": "http://127.0.0.1:1"},
            255,
            "attempts 1); the endpoint is http://127.0.0.1:1 (from AWS_ENDPOINT_URL_NOVA_ACT)",
        ),
    ],
)
def test_an_error_is_one_line_and_an_exit_code(
    world: LocalService,
    monkeypatch: pytest.MonkeyPatch,
    arguments: Sequence[str],
    environ: dict[str, str],
    exit_code: int,
    message: str,
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    named = naming(world.runs[0]) if "--workflow-run-id" not in arguments else naming(world.runs[0])[:2]
    result = run("list-sessions", *named, *arguments)
    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert result.stderr.startswith("novaact-http: ")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert "secret" not in result.stderr


def test_no_region_says_how_to_set_one(world: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    result = list_sessions(world.runs[0])
    assert result.exit_code == 253
    assert result.stderr == (
        "novaact-http: no region is set: pass --region or set AWS_REGION, for example to us-east-1\n"
    )


REFUSED = "bad arguments, nothing was sent: "


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--workflow-definition-name", "..", f"{REFUSED}--workflow-definition-name must not be '..'"),
        ("--workflow-run-id", "", f"{REFUSED}--workflow-run-id must not be empty"),
        ("--page-size", "0", f"{REFUSED}--page-size must be at least 1, not 0"),
        ("--max-items", "-1", f"{REFUSED}--max-items must be at least 0, not -1"),
        ("--starting-token", "\udcff", f"{REFUSED}--starting-token has a lone surrogate"),
        ("--max-results", "0", f"{REFUSED}--max-results must be at least 1, not 0"),
        ("--next-token", "", f"{REFUSED}--next-token must not be empty"),
        ("--profile", "", "--profile is '', which is a profile of neither the config file nor"),
        ("--region", "", "--region is '', which is not a region: use up to 63 letters, digits and inner hyphens"),
        ("--endpoint-url", "", "--endpoint-url is '', which does not begin with https:// or http://: use one such as"),
        ("--ca-bundle", "", "--ca-bundle is '', which is not the path of a CA bundle: use the path of a PEM file"),
    ],
)
def test_a_bad_value_is_named_by_its_option(option: str, value: str, message: str, world: LocalService) -> None:
    named = dict(zip(("--workflow-definition-name", "--workflow-run-id"), naming(world.runs[0])[1::2], strict=True))
    result = run("list-sessions", *(f"{name}={given}" for name, given in {**named, option: value}.items()))
    assert result.exit_code == (252 if message.startswith(REFUSED) else 253)
    assert result.stderr.startswith(f"novaact-http: {message}")
    assert "argument " not in result.stderr
    assert "SSLContext" not in result.stderr
    if option in ("--profile", "--region", "--endpoint-url", "--ca-bundle"):
        examined = run("doctor", f"{option}={value}")
        assert examined.exit_code == 253
        assert result.stderr in examined.stderr


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        (["--region", "the argument region"], "--region is 'the argument region', which"),
        (["--endpoint-url", "max_items"], "--endpoint-url is 'max_items', which"),
        (["--profile", "pass region=..."], "--profile is 'pass region=...', which"),
        (["--ca-bundle", "/no/next_token", "--endpoint-url", "https://h"], "--ca-bundle is '/no/next_token', which"),
        (["--workflow-run-id", "page_size"], "run page_size: "),
        (["--workflow-run-id", "the argument verify"], "run the argument verify: "),
    ],
)
def test_what_the_user_wrote_is_shown_as_it_is(arguments: Sequence[str], kept: str, world: LocalService) -> None:
    result = run("list-sessions", *naming(world.runs[0]), *arguments)
    assert result.exit_code in (253, 254)
    assert kept in result.stderr


def test_a_profiles_name_is_shown_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name, config = "the argument page_size", tmp_path / "sort_order"
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    config.write_text(f"[profile '{name}']\nregion = a b\n")
    assert f"region of the profile {name!r} is 'a b', which" in run("doctor", "--profile", name).stderr
    config.write_text(f"[profile '{name}']\nregion = x\n")
    assert f"x  (region of the profile {name!r} in {config})" in run("doctor", "--profile", name).stdout


def test_fips_and_an_endpoint_are_told_by_their_options(world: LocalService) -> None:
    result = list_sessions(world.runs[0], "--region", "fips-us-east-1", "--endpoint-url", "https://h")
    assert result.exit_code == 253
    assert result.stderr == (
        "novaact-http: --endpoint-url cannot be used with FIPS, which the region's name turns on (Invalid "
        "Configuration: FIPS and custom endpoint are not supported): remove one of the two settings\n"
    )


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (errors.ParameterError("an argument is too long"), "an argument is too long"),
        (errors.ConfigurationError("is bad", source="the argument use_fips"), "--use-fips is bad"),
        (errors.ConfigurationError("is bad", source="the argument, in words"), "the argument, in words is bad"),
        (errors.ConfigurationError("there is no event loop"), "there is no event loop"),
        (errors.CredentialsError("are bad", source="the argument credentials"), "the credentials are bad"),
        (
            errors.CredentialsError("failed", source="the argument credentials (a Session)", advice="pass others"),
            "the argument credentials (a Session) failed: pass others",
        ),
    ],
)
def test_what_an_error_knows_is_told(error: NovaActError, text: str) -> None:
    assert _errors.describe(error, None, "") == text


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("AccessDeniedException", "these credentials lack the IAM permission nova-act:ListSessions"),
        ("ThrottlingException", "try again later, with a lower --concurrency or a higher --max-attempts"),
        ("InternalServerException", "the service failed: try again later"),
        ("ConflictException", "attempts 1)\n"),
    ],
)
def test_what_the_service_says_comes_with_what_to_do(code: str, hint: str, world: LocalService) -> None:
    world.fail_next(code, "Asked for.")
    result = list_sessions(world.runs[0], "--max-attempts", "1")
    assert result.exit_code == 254
    assert f"An error occurred ({code}) when calling the ListSessions operation: Asked for. (status" in result.stderr
    assert "request id" in result.stderr
    assert hint in result.stderr


def test_credentials_that_have_expired_are_to_be_renewed(world: LocalService) -> None:
    body = json.dumps({"__type": "ExpiredTokenException", "message": "no"}).encode()
    world.answer_next(403, body)
    assert "log in again, for example with aws sso login" in list_sessions(world.runs[0]).stderr


def test_a_certificate_that_is_not_trusted_says_how_to_trust_it(
    tls_url: str, ca: trustme.CA, tmp_path: Path, world: LocalService
) -> None:
    ca_bundle = tmp_path / "ca.pem"
    ca.cert_pem.write_to_path(str(ca_bundle))
    once = ("--max-attempts", "1", "--endpoint-url", tls_url)
    refused = list_sessions(world.runs[0], *once)
    assert refused.exit_code == 255
    assert (
        f"the endpoint is {tls_url} (from --endpoint-url); to trust its certificate, pass that of its CA"
        in refused.stderr
    )
    assert "--ca-bundle" in refused.stderr
    for trusting in (["--ca-bundle", str(ca_bundle)], ["--no-verify-ssl"]):
        answered = list_sessions(world.runs[0], *once, *trusting)
        assert "CERTIFICATE_VERIFY_FAILED" not in answered.stderr
        assert answered.exit_code == 254
        assert "418" in answered.stderr
        warned = "warning: with --no-verify-ssl no certificate is checked" in answered.stderr
        assert warned is (trusting == ["--no-verify-ssl"])
    both = list_sessions(world.runs[0], *once, "--no-verify-ssl", "--ca-bundle", str(ca_bundle))
    assert "can read and replay requests; --ca-bundle is not used\n" in both.stderr
    missing = list_sessions(world.runs[0], *once, "--ca-bundle", "/no/such/file")
    assert missing.exit_code == 253
    assert "--ca-bundle is '/no/such/file', which cannot be used as a CA bundle ([" in missing.stderr


def test_a_service_that_is_slow_is_said_to_need_more_time(world: LocalService) -> None:
    with Server(never) as silent:
        url = f"http://127.0.0.1:{silent.endpoint().port}"
        options = ("--endpoint-url", url, "--max-attempts", "1", "--cli-read-timeout", "0.01")
        result = list_sessions(world.runs[0], *options)
    assert result.exit_code == 255
    assert "--cli-connect-timeout and --cli-read-timeout give it more time" in result.stderr


def test_no_limit_is_0_as_in_the_aws_cli(world: LocalService) -> None:
    result = list_sessions(world.runs[0], "--output", "ids", "--cli-read-timeout", "0", "--cli-connect-timeout", "0")
    assert result.exit_code == 0
    assert list_sessions(world.runs[0], "--cli-read-timeout", "-1").exit_code == 252


def test_a_traceback_does_not_steer_the_terminal(world: LocalService) -> None:
    world.answer_next(400, json.dumps({"message": "a\x1b[31m\nb"}).encode())
    result = list_sessions(world.runs[0], "--debug")
    assert "Traceback" in result.stderr
    assert r"a\x1b[31m" in result.stderr
    assert "\x1b" not in result.stderr


def test_a_proxys_password_is_shown_nowhere(world: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:password@127.0.0.1:1")
    result = list_sessions(world.runs[0], "--endpoint-url", "https://example.com", "--debug", "--max-attempts", "1")
    assert result.exit_code == 255
    assert "Traceback" in result.stderr
    assert "password" not in result.stderr


def test_limits_are_what_was_asked_for(world: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Timeout] = []

    def client(**options: Any) -> Client:
        asked.append(options["timeout"])
        return Client(**options)

    monkeypatch.setattr(novaact_http, "Client", client)
    list_sessions(world.runs[0])
    list_sessions(world.runs[0], "--cli-read-timeout", "0", "--cli-connect-timeout", "0")
    list_sessions(world.runs[0], "--cli-read-timeout", "7", "--cli-connect-timeout", "1.5")
    year = 365 * 24 * 60 * 60
    assert asked == [Timeout(), Timeout(connect=year, read=year), Timeout(connect=1.5, read=7)]


def test_debug_shows_each_attempt_and_the_traceback_and_no_secret(world: LocalService) -> None:
    world.fail_next("AccessDeniedException")
    result = list_sessions(world.runs[0], "--debug")
    assert "novaact-http: debug: ListSessions attempt 1: status 403, AccessDeniedException" in result.stderr
    assert "Traceback" in result.stderr
    assert world.credentials.secret_access_key not in result.stderr
    assert "Signature=" not in result.stderr
    quiet = list_sessions(world.runs[0])
    assert quiet.stderr == ""
    assert logging.getLogger("novaact_http").handlers == []
    assert "attempt 1: status 200" in list_sessions(world.runs[0], "--debug").stderr


def test_what_the_library_warns_of_is_one_line(world: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_RETRY_MODE", "legacy")
    arguments = (*naming(world.runs[0]), "--endpoint-url", "http://nova-act.invalid", "--max-attempts", "1")
    with spawn("list-sessions", *arguments) as process:
        _, stderr = process.communicate()
    lines = stderr.decode().splitlines()
    assert lines[0] == (
        "novaact-http: warning: requests to http://nova-act.invalid are not encrypted: use https, or others can read "
        "and replay them"
    )
    assert len(lines) == 2
    result = list_sessions(world.runs[0])
    assert result.stderr.startswith("novaact-http: warning: AWS_RETRY_MODE is legacy")


def test_warnings_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with _terminal.notices(debug=False):
        warnings.warn("take\ncare", stacklevel=1)
    assert capsys.readouterr().err == "novaact-http: warning: take care\n"


def test_what_nobody_expected_is_one_line_too(world: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise LookupError("surprise")

    monkeypatch.setattr(_list_sessions, "_run_ids", fail)
    result = list_sessions(world.runs[0])
    assert result.exit_code == 255
    assert result.stderr == (
        "novaact-http: LookupError: surprise; this is unexpected, --debug shows where it happened\n"
    )
    assert "in fail" in list_sessions(world.runs[0], "--debug").stderr


def test_debug_is_advised_where_there_is_such_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise LookupError("surprise")

    for name, arguments, advised in (
        ("doctor", ["doctor"], True),
        ("doctor", ["doctor", "--debug"], False),
        ("local", ["local"], False),
        ("completion", ["completion", "bash"], False),
    ):
        monkeypatch.setattr(_commands.commands.commands[name], "invoke", fail)
        result = run(*arguments)
        assert result.exit_code == 255
        advice = ", --debug shows where it happened" if advised else ""
        assert result.stderr.splitlines()[-1] == f"novaact-http: LookupError: surprise; this is unexpected{advice}"


@pytest.mark.parametrize("name", ["ids", "jsonl", "text", "table"])
def test_a_listing_that_fails_in_the_middle_says_how_to_go_on(name: str, world: LocalService) -> None:
    of = world.runs[0]
    page = {"sessionSummaries": [{"sessionId": each} for each in of.session_ids[:3]], "nextToken": "not a token"}
    world.answer_next(200, json.dumps(page).encode())
    result = list_sessions(of, "--output", name, "--sort-order", "Ascending")
    assert result.exit_code == 254
    assert all(each in result.stdout for each in of.session_ids[:3])
    failure, advice = result.stderr.splitlines()
    assert "ValidationException" in failure
    start = "novaact-http: there are more sessions; continue with: novaact-http list-sessions "
    assert advice.startswith(f"{start}--workflow-definition-name {of.workflow_definition_name} --sort-order Ascending")
    assert f"--workflow-run-id {of.workflow_run_id} --starting-token " in advice


def test_a_document_that_would_be_incomplete_is_not_printed(world: LocalService) -> None:
    page = {"sessionSummaries": [{"sessionId": "a"}], "nextToken": "not a token"}
    world.answer_next(200, json.dumps(page).encode())
    result = list_sessions(world.runs[0], "--output", "json")
    assert (result.exit_code, result.stdout) == (254, "")
    assert (
        "the sessions listed so far are not printed, as an incomplete document would look complete; " in result.stderr
    )


def test_the_command_to_go_on_with_goes_on(world: LocalService) -> None:
    of = world.add_run("other", sessions=25)
    listed: list[str] = []
    arguments = ["list-sessions", *naming(of), "--output", "ids", "--max-items", "10", "--page-size", "7"]
    while arguments:
        result = run(*arguments)
        listed += result.stdout.splitlines()
        command = result.stderr.partition("continue with: novaact-http ")[2]
        arguments = shlex.split(command)
    assert listed == list(of.session_ids)


@pytest.mark.parametrize("word", ["plain", "with space", "it's", "a\nb", "\x1b[31m", "back\\slash\n", "é", ""])
def test_words_are_quoted_as_a_shell_takes_them(word: str) -> None:
    quoted = _terminal.quoted(word)
    assert quoted.isprintable()
    done = subprocess.run(["bash", "-c", f"printf %s {quoted}"], capture_output=True, check=True)
    assert done.stdout.decode() == word


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("name", ["ids", "json", "table"])
def test_a_full_disk_is_one_line(name: str, world: LocalService) -> None:
    with (
        Path("/dev/full").open("wb") as full,
        spawn("list-sessions", *naming(world.runs[0]), "--output", name, stdout=full) as process,
    ):
        _, stderr = process.communicate()
    assert process.returncode == 255
    assert stderr == b"novaact-http: cannot write the output: No space left on device\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_help_that_cannot_be_written_is_one_line() -> None:
    with Path("/dev/full").open("wb") as full, spawn("doctor", "--help", stdout=full) as process:
        _, stderr = process.communicate()
    assert process.returncode == 255
    assert stderr == b"novaact-http: cannot write the output: No space left on device\n"


def test_an_error_outside_of_commands_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> object:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(_commands.commands, "make_context", fail)
    result = run("--help")
    assert (result.exit_code, result.stderr) == (
        255,
        "novaact-http: cannot write the output: No space left on device\n",
    )


def test_a_closed_standard_output_is_one_line(world: LocalService) -> None:
    command = [COMMAND, "list-sessions", *naming(world.runs[0])]
    done = subprocess.run(["sh", "-c", '"$@" >&-', "sh", *command], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (
        255,
        b"novaact-http: cannot write the output: standard output is closed\n",
    )
    assert not world.requests


def test_a_reader_that_has_enough_is_no_error(world: LocalService) -> None:
    of = world.add_run("long", sessions=3_000)
    command = [COMMAND, "list-sessions", *naming(of), "--output", "ids"]
    done = subprocess.run(
        ["bash", "-c", '"$@" | head -n 1; echo ${PIPESTATUS[0]}', "bash", *command], capture_output=True, check=False
    )
    assert done.stdout.decode().splitlines() == [of.session_ids[0], "0"]
    assert done.stderr == b""
    assert len(world.requests) < 30


def test_a_closed_standard_error_is_no_error(world: LocalService) -> None:
    command = [COMMAND, "list-sessions", *naming(world.runs[0]), "--output", "ids", "--max-items", "1"]
    done = subprocess.run(["sh", "-c", '"$@" 2>&-', "sh", *command], capture_output=True, check=False)
    assert (done.returncode, done.stdout.decode()) == (0, f"{world.runs[0].session_ids[0]}\n")


def test_an_interruption_is_quiet_and_says_how_to_go_on(world: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    of = world.runs[0]
    held = Held(world, lambda target: "nextToken" in target, monkeypatch)
    with spawn("list-sessions", *naming(of), "--output", "ids", "--page-size", "10") as process:
        assert held.asked.wait(30)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate()
        held.let_go()
    assert process.returncode == 130
    assert stdout.decode().splitlines() == list(of.session_ids[:10])
    assert stderr.startswith(b"novaact-http: there are more sessions; continue with: novaact-http list-sessions ")
    assert stderr.count(b"\n") == 1


def test_an_interruption_before_anything_was_listed_says_nothing(
    world: LocalService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(_list_sessions.Run, "_list_pages", interrupt)
    result = list_sessions(world.runs[0])
    assert (result.exit_code, result.stdout, result.stderr) == (130, "", "")
    monkeypatch.setattr(_list_sessions, "_run_ids", interrupt)
    result = list_sessions(world.runs[0])
    assert (result.exit_code, result.stdout, result.stderr) == (130, "", "")


def test_an_interruption_of_the_last_write_does_not_begin_it_again(
    world: LocalService, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[bytes] = []

    def interrupt(_: object, data: bytes, token: str | None) -> None:
        written.append(data)
        raise KeyboardInterrupt

    monkeypatch.setattr(_concurrent_listings.Outlet, "_write", interrupt)
    for arguments in ([], ["--no-paginate"]):
        assert list_sessions(world.runs[0], *arguments).exit_code == 130
    assert len(written) == 2


def test_a_ctrl_c_is_not_reported() -> None:
    assert _errors.report(KeyboardInterrupt(), debug=True) == 130
    assert _errors.exit_code(KeyboardInterrupt()) == 130


def test_what_cannot_be_written_of_several_runs(world: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(_concurrent_listings.Outlet, "_write", fail)
    result = run("list-sessions", *naming(*[world.add_run("many", sessions=3) for _ in range(3)]))
    assert (result.exit_code, result.stdout) == (255, "")
    assert result.stderr == "novaact-http: cannot write the output: No space left on device\n"


@pytest.mark.parametrize(
    ("error", "exit_code", "message"),
    [
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 0, ""),
        (OSError(errno.ENOSPC, "No space left on device"), 255, "cannot write the output: No space left on device"),
        (OSError("odd"), 255, "cannot write the output: odd"),
    ],
)
def test_what_cannot_be_written(
    error: OSError, exit_code: int, message: str, world: LocalService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(_concurrent_listings.Outlet, "_write", fail)
    result = list_sessions(world.runs[0], "--output", "ids")
    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert result.stderr == (f"novaact-http: {message}\n" if message else "")


def test_streams_that_are_closed_are_said(world: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ["list-sessions", *naming(world.runs[0])[:2], "--workflow-run-id", "-"]
    lines: list[str] = []
    monkeypatch.setattr(_errors, "say", lines.append)
    monkeypatch.setattr(_commands, "say", lines.append)
    for name in ("stdin", "stdout"):
        monkeypatch.setattr(sys, name, None)
        with pytest.raises(SystemExit):
            _commands.commands(arguments, "novaact-http")
    assert lines[0].startswith("--workflow-run-id - reads standard input, which is closed; see novaact-http list-")
    assert lines[1:] == ["cannot write the output: standard output is closed"]


def test_an_interruption_before_a_command_runs_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(_commands.commands, "make_context", interrupt)
    assert run("--version").exit_code == 130


def test_what_is_still_buffered_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "output"
    with path.open("w") as output:
        output.write("buffered")
        monkeypatch.setattr(sys, "stdout", output)
        _errors.give_up_standard_output()
    assert path.read_text() == ""


def test_nothing_is_given_up_where_there_is_no_standard_output(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    _errors.give_up_standard_output()
