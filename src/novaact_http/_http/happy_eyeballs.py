"""In which order, and how soon one after the other, the addresses of a host are tried (RFC 8305). No I/O.

https://www.rfc-editor.org/rfc/rfc8305
"""

from __future__ import annotations

from collections import deque
from typing import Any

NEXT_ADDRESS_AFTER = 0.25  # seconds: RFC 8305, 5


def in_turn(addresses: list[Any]) -> deque[Any]:
    """Return the addresses with families alternating, beginning with the family that the system prefers (RFC 8305, 4).

    Args:
        addresses: as `socket.getaddrinfo` returns them.
    """
    families: dict[int, deque[Any]] = {}
    for each in addresses:
        families.setdefault(each[0], deque()).append(each)
    ordered: deque[Any] = deque()
    while families:
        for family in list(families):
            ordered.append(families[family].popleft())
            if not families[family]:
                del families[family]
    return ordered


def next_address_after(count: int, timeout: float | None) -> float:
    """Return after how many seconds without an answer the next address is tried too.

    Args:
        count: how many addresses there are. All of them get their turn before the timeout.
        timeout: seconds for connecting; None for no limit.
    """
    return NEXT_ADDRESS_AFTER if timeout is None else min(NEXT_ADDRESS_AFTER, timeout / (count + 1))
