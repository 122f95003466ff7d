"""Shows an error as one line on standard error, and as an exit code of the AWS CLI, version 2.

252: the arguments are bad. 253: a setting or the credentials are missing or bad. 254: the service answered with an
error. 130: Ctrl-C. 255: anything else.

What the library's errors say is read from their attributes. Their text is written for Python code, and is not parsed.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from novaact_http.cli._output import QueryError
from novaact_http.cli._terminal import say, show

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from novaact_http.errors import ConfigurationError, CredentialsError, ParameterError

USAGE, CONFIGURATION, SERVICE, GENERAL, INTERRUPTED = 252, 253, 254, 255, 130

# An argument of the library is the option of its name, except these.
_OPTIONS = {"credentials": "the credentials", "verify": "--ca-bundle"}
_ARGUMENT = "the argument "
# What to do, in this command's words, where the library's advice is about Python code, or if a profile is named.
_ADVICE_IF_UNSET = {
    "credentials": "pass --profile, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "region": "pass --region or set AWS_REGION, for example to us-east-1",
}
_ADVICE_IF_NONE_IN_PROFILE = (
    "add them to the profile, or leave out --profile to use those of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
)
_ADVICE_FOR_OPTIONS = {"--ca-bundle": "use the path of a PEM file, or of a directory of hashed ones"}
_CREDENTIALS_REFUSED = "check the credentials{doctor}"
_DOCTOR = ": novaact-http doctor shows where they come from"
_EXPIRED = "these credentials have expired: log in again, for example with aws sso login, or set new ones"
_HINTS = {
    "AccessDeniedException": "these credentials lack the IAM permission nova-act:{operation}{doctor}",
    "ExpiredToken": _EXPIRED,
    "ExpiredTokenException": _EXPIRED,
    "IncompleteSignature": _CREDENTIALS_REFUSED,
    "InternalServerException": "the service failed: try again later",
    "InvalidClientTokenId": _CREDENTIALS_REFUSED,
    "InvalidSignatureException": "check the credentials and the region{doctor}",
    "ResourceNotFoundException": "check the names and ids, and that what they name is in the region {region}",
    "ServiceQuotaExceededException": "ask for a higher quota, or try again later",
    "SignatureDoesNotMatch": _CREDENTIALS_REFUSED,
    "ThrottlingException": "try again later{slower} or with a higher --max-attempts",
    "UnrecognizedClientException": _CREDENTIALS_REFUSED,
}

_REFUSALS = {code for code, hint in _HINTS.items() if hint is _EXPIRED or hint.startswith("check the credentials")}


class Target(NamedTuple):
    """Where requests go, for messages.

    Attributes:
        region: the region.
        endpoint: the endpoint's URL.
        source: where the endpoint's URL came from.
    """

    region: str
    endpoint: str
    source: str


def is_refusal_of_credentials(error: BaseException | None) -> bool:
    """Tell whether the service has refused the credentials as such, whatever the operation is."""
    return getattr(error, "code", "") in _REFUSALS


def exit_code(error: BaseException) -> int:
    """Return the exit code for an error."""
    from novaact_http import errors

    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, errors.ParameterError):
        return USAGE
    if isinstance(error, (errors.ConfigurationError, errors.CredentialsError)):
        return CONFIGURATION
    return SERVICE if isinstance(error, errors.ServiceError) else GENERAL


def report(error: BaseException, *, debug: bool | None, target: Target | None = None, about: str = "") -> int:
    """Print what went wrong, and return the exit code. Prints nothing for a Ctrl-C.

    Args:
        error: what was raised.
        debug: whether to print its traceback first. None if the command has no option --debug.
        target: where requests go, if that is known.
        about: the beginning of the line.
    """
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if debug:
        import traceback

        for part in traceback.format_exception(type(error), error, error.__traceback__):
            for line in part.splitlines():
                show(line)
    say(about + describe(error, target, "" if debug is not False else ", --debug shows where it happened"))
    return exit_code(error)


def describe(error: BaseException, target: Target | None, advice: str) -> str:
    """Return what went wrong and what to do.

    Args:
        error: what was raised.
        target: where requests go, if that is known.
        advice: what to add if the error is not one of the library's.
    """
    from novaact_http import errors

    if isinstance(error, OSError):
        return f"cannot write the output: {error.strerror or error}"
    if isinstance(error, QueryError):
        return str(error)
    if not isinstance(error, errors.NovaActError):
        return f"{type(error).__name__}: {error}; this is unexpected{advice}"
    if isinstance(error, errors.ParameterError):
        return _bad_arguments(error)
    if isinstance(error, (errors.ConfigurationError, errors.CredentialsError)):
        return _bad_setting(error)
    hint = _hint(error, target)
    return f"{error}; {hint}" if hint else str(error)


def _bad_arguments(error: ParameterError) -> str:
    problems = "; ".join([f"{_option(each.argument)} {each.message}" for each in error.problems])
    return f"bad arguments, nothing was sent: {problems}" if problems else str(error)


def _bad_setting(error: ConfigurationError | CredentialsError) -> str:
    if error.source is None:
        text, advice = error.problem, _ADVICE_IF_UNSET.get(error.setting or "", error.advice)
        if error.setting == "credentials" and _options().get("profile") is not None:
            advice = _ADVICE_IF_NONE_IN_PROFILE
    else:
        source = shown_source(error.source)
        text, advice = f"{source} {error.problem}", _ADVICE_FOR_OPTIONS.get(source, error.advice)
    return text if advice is None else f"{text}: {advice}"


def shown_source(source: str, file: str = "") -> str:
    """Return where a value came from, as this command shows it: arguments of the library are options here.

    Args:
        source: the library's name of the source.
        file: the path of the file that has the value, or `""`.
    """
    if file:
        return f"{source} in {file}"
    argument = source.removeprefix(_ARGUMENT)
    return source if argument == source or not argument.isidentifier() else _option(argument)


def _option(argument: str) -> str:
    """Return the option of an argument. What follows in a path such as `error.message` has the service's names."""
    from novaact_http._operations.shapes import wire_name

    name, rest = re.fullmatch(r"(\w*)(.*)", argument, re.DOTALL).groups()  # type: ignore[union-attr] # it always matches
    option = _OPTIONS.get(name, f"--{name.replace('_', '-')}")
    return option + re.sub(r"\w+", lambda found: wire_name(found[0]), rest)


