"""What the library says when a package that one of its features needs is not there.

Everybody has attrs. The plain installation has httpx and botocore too; the slim one has not, see `docs/slim.md`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from novaact_http.errors import ConfigurationError, CredentialsError

if TYPE_CHECKING:
    from types import TracebackType


class needed:  # noqa: N801 - it is used as a function, such as contextlib's
    """A context to import a package in: if that fails, the error says what needs it, and how to install it.

    Args:
        package: the package, by the name that pip knows.
        by: what needs it, the first words of the error and its `source`.
        setting: the argument of the client that this comes from, or None. For `"credentials"`, the error is a
            `CredentialsError`.
        otherwise: what else helps, such as `"set AWS_PROFILE"`; `""` for nothing.
        install: what to install, if it is not the package alone.

    Raises:
        ConfigurationError, CredentialsError: a module was not found. The `ModuleNotFoundError` is the `__cause__`.
    """

    def __init__(
        self, package: str, *, by: str, setting: str | None = None, otherwise: str = "", install: str = ""
    ) -> None:
        self._package = package
        self._by = by
        self._setting = setting
        self._otherwise = f"{otherwise}, or " if otherwise else ""
        self._install = install or package

    def __enter__(self) -> None:
        """Nothing is checked before the import."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, ModuleNotFoundError):
            raise (CredentialsError if self._setting == "credentials" else ConfigurationError)(
                f"cannot be used without {self._package} ({error})",
                setting=self._setting,
                source=self._by,
                advice=f"{self._otherwise}install it with pip install {self._install}",
            ) from error
