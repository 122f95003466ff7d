"""The output formats. Each turns the pages of one listing, or the output of one call, into text, which others write.

`json` and `text` are the AWS CLI's, character by character. All return text for each page, so that long listings need
no memory; `json` only after the first pages, so that a short listing that fails prints no incomplete document.
"""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from novaact_http.cli._statuses import status_of
from novaact_http.cli._terminal import printable

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Sequence

    from novaact_http.cli._lines import Look

    Query = Callable[[object], object]

OF_LISTINGS = ("table", "json", "jsonl", "text", "ids")
OF_CALLS = ("table", "json", "text")
WITH_QUERY = ("json", "text")
_LINE_ENDS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"  # those of `str.splitlines`
_KEPT_ITEMS = 10_000  # of a json document, before any of it is written
_NUMBER_WIDTH = 6  # of a table's rows, if there are more pages


class QueryError(Exception):
    """A query failed on the document that was listed."""


class Items(NamedTuple):
    """What a listing has.

    Attributes:
        name: the attribute of a page that has the items, such as `"session_summaries"`.
        wire_name: the service's name for it.
        columns: the attributes of an item that tables show. The first is the item's id.
    """

    name: str
    wire_name: str
    columns: Sequence[str]


class Format(Protocol):
    """The output of one listing. Call `page` for each page and then `end`, or only `single`."""

    def page(self, page: Any, *, has_more: bool = False) -> str:
        """Return what to write after this page."""
        ...

    def end(self, resume_token: str | None) -> str:
        """Return what to write after the last page. There is a token if the listing has more items."""
        ...

    def single(self, page: Any) -> str:
        """Return what to write for the single page of a listing without pagination."""
        ...


def make(
    name: str,
    items: Items,
    *,
    look: Look,
    query: Query | None = None,
    mark: tuple[str, str] | None = None,
    safe: bool = False,
) -> Format:
    """Make a format.

    Args:
        name: one of `OF_LISTINGS`.
        items: what is listed.
        look: how lines look. Only tables use it.
        query: applied to the document, or to that of each page. Only the formats `WITH_QUERY` use it.
        mark: the name and value that tell this listing from others that are printed too, or None.
        safe: whether to escape what could control a terminal.
    """
    escape = printable if name not in ("json", "jsonl") else _printable_json
    clean: Callable[[str], str] = escape if safe else str
    if name == "ids":
        return Ids(items, clean)
    if name == "jsonl":
        return JsonLines(items, mark, clean)
    if name == "text":
        return Text(items, query or _unchanged, mark, clean)
    if name == "json":
        return Json(items, query, mark, clean)
    return Table(items, mark, look)


def of_call(name: str, output: Any, *, look: Look, query: Query | None, safe: bool) -> str:
    """Return the output of a call without pages as text.

    Args:
        name: one of `OF_CALLS`.
        output: the operation's output.
        look: see `make`.
        query: see `make`.
        safe: see `make`.
    """
    document = document_of(output)
    if name == "table":
        return _as_rows(document, look)
    found = (query or _unchanged)(document)
    if name == "json":
        return _as_json(found, _printable_json if safe else str)
    return _as_text(found, printable if safe else str)


def _as_rows(document: dict[str, Any], look: Look) -> str:
    """Return a line for each member, those of an object included, and below a table for each list of objects."""
    members: dict[str, Any] = {}
    for name, value in document.items():
        members.update(value if isinstance(value, dict) else {name: value})
    tables = {name: value for name, value in members.items() if isinstance(value, list) and _is_of_objects(value)}
    rows = [(_title(name), _shown(value)) for name, value in members.items() if name not in tables]
    width = max([len(title) for title, _ in rows], default=0)
    parts = [
        f"{look.styled(title.ljust(width), _TITLE_STYLE)}{_GAP}{look.styled(look.plain(text), status_of(text).style)}\n"
        for title, text in rows
    ]
    for name, items in tables.items():
        columns = list(dict.fromkeys(itertools.chain(*items)))
        table = Table(Items("", name, columns), (name, _title(name)), look)
        parts.append(table.rows([[look.plain(_shown(item.get(each, "-"))) for each in columns] for item in items]))
    return "".join(parts)


def _is_of_objects(values: list[Any]) -> bool:
    return bool(values) and all(isinstance(each, dict) for each in values)


