"""Short reprs of values for error messages, the same on every Python."""

from __future__ import annotations

import reprlib

# Some 600 digits. Python can be told to write no integer of more than 640 digits. What `reprlib` then does depends on
# the version: it raises, or shows a memory address.
_MOST_BITS = 2_000


class ShortRepr(reprlib.Repr):
    """`reprlib.Repr`, except that an integer of many hundreds of digits is shown as `...`."""

    def repr_int(self, x: int, level: int) -> str:
        return super().repr_int(x, level) if x.bit_length() <= _MOST_BITS else "..."


short_repr = ShortRepr().repr
