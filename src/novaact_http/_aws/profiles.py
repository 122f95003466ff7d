"""AWS's shared configuration files.

https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html

Read as botocore reads them: a profile's values in the credentials file override those in the config file; a profile
that is named must exist, but the files need not. The files are read when a profile is first asked for a value. No error
shows their content, as it may be secret.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from novaact_http.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Values = Mapping[str, object]  # text, or what is nested one level deep: a mapping of texts

_CONFIG = ("AWS_CONFIG_FILE", "~/.aws/config")
_UTF_16 = "is in UTF-16, not in UTF-8"
_SAVE_AGAIN = "save it as UTF-8 without a byte order mark"
_CREDENTIALS = ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")


class Profile:
    """One profile of the configuration files.

    Args:
        argument: its name as the user passed it, or None for AWS_DEFAULT_PROFILE, then AWS_PROFILE, then `default`.
        environ: the environment.

    Raises:
        ConfigurationError: the argument is not the name of a profile, or a file cannot be read.

    Attributes:
        name: its name.
        source: where its name came from.
    """

    def __init__(self, argument: str | None, environ: Mapping[str, str]) -> None:
        self._environ = environ
        candidates = (
            (argument, "the argument profile"),
            *((environ.get(name), name) for name in ("AWS_DEFAULT_PROFILE", "AWS_PROFILE")),
        )
        name, self.source = next((each for each in candidates if each[0] is not None), (None, "the default"))
        self._is_named = name is not None
        self.name = "default" if name is None else name
        self._values: Values | None = None
        self._in_credentials: Values = {}
        self._services: Mapping[str, Values] = {}
        if argument is not None:
            if not isinstance(argument, str):
                raise ConfigurationError(
                    f"is of type {type(argument).__name__}",
                    setting="profile",
                    source=self.source,
                    advice="pass the name of a profile",
                )
            self._load()

    def get(self, key: str) -> object:
        """Return the value of a key, or None.

        Raises:
            ConfigurationError: there is no such profile, or a file cannot be read.
        """
        return self._load().get(key)

    def file_of(self, key: str) -> str:
        """Return the path of the file that has a key, for which `get` returned a value."""
        return path_of(*(_CREDENTIALS if key in self._in_credentials else _CONFIG), self._environ)

    def service(self, service: str, key: str) -> object:
        """Return the value of a key in the `services` section that the profile names, or None.

        Raises:
            ConfigurationError: as for `get`, or there is no such section.
        """
        section = self.get("services")
        if section is None:
            return None
        if not isinstance(section, str) or not self._services.get(section):
            raise ConfigurationError(
                f"is {section!r}, but the config file has no services section with values of that name",
                setting="endpoint_url",
                source=f"services of the profile {self.name!r}",
                advice="add the section, or remove the key services",
            )
        values = self._services[section].get(service)
        return None if values is None or isinstance(values, str) else values.get(key)  # type: ignore[attr-defined]

    def _load(self) -> Values:
        if self._values is None:
            config = _read(*_CONFIG, self._environ)
            self._services = _named("services", config)
            profiles = _named("profile", config)
            credentials = _read(*_CREDENTIALS, self._environ)
            if self._is_named and self.name not in profiles and self.name not in credentials:
                known = ", ".join(sorted(profiles)) or "none"
                raise ConfigurationError(
                    f"is {self.name!r}, which is a profile of neither the config file nor the credentials file",
                    setting="profile",
                    source=self.source,
                    advice=f"use one that exists; the config file has {known}",
                )
            self._in_credentials = credentials.get(self.name, {})
            self._values = {**profiles.get(self.name, {}), **self._in_credentials}
        return self._values


def path_of(variable: str, default: str, environ: Mapping[str, str]) -> str:
    """Return the path of a file: what the variable says, or else the default."""
    # pathlib takes too long to import for this.
    return os.path.expanduser(os.path.expandvars(environ.get(variable, default)))  # noqa: PTH111


def _read(variable: str, default: str, environ: Mapping[str, str]) -> Mapping[str, Values]:
    """Return the sections of a file, by their titles. A file that does not exist has no sections."""
    path = path_of(variable, default, environ)
    if not os.path.isfile(path):  # noqa: PTH113
        return {}
    import configparser  # 4 ms to import, and containers have no such files

    parser = configparser.RawConfigParser()
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123
            text = file.read()
        _check_encoding(text)
        parser.read_string(text)
        return {
            section: {key: _nested(value) if value.startswith("\n") else value for key, value in parser.items(section)}
            for section in parser.sections()
        }
    except OSError as error:
        raise ConfigurationError(
            f"cannot be read ({error.strerror})",
            source=f"the file {path!r}",
            advice=f"allow it to be read, or set {variable} to the path of another",
        ) from error
    except _WrongEncodingError as error:
        problem, remedy = str(error), _SAVE_AGAIN
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        problem, remedy = _UTF_16 if b"\0" in error.object else f"is not in UTF-8 (line {line})", _SAVE_AGAIN
    except (configparser.Error, ValueError) as error:
        problem, remedy = f"is not in the format of AWS's config files{_place(error)}", "correct it"
    # Raised here, so that the error above, which quotes the line, is not in its context.
    raise ConfigurationError(
        problem, source=f"the file {path!r}", advice=f"{remedy}, or set {variable} to the path of another"
    )


class _WrongEncodingError(Exception):
    """A file is text, but not as AWS's tools read it."""


def _check_encoding(text: str) -> None:
    """Raise an error for what can be read as UTF-8, but is not meant so, or has a mark that no tool of AWS expects."""
    if text.startswith("\ufeff"):
        raise _WrongEncodingError("begins with a byte order mark")
    if "\0" in text:
        raise _WrongEncodingError(_UTF_16)


def _place(error: Exception) -> str:
    """Return the number of the wrong line, if it is known."""
    lines = [getattr(error, "lineno", None), *(line for line, _ in getattr(error, "errors", ()))]
    line = next((each for each in lines if isinstance(each, int)), None)
    return "" if line is None else f" (line {line})"


def _nested(value: str) -> Values:
    """Return the mapping in a value of several lines, each with a key."""
    lines: Iterable[str] = filter(None, map(str.strip, value.splitlines()))
    pairs = [line.split("=", 1) for line in lines]
    return {key.strip(): value.strip() for key, value in pairs}


def _named(kind: str, sections: Mapping[str, Values]) -> dict[str, Values]:
    """Return the sections `[kind name]` by their names. `[default]` is a profile too."""
    found: dict[str, Values] = {}
    for title, values in sections.items():
        if title.startswith(kind):
            words = _words(title)
            if len(words) == 2:
                found[words[1]] = values
        elif title == "default" and kind == "profile":
            found[title] = values
    return found


def _words(title: str) -> list[str]:
    if not any(each in title for each in "'\"\\"):
        return title.split()
    import shlex

    try:
        return shlex.split(title)
    except ValueError:  # a quote without an end
        return []
