"""The output formats. Each turns the pages of one run into text; writing it is left to the caller.

`json` and `text` are the AWS CLI's, character by character. `ids`, `jsonl` and `text` return text for each page, so
that long listings need no memory; `json` and `table` need all pages first.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Protocol, cast

from novaact_http.cli._terminal import printable

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import IO

    from novaact_http.models import ListSessionsResponse

    Query = Callable[[object], object]

NAMES = ("table", "json", "jsonl", "text", "ids")
STREAMED = ("jsonl", "text", "ids")
_LINE_ENDS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"  # those of `str.splitlines`
WITH_QUERY = ("json", "text")


class QueryError(Exception):
    """A query failed on the document that was listed."""


class Format(Protocol):
    """The output of one run. Call `page` for each page and then `end`, or only `single`."""

    def page(self, page: ListSessionsResponse) -> str:
        """Return what to write after this page."""
        ...

    def end(self, resume_token: str | None) -> str:
        """Return what to write after the last page. There is a token if the run has more sessions."""
        ...

    def partial(self) -> str | None:
        """Return what to write if the listing fails or is interrupted. None discards the pages so far."""
        ...

    def single(self, page: ListSessionsResponse) -> str:
        """Return what to write for the single page of a listing without pagination."""
        ...


def make(name: str, *, query: Query | None = None, run_id: str | None = None, safe: bool = False) -> Format:
    """Make a format.

    Args:
        name: one of `NAMES`.
        query: applied to the document, or to that of each page. Only the formats `WITH_QUERY` use it.
        run_id: the run's id, to mark the output with, if several runs are listed. Else None.
        safe: whether to escape what could control a terminal.
    """
    escape = printable if name not in ("json", "jsonl") else _printable_json
    clean: Callable[[str], str] = escape if safe else str
    if name == "ids":
        return Ids(clean)
    if name == "jsonl":
        return JsonLines(run_id, clean)
    if name == "text":
        return Text(query or _unchanged, run_id, clean)
    if name == "json":
        return Json(query or _unchanged, run_id, clean)
    return Table(run_id)


def _unchanged(document: object) -> object:
    return document


class _Lines(Format, Protocol):
    """A format that is only lines, with nothing around them."""

    def end(self, resume_token: str | None) -> str:  # noqa: ARG002 - it is shown on standard error
        return ""

    def partial(self) -> str:
        return ""

    def single(self, page: ListSessionsResponse) -> str:
        return self.page(page)


class Ids(_Lines):
    """One session id per line."""

    def __init__(self, clean: Callable[[str], str]) -> None:
        self._clean = clean

    def page(self, page: ListSessionsResponse) -> str:
        clean = self._clean
        return "".join([f"{clean(_on_one_line(each.session_id))}\n" for each in page.session_summaries])


class JsonLines(_Lines):
    """One JSON object per line, one for each session."""

    def __init__(self, run_id: str | None, clean: Callable[[str], str]) -> None:
        self._mark = {} if run_id is None else {"workflowRunId": run_id}
        self._clean = clean

    def page(self, page: ListSessionsResponse) -> str:
        documents = [{**self._mark, "sessionId": each.session_id} for each in page.session_summaries]
        lines = [_on_one_line(json.dumps(each, ensure_ascii=False)) for each in documents]
        return "".join([f"{self._clean(each)}\n" for each in lines])


class Json:
    """One JSON document, with the AWS CLI's members and layout."""

    def __init__(self, query: Query, run_id: str | None, clean: Callable[[str], str]) -> None:
        self._query = query
        self._clean = clean
        self._mark: dict[str, object] = {} if run_id is None else {"workflowRunId": run_id}
        self._ids: list[str] = []

    def page(self, page: ListSessionsResponse) -> str:
        self._ids.extend([each.session_id for each in page.session_summaries])
        return ""

    def end(self, resume_token: str | None) -> str:
        document = _document(self._ids)
        if resume_token is not None:
            document["NextToken"] = resume_token
        return self._print(document)

    def partial(self) -> None:
        return None  # as in the AWS CLI: an incomplete document would look complete

    def single(self, page: ListSessionsResponse) -> str:
        return self._print(_page_document(page))

    def _print(self, document: dict[str, object]) -> str:
        result = self._query({**self._mark, **document})
        # The AWS CLI prints nothing for an empty object.
        return "" if result == {} else f"{self._clean(json.dumps(result, indent=4, ensure_ascii=False))}\n"