def _shown(value: Any) -> str:
    """Return a member's value for people: as JSON if it is more than a text, texts, or an object with a status only."""
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value) or "-"
    if isinstance(value, dict) and [*value] == ["status"]:
        return _shown(value["status"])
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def document_of(output: Any) -> dict[str, Any]:
    """Return an output as the AWS CLI's document, whose times are texts."""
    from novaact_http import models

    document = models.as_dict(output)
    document.pop("ResponseMetadata", None)
    return _with_texts(document)  # type: ignore[no-any-return]


def _with_texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _with_texts(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_with_texts(each) for each in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


def _unchanged(document: object) -> object:
    return document


def _as_json(found: object, clean: Callable[[str], str]) -> str:
    # The AWS CLI prints nothing for an empty object.
    return "" if found == {} else f"{clean(json.dumps(found, indent=4, ensure_ascii=False))}\n"


def _as_text(found: object, clean: Callable[[str], str], first: str = "") -> str:
    return "".join(["{}{}\n".format(first, "\t".join(map(clean, row))) for row in _rows(found, None, None)])


class _Lines(Format, Protocol):
    """A format that is only lines, with nothing around them."""

    def end(self, resume_token: str | None) -> str:  # noqa: ARG002 - it is shown on standard error
        return ""

    def single(self, page: Any) -> str:
        return self.page(page)


class Ids(_Lines):
    """One id per line."""

    def __init__(self, items: Items, clean: Callable[[str], str]) -> None:
        self._items = items
        self._clean = clean

    def page(self, page: Any, *, has_more: bool = False) -> str:  # noqa: ARG002
        clean, id_of = self._clean, self._items.columns[0]
        return "".join([f"{clean(_on_one_line(getattr(each, id_of)))}\n" for each in getattr(page, self._items.name)])


class JsonLines(_Lines):
    """One JSON object per line, one for each item."""

    def __init__(self, items: Items, mark: tuple[str, str] | None, clean: Callable[[str], str]) -> None:
        self._items = items
        self._mark = {} if mark is None else dict([mark])
        self._clean = clean

    def page(self, page: Any, *, has_more: bool = False) -> str:  # noqa: ARG002
        documents = [{**self._mark, **document_of(each)} for each in getattr(page, self._items.name)]
        lines = [_on_one_line(json.dumps(each, ensure_ascii=False)) for each in documents]
        return "".join([f"{self._clean(each)}\n" for each in lines])


class Json:
    """One JSON document, with the AWS CLI's members and layout."""

    def __init__(
        self, items: Items, query: Query | None, mark: tuple[str, str] | None, clean: Callable[[str], str]
    ) -> None:
        self._items = items
        self._query = query
        self._clean = clean
        self._mark: dict[str, object] = {} if mark is None else dict([mark])
        self._kept: list[dict[str, Any]] = []
        self._is_begun = False

    def page(self, page: Any, *, has_more: bool = False) -> str:  # noqa: ARG002
        self._kept += [document_of(each) for each in getattr(page, self._items.name)]
        # A query needs the whole document.
        return "" if self._query is not None or len(self._kept) < _KEPT_ITEMS else self._written()

    def _written(self) -> str:
        """Return the items that are kept, and keep them no longer."""
        texts = [json.dumps(each, indent=4, ensure_ascii=False).replace("\n", "\n" + 8 * " ") for each in self._kept]
        self._kept.clear()
        before = ",\n"
        if not self._is_begun:
            self._is_begun = True
            whole = json.dumps({**self._mark, self._items.wire_name: [0]}, indent=4, ensure_ascii=False)
            before = whole[: whole.rindex("0") - 8]
        return self._clean(before + ",\n".join([8 * " " + each for each in texts]))

    def end(self, resume_token: str | None) -> str:
        token = {} if resume_token is None else {"NextToken": resume_token}
        if not self._is_begun:
            return self._print({self._items.wire_name: self._kept, **token})
        rest = self._written() if self._kept else ""
        last = f',\n    "NextToken": {json.dumps(resume_token)}' if token else ""
        return f"{rest}\n    ]{last}\n}}\n"

    def single(self, page: Any) -> str:
        return self._print(document_of(page))

    def _print(self, document: dict[str, object]) -> str:
        return _as_json((self._query or _unchanged)({**self._mark, **document}), self._clean)


class Text:
    """The AWS CLI's text: values separated by tabs. The value of a mark begins each line."""

    def __init__(self, items: Items, query: Query, mark: tuple[str, str] | None, clean: Callable[[str], str]) -> None:
        self._items = items
        self._query = query
        self._mark = "" if mark is None else f"{clean(mark[1])}\t"
        self._clean = clean

    def page(self, page: Any, *, has_more: bool = False) -> str:  # noqa: ARG002
        document = document_of(page)
        return self._print({self._items.wire_name: document[self._items.wire_name]})

    def end(self, resume_token: str | None) -> str:
        return "" if resume_token is None else self._print({"NextToken": {"NextToken": resume_token}})

    def single(self, page: Any) -> str:
        return self._print(document_of(page))

    def _print(self, document: object) -> str:
        return _as_text(self._query(document), self._clean, self._mark)


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


_TITLE_STYLE = "1"
_GAP = "  "
_FEWEST = 2  # columns: the number and the id


class Table(_Lines):
    """A table for people. Its columns are as wide as the first page needs; what is wider later shifts its row."""

    def __init__(self, items: Items, mark: tuple[str, str] | None, look: Look) -> None:
        import rich  # noqa: F401 - if the extra is not installed, fail before anything is listed

        self._items = items
        self._mark = mark
        self._look = look
        self._widths: list[int] = []
        self._printed = 0

    def page(self, page: Any, *, has_more: bool = False) -> str:
        look, names = self._look, self._items.columns
        items = getattr(page, self._items.name)
        return self.rows([[_cell(getattr(item, name), look) for name in names] for item in items], has_more=has_more)

    def rows(self, rows: list[list[str]], *, has_more: bool = False) -> str:
        """Return rows as lines."""
        lines = [] if self._widths else self._begin(rows, has_more=has_more)
        for row in rows:
            self._printed += 1
            lines.append(self._line(str(self._printed), row))
        return "".join([f"{line}\n" for line in lines])

    def _begin(self, rows: list[list[str]], *, has_more: bool) -> list[str]:
        """Fix the widths, and return the lines above the rows."""
        from novaact_http.cli._lines import cells

        titles = [_title(name) for name in self._items.columns]
        number = max(len(str(len(rows))), _NUMBER_WIDTH if has_more else 0)
        self._widths = [number, *(max(map(cells, column)) for column in zip(titles, *rows, strict=True))]
        room = self._look.width
        while room is not None and len(self._widths) > _FEWEST and sum(self._widths) + self._gaps > room:
            self._widths.pop()  # the last columns are left out of all rows
        above = [] if self._mark is None else [self._look.styled(self._look.plain(self._mark[1]), _TITLE_STYLE)]
        return [*above, self._line("#", titles, _TITLE_STYLE)]

    def _line(self, number: str, row: list[str], style: str | None = None) -> str:
        """Return a row as a line.

        Args:
            number: its first cell.
            row: the other cells.
            style: the style of them all; None for that of the statuses among them.
        """
        look, before, widths = self._look, number.rjust(self._widths[0]) + _GAP, self._widths[1:]
        texts = row[: len(widths)]
        fits = all(text.isascii() and len(text) <= width for text, width in zip(texts, widths, strict=True))
        widths[-1] = 0  # nothing follows the last
        if fits and not look.has_colours:  # the quick way
            return before + _GAP.join(map(str.ljust, texts, widths))
        from novaact_http.cli._lines import padded

        styles = [status_of(text).style if style is None else style for text in texts]
        parts = [(padded(text, width), each) for text, width, each in zip(texts, widths, styles, strict=True)]
        return look.line(parts[0], parts[1:], before=before)

    @property
    def _gaps(self) -> int:
        return len(_GAP) * (len(self._widths) - 1)


def _cell(value: str | dt.datetime | None, look: Look) -> str:
    if value is None:
        return "-"
    return look.plain(value) if isinstance(value, str) else f"{value.isoformat()[:19]}Z"  # all times are in UTC


_ABBREVIATIONS = {"arn": "ARN", "id": "ID", "ids": "IDs"}


def _title(name: str) -> str:
    """Return a heading, such as `"Session ID"`, for a name in Python or on the wire."""
    words = "".join([f" {each.lower()}" if each.isupper() else each for each in name]).replace("_", " ").split()
    text = " ".join([_ABBREVIATIONS.get(each, each) for each in words])
    return text[:1].upper() + text[1:]


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
