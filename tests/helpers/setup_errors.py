"""What an error about a setting or about credentials must say."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from novaact_http import Client, ConfigurationError, CredentialsError
from novaact_http._aws.profiles import Profile
from novaact_http._aws.settings import resolve
from tests.helpers.calls import OPTIONS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Machine:
    """A machine with AWS configuration files in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {
            "AWS_CONFIG_FILE": str(folder / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
        }

    def settings(self, config: str = "", environ: dict[str, str] | None = None, **arguments: Any) -> object:
        """Resolve the settings of a machine that has a region and this config file."""
        (self.folder / "config").write_text(config)
        environ = {**self.environ, "AWS_REGION": "us-east-1", **(environ or {})}
        return resolve(environ=environ, profile=Profile(arguments.pop("profile", None), environ), **arguments)


class Facts(NamedTuple):
    """A mistake, and the attributes of the error that it leads to.

    Attributes:
        do: makes the mistake.
        setting: the attribute of the error, as are the next three. In all of them `{}` stands for the machine's folder.
        source: see `setting`.
        problem: see `setting`. If it ends in `(`, a space or `Inv`, it is only the beginning.
        advice: see `setting`.
    """

    do: Callable[[Machine], object]
    setting: str | None
    source: str | None
    problem: str
    advice: str | None


def making(kind: Callable[..., object], **arguments: Any) -> Callable[[Machine], object]:
    """Return a function that makes an object of this kind."""
    return lambda _: kind(**arguments)


def client(**arguments: Any) -> Callable[[Machine], object]:
    """Return a function that makes a client."""
    return lambda _: Client(**{**OPTIONS, **arguments})


def pickled(**arguments: Any) -> Callable[[Machine], object]:
    """Return a function that makes a client and pickles it."""
    return lambda _: pickle.dumps(Client(**{**OPTIONS, **arguments}))


def check(kind: type[ConfigurationError | CredentialsError], facts: Facts, folder: Path) -> None:
    """Check that the error has the facts, and that its message is made of them."""
    with pytest.raises(kind) as caught:
        facts.do(Machine(folder))
    error = caught.value
    source = None if facts.source is None else facts.source.format(folder)
    assert (error.setting, error.source, error.advice) == (facts.setting, source, facts.advice)
    problem = facts.problem.format(folder)
    assert error.problem == problem or (problem.endswith(("(", " ", "Inv")) and error.problem.startswith(problem))
    text = error.problem if source is None else f"{source} {error.problem}"
    assert str(error) == (text if facts.advice is None else f"{text}: {facts.advice}")
    assert "secret " not in str(error).replace("no secret", "")
    assert "me:secret" not in str(error)
