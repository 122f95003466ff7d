"""What goes wrong, as one line on standard error and an exit code: the AWS CLI's, in its second version.

252 for what was asked, 253 for what it was asked with, 254 for what the service said, 130 for Ctrl-C, 255 for all else.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, NamedTuple

from novaact_http.cli._output import QueryError
from novaact_http.cli._terminal import say, show

if TYPE_CHECKING:
    from collections.abc import Iterator

USAGE, CONFIGURATION, SERVICE, GENERAL, INTERRUPTED = 252, 253, 254, 255, 130

# The library's own words, as this command has them.
_AS_OPTIONS = (
    (r"\bListSessions was called with bad arguments, nothing was sent", "bad arguments, nothing was sent"),
    (r"\bpass region=\.\.\.", "pass --region"),
    (r"\bpass credentials=\.\.\.", "pass --profile"),
    (r"\bthe argument credentials, (?=env)", ""),
    (r"\bthe argument verify\b", "--ca-bundle"),
    (
        r"^--ca-bundle must be the path of a CA bundle or an ssl\.SSLContext, not (.*?): to connect.*",
        r"--ca-bundle must be the path of a CA bundle, not \1",
    ),
    (r"\bthe argument (region|endpoint_url|profile)\b", r"--\1"),
    (r"\b(?<!-)(page_size|max_items|max_results|starting_token|next_token|sort_order)\b", r"--\1"),
    (r"\b(?<!-)(workflow_run_id|workflow_definition_name)\b", r"--\1"),
)
_CREDENTIALS_REFUSED = "check the credentials: novaact-http doctor says where they come from"
_EXPIRED = "these credentials have expired: log in anew, for example with aws sso login, or set others"
_HINTS = {
    "AccessDeniedException": "these credentials lack the IAM permission nova-act:ListSessions; novaact-http doctor "
    "says whose they are",
    "ExpiredToken": _EXPIRED,
    "ExpiredTokenException": _EXPIRED,
    "IncompleteSignature": _CREDENTIALS_REFUSED,
    "InternalServerException": "the service failed: try again later",
    "InvalidClientTokenId": _CREDENTIALS_REFUSED,
    "InvalidSignatureException": _CREDENTIALS_REFUSED,
    "ResourceNotFoundException": "check the name, the run's id, and that they are of the region {region}",
    "ServiceQuotaExceededException": "ask for a higher quota, or try again later",
    "SignatureDoesNotMatch": _CREDENTIALS_REFUSED,
    "ThrottlingException": "try again later, with a lower --concurrency or a higher --max-attempts",
    "UnrecognizedClientException": _CREDENTIALS_REFUSED,
}


class Target(NamedTuple):
    """What requests go to, for messages; the endpoint's URL and where that came from."""

    region: str
    endpoint: str
    source: str


def exit_code(error: BaseException) -> int:
    """The exit code that an error leads to."""
    from novaact_http import errors

    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, errors.ParameterError):
        return USAGE
    if isinstance(error, (errors.ConfigurationError, errors.CredentialsError)):
        return CONFIGURATION
    return SERVICE if isinstance(error, errors.ServiceError) else GENERAL


def report(error: BaseException, *, debug: bool | None, target: Target | None = None, about: str = "") -> int:
    """Say what went wrong, and return the exit code.

    Args:
        error: what was raised; nothing is said of a Ctrl-C.
        debug: show the traceback before it; None if the command has no such option.
        target: what requests went to, if that is known.
        about: what the line begins with.
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
    """The error, and what to do about it; the advice if nobody expected it."""
    from novaact_http import errors

    if isinstance(error, OSError):
        return f"cannot write the output: {error.strerror or error}"
    if isinstance(error, QueryError):
        return str(error)
    if not isinstance(error, errors.NovaActError):
        return f"{type(error).__name__}: {error}; this is unexpected{advice}"
    text = str(error)
    if isinstance(error, (errors.ParameterError, errors.ConfigurationError, errors.CredentialsError)):
        text = as_options(text)
    hint = _hint(error, target)
    return f"{text}; {hint}" if hint else text


def as_options(text: str) -> str:
    """A message of the library's with the names of this command's options."""
    for pattern, replacement in _AS_OPTIONS:
        text = re.sub(pattern, lambda match, new=replacement: match.expand(new).replace("_", "-"), text)  # type: ignore[misc]
    return text


def _hint(error: BaseException, target: Target | None) -> str:
    from novaact_http import errors

    if isinstance(error, errors.ServiceError):
        return _HINTS.get(error.code, "").format(region=target.region if target else "asked for")
    if not isinstance(error, errors.TransportError) or target is None:
        return ""
    where = f"the endpoint is {target.endpoint}, from {target.source}"
    if any(type(each).__name__ == "SSLCertVerificationError" for each in _causes(error)):
        return f"{where}; if its certificate is to be trusted, pass its CA's with --ca-bundle or set AWS_CA_BUNDLE"
    if isinstance(error, errors.TransportTimeout):
        return f"{where}; --cli-connect-timeout and --cli-read-timeout give it more time"
    return where


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause = error.__cause__ or error.__context__
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def give_up_standard_output() -> None:
    """Let Python not try, when it ends, to write what cannot be written, or what nobody waits for any more."""
    import os

    try:
        number = sys.stdout.fileno()
    except (AttributeError, OSError, ValueError):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)