class Text:
    """The AWS CLI's text: values separated by tabs. If several runs are listed, each line begins with the run's id."""

    def __init__(self, query: Query, run_id: str | None, clean: Callable[[str], str]) -> None:
        self._query = query
        self._mark = "" if run_id is None else f"{clean(run_id)}\t"
        self._clean = clean

    def page(self, page: ListSessionsResponse) -> str:
        return self._print(_document([each.session_id for each in page.session_summaries]))

    def end(self, resume_token: str | None) -> str:
        return "" if resume_token is None else self._print({"NextToken": {"NextToken": resume_token}})

    def partial(self) -> str:
        return ""

    def single(self, page: ListSessionsResponse) -> str:
        return self._print(_page_document(page))

    def _print(self, document: object) -> str:
        rows = _rows(self._query(document), None, None)
        return "".join(["{}{}\n".format(self._mark, "\t".join(map(self._clean, row))) for row in rows])


def _rows(item: object, name: str | None, columns: list[str] | None) -> list[list[str]]:
    """Return the lines of an item. Each nested item begins a line, with the member's name in capitals.

    Args:
        item: any value of JSON.
        name: the name of the member whose value the item is, or None.
        columns: for an object in a list, the members that any object of the list has, without objects and lists.
    """
    first = [] if name is None else [name.upper()]
    if isinstance(item, dict):
        return _rows_of_object(item, first, columns)
    if not isinstance(item, list):
        return [[str(item)]]
    plain = [str(each) for each in item if not isinstance(each, (dict, list))]
    if any(isinstance(each, dict) for each in item):
        shared = sorted({key for each in item if isinstance(each, dict) for key in each if _is_plain(each[key])})
        return [row for each in item for row in _rows(each, name, shared)]
    rows: list[list[str]] = []
    if plain:
        rows = [[*first, each] for each in plain] if first else [plain]
    return rows + [row for each in item if isinstance(each, list) for row in _rows(each, name, None)]


def _rows_of_object(item: dict[str, object], first: list[str], columns: list[str] | None) -> list[list[str]]:
    names = sorted(key for key in item if _is_plain(item[key])) if columns is None else columns
    values = [str(item.get(key, "")) for key in names]
    nested = sorted(item.keys() - set(names))
    return ([[*first, *values]] if values else []) + [row for key in nested for row in _rows(item[key], key, None)]


def _is_plain(value: object) -> bool:
    return not isinstance(value, (dict, list))


class _OutputWithoutWrites:
    """Standard output for looking at its attributes only. Tables are drawn on several threads, but one alone writes."""

    def __getattr__(self, name: str) -> Any:
        return getattr(sys.stdout, name)

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        """Nothing is written here."""


class Table:
    """A table for people, fitted to the terminal."""

    def __init__(self, title: str | None) -> None:
        import rich  # noqa: F401 - if the extra is not installed, fail before anything is listed

        self._title = title
        self._ids: list[str] = []

    def page(self, page: ListSessionsResponse) -> str:
        self._ids.extend([each.session_id for each in page.session_summaries])
        return ""

    def end(self, resume_token: str | None) -> str:  # noqa: ARG002 - it is shown on standard error
        from rich import table
        from rich.console import Console
        from rich.text import Text as Plain

        console = Console(file=cast("IO[str]", _OutputWithoutWrites()))

        def plain(text: str) -> Plain:
            # A character that the encoding lacks takes the width of its escape.
            return Plain(printable(text).encode(console.encoding, "backslashreplace").decode(console.encoding))

        drawn = table.Table("#", table.Column("Session ID", overflow="fold"))
        for number, session_id in enumerate(self._ids, start=1):
            drawn.add_row(str(number), plain(session_id))
        with console.capture() as captured:
            if self._title is not None:  # not as the table's title, which would be folded to the table's width
                console.print(plain(self._title), style="bold", soft_wrap=True)
            console.print(drawn)
        return captured.get()

    def partial(self) -> str | None:
        return self.end(None) if self._ids else None

    def single(self, page: ListSessionsResponse) -> str:
        self.page(page)
        return self.end(None)


def _document(ids: list[str]) -> dict[str, object]:
    return {"sessionSummaries": [{"sessionId": each} for each in ids]}


def _page_document(page: ListSessionsResponse) -> dict[str, object]:
    """Return the page as the service sent it."""
    document = _document([each.session_id for each in page.session_summaries])
    if page.next_token is not None:
        document["nextToken"] = page.next_token
    return document


def _on_one_line(text: str) -> str:
    """Return text with everything escaped, as JSON escapes it, at which a reader of lines may split it.

    So no id can pass for two. Readers differ: some split at all characters that Unicode calls line ends.
    """
    if text.splitlines() == [text]:
        return text
    return "".join([json.dumps(each)[1:-1] if each in _LINE_ENDS else each for each in text])


def _printable_json(text: str) -> str:
    """Return JSON with everything escaped that could control a terminal. Line breaks between values stay."""
    if text.replace("\n", "").isprintable():
        return text
    return "".join([each if each == "\n" or each.isprintable() else json.dumps(each)[1:-1] for each in text])
