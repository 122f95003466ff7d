"""Pagination: items one by one or page by page. A page is fetched when it is needed, and not before.

`_Position` makes all decisions, for both `Pager` and `AsyncPager`. `resume_token` has botocore's format, so that boto3
can continue a listing that was begun here, and the other way round.
"""

from __future__ import annotations

import json
import reprlib
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from novaact_http._call import parameters
from novaact_http._call.flow import Limit, call
from novaact_http._operations.shapes import NAME, Input, Integer, Operation, Output, Paging, Seconds
from novaact_http._support.late_attrs import evolve
from novaact_http.errors import NovaActError, PaginationError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping

    from novaact_http._call.flow import MakeFlow

PageT = TypeVar("PageT", bound="Output")
ItemT = TypeVar("ItemT")

_INPUTS = (
    Input("page_size", "PageSize", "client", Integer(minimum=1)),
    Input("max_items", "MaxItems", "client", Integer(minimum=0)),
    Input("starting_token", "StartingToken", "client", NAME),
    Input("total", "total", "client", Seconds()),
)
_TOKEN, _SKIP = "nextToken", "boto_truncate_amount"


class Options(NamedTuple):
    """How to page: the arguments of `iter_sessions` that are not the operation's."""

    page_size: int | None
    max_items: int | None
    starting_token: str | None
    total: float | None

    def check(self, operation: Operation[Output], arguments: Mapping[str, object]) -> None:
        """Raise a `ParameterError` that names all problems of these options and of the operation's arguments."""
        paging = _paging_of(operation)
        set_by_pager = (paging.input_token, paging.limit)
        inputs = [each for each in operation.inputs if each.name not in set_by_pager]
        parameters.check(operation.name, (*inputs, *_INPUTS), {**arguments, **self._asdict()})


def _paging_of(operation: Operation[Output]) -> Paging:
    assert operation.paging is not None  # noqa: S101 - only operations with pages have an `iter_` method
    return operation.paging


class _Position(Generic[PageT]):
    """Where the listing is: the current page, and how many of its items the caller has got.

    Attributes:
        handed_out: how many items of the current page the caller has got from this listing, or from the one it resumes.
    """

    def __init__(self, paging: Paging, options: Options) -> None:
        self._paging = paging
        self._page_size = options.page_size
        self._left = options.max_items
        self._token, self.handed_out = _parse(options.starting_token)
        self._page: PageT | None = None
        self._seen: set[str] = set()

    def next_call(self) -> dict[str, object] | None:
        """Return the paging arguments of the next call, or None if the listing is over.

        Raises:
            PaginationError: the service returned a token again.
        """
        if self._left == 0:
            return None
        if self._page is not None:
            self._token, self.handed_out = self._next_token(self._page), 0
            if self._token is None:
                return None
        if self._token is not None:
            if self._token in self._seen:
                raise PaginationError(
                    f"the service returned the next token {reprlib.repr(self._token)} a second time, so the listing "
                    "would never end; all pages before that were returned"
                )
            self._seen.add(self._token)
        return self._call(self._token)

    def _call(self, token: str | None) -> dict[str, object]:
        return {self._paging.input_token: token, self._paging.limit: self._page_size}

    def call_after(self) -> dict[str, object] | None:
        """Return what `next_call` will return after this page, or None if there is no next page or it fails."""
        token = None if self._page is None else self._next_token(self._page)
        if self._left == 0 or token is None or token in self._seen:
            return None
        return self._call(token)

    def arrive(self, page: PageT) -> tuple[Any, ...]:
        """Make this the current page, and return those of its items that the caller shall get."""
        self._page = page
        items: tuple[Any, ...] = self._items(page)[self.handed_out :]
        if self._left is not None:
            items = items[: self._left]
            self._left -= len(items)
        return items

    def trim(self, page: PageT, items: tuple[Any, ...]) -> PageT:
        """Return the page with these items only."""
        changes: dict[str, Any] = {self._paging.items: items}
        return page if len(items) == len(self._items(page)) else evolve(page, **changes)

    def resume_token(self) -> str | None:
        token, skip = self._token, self.handed_out
        if self._page is not None and skip >= len(self._items(self._page)):
            token, skip = self._next_token(self._page), 0
        if token is None and not skip:
            return None
        import base64  # 3 ms to import, and few resume

        position = {_TOKEN: token, _SKIP: skip} if skip else {_TOKEN: token}
        return base64.b64encode(json.dumps(position).encode()).decode()

    def _items(self, page: PageT) -> tuple[Any, ...]:
        return getattr(page, self._paging.items)  # type: ignore[no-any-return]

    def _next_token(self, page: PageT) -> str | None:
        return getattr(page, self._paging.output_token) or None


def _parse(token: str | None) -> tuple[str | None, int]:
    """Split a starting token into the service's token and the number of items to skip.

    A starting token is a `resume_token`, ours or botocore's; or botocore's older `token___skip`; or the service's own.
    """
    if token is None:
        return None, 0
    import base64

    try:
        position = json.loads(base64.b64decode(token.encode()).decode())
    except (ValueError, RecursionError):
        position = None
    if isinstance(position, dict) and _TOKEN in position and position.keys() <= {_TOKEN, _SKIP}:
        inner, skip = position[_TOKEN], position.get(_SKIP, 0)
        if (inner is None or (isinstance(inner, str) and inner)) and type(skip) is int and skip >= 0:
            return inner, skip
    older, separator, digits = token.partition("___")
    if older and separator and digits.isascii() and digits.isdigit():
        return (None if older == "None" else older), int(digits)
    return token, 0


