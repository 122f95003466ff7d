"""Errors of the command line: one line on standard error that says what to do, and an exit code."""

from __future__ import annotations

import json
import logging
import warnings
from typing import TYPE_CHECKING

import pytest

from novaact_http import NovaActError, errors
from novaact_http.cli import _commands, _errors, _listing, _terminal
from novaact_http.testing import make_error
from tests.helpers.command import list_sessions, naming, raising, run, spawn

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from novaact_http.testing import LocalService


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
            "check the names and ids, and that what they name is in the region us-east-1",
        ),
        (["--region", "us-west-2"], {}, 254, "check the credentials and the region: novaact-http doctor"),
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
def test_a_users_value_is_shown_unchanged(arguments: Sequence[str], kept: str, world: LocalService) -> None:
    result = run("list-sessions", *naming(world.runs[0]), *arguments)
    assert result.exit_code in (253, 254)
    assert kept in result.stderr


def test_a_profiles_name_is_shown_unchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name, config = "the argument page_size", tmp_path / "sort_order"
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    config.write_text(f"[profile '{name}']\nregion = a b\n")
    assert f"region of the profile {name!r} is 'a b', which" in run("doctor", "--profile", name).stderr
    config.write_text(f"[profile '{name}']\nregion = x\n")
    assert f"x  (region of the profile {name!r} in {config})" in run("doctor", "--profile", name).stdout


def test_fips_with_an_endpoint_names_the_option(world: LocalService) -> None:
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
def test_an_errors_facts_are_shown(error: NovaActError, text: str) -> None:
    assert _errors.describe(error, None, "") == text


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("AccessDeniedException", "these credentials lack the IAM permission nova-act:ListSessions"),
        ("ThrottlingException", "try again later, with a lower --concurrency or with a higher --max-attempts"),
        ("InternalServerException", "the service failed: try again later"),
        ("ConflictException", "attempts 1)\n"),
    ],
)
def test_an_error_of_the_service_comes_with_what_to_do(code: str, hint: str, world: LocalService) -> None:
    world.fail_next(code, "Asked for.")
    result = list_sessions(world.runs[0], "--max-attempts", "1")
    assert result.exit_code == 254
    assert f"An error occurred ({code}) when calling the ListSessions operation: Asked for. (status" in result.stderr
    assert "request id" in result.stderr
    assert hint in result.stderr


def test_a_missing_permission_is_named_by_the_operation() -> None:
    error = make_error("AccessDeniedException", operation="GetWorkflowRun")
    assert "lack the IAM permission nova-act:GetWorkflowRun: novaact-http doctor shows" in _errors.describe(
        error, None, ""
    )


def test_expired_credentials_come_with_how_to_renew_them(world: LocalService) -> None:
    body = json.dumps({"__type": "ExpiredTokenException", "message": "no"}).encode()
    world.answer_next(403, body)
    assert "log in again, for example with aws sso login" in list_sessions(world.runs[0]).stderr


def test_a_traceback_cannot_control_the_terminal(world: LocalService) -> None:
    world.answer_next(400, json.dumps({"message": "a\x1b[31m\nb"}).encode())
    result = list_sessions(world.runs[0], "--debug")
    assert "Traceback" in result.stderr
    assert r"a\x1b[31m" in result.stderr
    assert "\x1b" not in result.stderr


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


def test_a_warning_of_the_library_is_one_line(world: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_a_warning_of_the_library_is_one_line_and_others_are_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with _terminal.notices(debug=False):
        warnings.warn_explicit("take\ncare", UserWarning, _terminal.__file__, 1)
        warnings.warn("of another package", stacklevel=1)
    assert capsys.readouterr().err == "novaact-http: warning: take care\n"


def test_an_unexpected_error_is_one_line(world: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_listing, "_several", raising(LookupError("surprise")))
    result = list_sessions(world.runs[0])
    assert result.exit_code == 255
    assert result.stderr == (
        "novaact-http: LookupError: surprise; this is unexpected, --debug shows where it happened\n"
    )
    assert "in fail" in list_sessions(world.runs[0], "--debug").stderr


def test_debug_is_advised_only_by_commands_with_that_option(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, arguments, advised in (
        ("doctor", ["doctor"], True),
        ("doctor", ["doctor", "--debug"], False),
        ("local", ["local"], False),
        ("completion", ["completion", "bash"], False),
    ):
        monkeypatch.setattr(_commands.commands.commands[name], "invoke", raising(LookupError("surprise")))
        result = run(*arguments)
        assert result.exit_code == 255
        advice = ", --debug shows where it happened" if advised else ""
        assert result.stderr.splitlines()[-1] == f"novaact-http: LookupError: surprise; this is unexpected{advice}"
