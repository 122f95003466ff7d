"""The library's version, the single place where it is written."""

__version__ = "0.2.0"
