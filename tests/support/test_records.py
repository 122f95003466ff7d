"""Records are made of what is passed, else of what their class sets."""

from __future__ import annotations

from functools import cached_property

from novaact_http._support.records import Record


class Room(Record):
    width: int
    length: int = 2

    @cached_property
    def area(self) -> int:
        return self.width * self.length


def test_a_record_has_what_was_passed_and_the_defaults() -> None:
    room = Room(width=3)
    assert (room.width, room.length, room.area) == (3, 2, 6)


def test_a_copy_derives_its_own_values_and_leaves_the_original_alone() -> None:
    room = Room(width=3)
    assert room.area == 6
    wider = room.replace(width=5)
    assert (wider.width, wider.length, wider.area) == (5, 2, 10)
    assert (room.width, room.area) == (3, 6)


def test_records_do_not_share_values() -> None:
    assert Room(width=1).replace(length=4).area == 4
    assert Room(width=1).length == 2


def test_the_text_of_a_record_shows_no_value() -> None:
    assert "12345" not in repr(Room(width=12345))