def _hint(error: BaseException, target: Target | None) -> str:
    from novaact_http import errors

    if isinstance(error, errors.ServiceError):
        return _HINTS.get(error.code, "").format(
            region=target.region if target else "that was asked for",
            operation=error.operation,
            doctor="" if _running() == "doctor" else _DOCTOR,
            slower=", with a lower --concurrency" if "concurrency" in _options() else "",
        )
    if not isinstance(error, errors.TransportError) or target is None:
        return ""
    where = f"the endpoint is {target.endpoint} (from {target.source})"
    if any(type(each).__name__ == "SSLCertVerificationError" for each in _causes(error)):
        return f"{where}; to trust its certificate, pass that of its CA with --ca-bundle or set AWS_CA_BUNDLE"
    if isinstance(error, errors.TransportTimeout):
        return f"{where}; --cli-connect-timeout and --cli-read-timeout give it more time"
    return where


def _running() -> str | None:
    """Return the name of the command that runs."""
    context = click.get_current_context(silent=True)
    return None if context is None else context.command.name


def _options() -> Mapping[str, Any]:
    """Return the running command's options, by the names of the parameters."""
    context = click.get_current_context(silent=True)
    return {} if context is None else context.params


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause = error.__cause__ or error.__context__
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def give_up_standard_output() -> None:
    """Discard what is still buffered, so that Python does not try to write it when it ends."""
    import os

    try:
        number = sys.stdout.fileno()
    except (AttributeError, OSError, ValueError):
        return
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, number)
    os.close(null)
