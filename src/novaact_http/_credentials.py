"""Where credentials come from. The environment is an argument."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from novaact_http.config import Credentials
from novaact_http.errors import CredentialsError

if TYPE_CHECKING:
    from collections.abc import Mapping

_KEY, _SECRET = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"


@attrs.frozen
class StaticCredentials:
    """Credentials that were found when the client was made, or the error to raise when they are needed."""

    found: Credentials | None

    def get(self) -> Credentials:
        """Return them.

        Raises:
            CredentialsError: there are none.
        """
        if self.found is None:
            raise CredentialsError(
                "no credentials were found: pass credentials=Credentials(...), or set AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY (looked at: the argument credentials, the environment)"
            )
        return self.found


def resolve(argument: Credentials | None, environ: Mapping[str, str]) -> StaticCredentials:
    """The argument, else the environment's keys.

    Raises:
        CredentialsError: the environment has half a key pair, or a malformed one.
        CredentialsError: the argument is something else.
    """
    if argument is None:
        return StaticCredentials(_from_environment(environ))
    if not isinstance(argument, Credentials):
        raise CredentialsError(f"credentials must be a novaact_http.Credentials, not {type(argument).__name__}")
    return StaticCredentials(argument)


def _from_environment(environ: Mapping[str, str]) -> Credentials | None:
    # As botocore: a secret without a key is no credentials at all, a key without its secret is a mistake, and the
    # older name of the token wins.
    if not environ.get(_KEY):
        return None
    if not environ.get(_SECRET):
        raise CredentialsError(f"{_KEY} is set in the environment, but {_SECRET} is not: set both or neither")
    return Credentials(
        access_key_id=environ[_KEY],
        secret_access_key=environ[_SECRET],
        session_token=environ.get("AWS_SECURITY_TOKEN") or environ.get("AWS_SESSION_TOKEN") or None,
    )