class _PagerBase(Generic[PageT]):
    """What both pagers are made of.

    Raises:
        ParameterError: bad arguments or options, all named at once.
    """

    def __init__(self, operation: Operation[PageT], arguments: Mapping[str, object], options: Options) -> None:
        options.check(operation, arguments)
        self._operation = operation
        self._arguments = arguments
        self._position: _Position[PageT] = _Position(_paging_of(operation), options)
        self._total = options.total
        self._used = False
        self._flow: MakeFlow[PageT] = call

    @property
    def resume_token(self) -> str | None:
        """Pass it as `starting_token`, here or to boto3's paginator, to continue after the last returned item.

        None before the first and after the last item, as there is nothing to continue from.
        """
        return self._position.resume_token()

    def _use(self) -> _Position[PageT]:
        if self._used:
            raise NovaActError(
                "a pager can be iterated once; to continue, make another one with starting_token=pager.resume_token"
            )
        self._used = True
        if self._total is not None:
            limit = Limit(
                deadline=time.monotonic() + self._total, text=f"total allows the listing {self._total} s in all"
            )
            self._flow = partial(call, limit=limit)
        return self._position


class Pager(_PagerBase[PageT], Generic[PageT, ItemT]):
    """A listing: iterate over it for items, or over `pages()`. It can be used once."""

    def __init__(
        self,
        call_operation: Callable[[Operation[PageT], dict[str, Any], MakeFlow[PageT]], PageT],
        operation: Operation[PageT],
        arguments: Mapping[str, object],
        options: Options,
    ) -> None:
        super().__init__(operation, arguments, options)
        self._call = call_operation

    def __iter__(self) -> Iterator[ItemT]:
        return self._items(self._use())

    def pages(self) -> Iterator[PageT]:
        """Iterate over pages instead. A page that `max_items` or `starting_token` cuts has only the remaining items."""
        return self._pages(self._use())

    def _items(self, position: _Position[PageT]) -> Iterator[ItemT]:
        while (paging := position.next_call()) is not None:
            for item in position.arrive(self._fetch(paging)):
                position.handed_out += 1
                yield item

    def _pages(self, position: _Position[PageT]) -> Iterator[PageT]:
        while (paging := position.next_call()) is not None:
            page = self._fetch(paging)
            items = position.arrive(page)
            position.handed_out += len(items)
            yield position.trim(page, items)

    def _fetch(self, paging: Mapping[str, object]) -> PageT:
        return self._call(self._operation, {**self._arguments, **paging}, self._flow)


class AsyncPager(_PagerBase[PageT], Generic[PageT, ItemT]):
    """A listing: iterate over it with `async for` for items, or over `pages()`. It can be used once."""

    def __init__(
        self,
        call_operation: Callable[[Operation[PageT], dict[str, Any], MakeFlow[PageT]], Coroutine[Any, Any, PageT]],
        operation: Operation[PageT],
        arguments: Mapping[str, object],
        options: Options,
        *,
        prefetch: bool,
    ) -> None:
        super().__init__(operation, arguments, options)
        self._call = call_operation
        self._prefetch = prefetch
        self._ahead: asyncio.Task[PageT] | None = None  # fetches the next page

    def __aiter__(self) -> AsyncIterator[ItemT]:
        return self._items(self._use())

    def pages(self) -> AsyncIterator[PageT]:
        """See `Pager.pages`."""
        return self._pages(self._use())

    async def _items(self, position: _Position[PageT]) -> AsyncIterator[ItemT]:
        try:
            while (paging := position.next_call()) is not None:
                items = position.arrive(await self._page(paging))
                self._fetch_ahead(position)
                for item in items:
                    position.handed_out += 1
                    yield item
        finally:
            await self._drop_ahead()

    async def _pages(self, position: _Position[PageT]) -> AsyncIterator[PageT]:
        try:
            while (paging := position.next_call()) is not None:
                page = await self._page(paging)
                items = position.arrive(page)
                self._fetch_ahead(position)
                position.handed_out += len(items)
                yield position.trim(page, items)
        finally:
            await self._drop_ahead()

    def _fetch(self, paging: Mapping[str, object]) -> Coroutine[Any, Any, PageT]:
        return self._call(self._operation, {**self._arguments, **paging}, self._flow)

    async def _page(self, paging: Mapping[str, object]) -> PageT:
        ahead, self._ahead = self._ahead, None
        return await (self._fetch(paging) if ahead is None else ahead)

    def _fetch_ahead(self, position: _Position[PageT]) -> None:
        """Begin to fetch the next page, if there is one and `prefetch` is on."""
        if self._prefetch and (paging := position.call_after()) is not None:
            import asyncio  # already loaded here, but not by the synchronous client, which uses this module too

            self._ahead = asyncio.get_running_loop().create_task(self._fetch(paging))

    async def _drop_ahead(self) -> None:
        """Cancel the task that fetches the next page. If it has failed, ignore that: nobody needs its page any more."""
        if self._ahead is not None:
            import asyncio

            self._ahead.cancel()
            await asyncio.wait([self._ahead])
