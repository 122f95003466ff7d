"""What exists in the local service, in memory: definitions, their runs, the runs' sessions, the sessions' acts.

No rules of the service are here, except those of time: what runs too long is TIMED_OUT, and what is deleted is gone a
little later. All times are seconds since the epoch.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import count
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ACCOUNT = "111122223333"
_LONGEST_RUN = 7 * 24 * 60 * 60.0
_LONGEST_ACT = 24 * 60 * 60.0
_UNTIL_GONE = 1.0
ENDED = frozenset({"SUCCEEDED", "FAILED", "TIMED_OUT"})


class _Thing(Protocol):
    id: str
    serial: int


ThingT = TypeVar("ThingT", bound=_Thing)
_serial = attrgetter("serial")


class Things(Generic[ThingT]):
    """Things by their ids, and from the oldest to the newest."""

    __slots__ = ("_by_id", "_in_order")

    def __init__(self) -> None:
        self._by_id: dict[str, ThingT] = {}
        self._in_order: list[ThingT] = []

    def __iter__(self) -> Iterator[ThingT]:
        return iter(self._in_order)

    def get(self, key: str) -> ThingT | None:
        return self._by_id.get(key)

    def add(self, thing: ThingT) -> None:
        self._by_id[thing.id] = thing
        self._in_order.append(thing)

    def remove(self, thing: ThingT) -> None:
        del self._by_id[thing.id]
        del self._in_order[bisect_left(self._in_order, thing.serial, key=_serial)]

    def page(self, size: int, after: int | None, *, ascending: bool) -> tuple[list[ThingT], int | None]:
        """Return some things, and the serial number to go on after; None for that if there are no more.

        Serial numbers stay right when things are added or removed between two pages.
        """
        things = self._in_order
        if ascending:
            start = 0 if after is None else bisect_right(things, after, key=_serial)
            chosen, has_more = things[start : start + size], start + size < len(things)
        else:
            end = len(things) if after is None else bisect_left(things, after, key=_serial)
            chosen, has_more = things[max(end - size, 0) : end][::-1], end > size
        return chosen, chosen[-1].serial if has_more else None


_NOTHING: Things[Any] = Things()  # shared by all runs without sessions or acts


class Definition:
    """A workflow definition."""

    __slots__ = ("acts", "created_at", "description", "export_config", "id", "runs", "serial", "status")

    def __init__(self, name: str, serial: int, created_at: float, description: str | None, export_config: Any) -> None:
        self.id = name
        self.serial = serial
        self.created_at = created_at
        self.description = description
        self.export_config: dict[str, str] | None = export_config
        self.status = "ACTIVE"
        self.runs: Things[Run] = Things()
        self.acts: Things[Act] = Things()


class Run:
    """A workflow run. It is kept small, as tests may make a million.

    Attributes:
        ending: how it ends by itself: the status, after how many questions about it, and when; None if it does not.
    """

    __slots__ = (
        "acts",
        "definition",
        "ended_at",
        "ending",
        "id",
        "log_group_name",
        "model_id",
        "serial",
        "sessions",
        "started_at",
        "status",
    )

    def __init__(  # noqa: PLR0917 - made by the million
        self, definition: Definition, run_id: str, serial: int, started_at: float, model_id: str, log_group: str | None
    ) -> None:
        self.definition = definition
        self.id = run_id
        self.serial = serial
        self.model_id = model_id
        self.log_group_name = log_group
        self.begin(started_at)

    def begin(self, now: float) -> None:
        """Be a run that has just begun."""
        self.started_at = now
        self.ended_at: float | None = None
        self.status = "RUNNING"
        self.ending: tuple[str, int | None, float | None] | None = None
        self.sessions: Things[Session] = _NOTHING
        self.acts: Things[Act] = _NOTHING

    def add_session(self, session: Session) -> None:
        if self.sessions is _NOTHING:
            self.sessions = Things()
        self.sessions.add(session)

    def add_act(self, act: Act) -> None:
        if self.acts is _NOTHING:
            self.acts = Things()
        self.acts.add(act)

    def end(self, status: str, now: float) -> None:
        self.status, self.ended_at, self.ending = status, now, None

    def settle(self, now: float, *, asked: bool = False) -> Run:
        """Let it end if it does by itself by now, or as it was asked for."""
        if self.status == "RUNNING":
            if self.ending is not None:
                status, polls, at = self.ending
                if asked and polls is not None:
                    polls -= 1
                    self.ending = (status, polls, at)
                if (polls is not None and polls <= 0) or (at is not None and at <= now):
                    self.end(status, now if at is None or at > now else at)
            if self.status == "RUNNING" and now - self.started_at >= _LONGEST_RUN:
                self.end("TIMED_OUT", self.started_at + _LONGEST_RUN)
        return self


class Session:
    """A session of a run."""

    __slots__ = ("acts", "id", "run", "serial")

    def __init__(self, run: Run, session_id: str, serial: int) -> None:
        self.run = run
        self.id = session_id
        self.serial = serial
        self.acts: Things[Act] = Things()


class Act:
    """An act of a session.

    Attributes:
        steps: the ids of its steps so far.
        script: what answers its steps; see `scripts`.
    """

    __slots__ = (
        "ended_at",
        "error",
        "id",
        "script",
        "serial",
        "session",
        "started_at",
        "status",
        "steps",
        "task",
        "tool_specs",
    )

    def __init__(  # noqa: PLR0917
        self, session: Session, act_id: str, serial: int, started_at: float, task: str, tools: Any
    ) -> None:
        self.session = session
        self.id = act_id
        self.serial = serial
        self.started_at = started_at
        self.ended_at: float | None = None
        self.status = "RUNNING"
        self.task = task
        self.tool_specs: list[Any] = tools
        self.error: dict[str, str] | None = None
        self.steps: list[str] = []
        self.script: Any = None

    def end(self, status: str, now: float) -> None:
        self.status, self.ended_at = status, now

    def settle(self, now: float) -> Act:
        """Let it end if it takes too long."""
        if self.status not in ENDED and now - self.started_at >= _LONGEST_ACT:
            self.end("TIMED_OUT", self.started_at + _LONGEST_ACT)
        return self


class World:
    """All things.

    Args:
        now: returns the time.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.definitions: Things[Definition] = Things()
        self._serials = count(1)
        self._leaving: list[tuple[float, Definition | Run]] = []

    def add_definition(
        self, name: str, description: str | None = None, export_config: Any = None, created_at: float | None = None
    ) -> Definition:
        now = self.now() if created_at is None else created_at
        definition = Definition(name, next(self._serials), now, description, export_config)
        self.definitions.add(definition)
        return definition

    def add_run(
        self,
        definition: Definition,
        run_id: str,
        model_id: str,
        log_group: str | None = None,
        started_at: float | None = None,
    ) -> Run:
        now = self.now() if started_at is None else started_at
        run = Run(definition, run_id, next(self._serials), now, model_id, log_group)
        definition.runs.add(run)
        return run

    def add_session(self, run: Run, session_id: str) -> Session:
        session = Session(run, session_id, next(self._serials))
        run.add_session(session)
        return session

    def add_act(self, session: Session, act_id: str, task: str, tools: Any, started_at: float | None = None) -> Act:
        now = self.now() if started_at is None else started_at
        act = Act(session, act_id, next(self._serials), now, task, tools)
        session.acts.add(act)
        session.run.add_act(act)
        session.run.definition.acts.add(act)
        return act

    def delete_definition(self, definition: Definition) -> None:
        definition.status = "DELETING"
        self._leave(definition)

    def delete_run(self, run: Run) -> None:
        run.end("DELETING", self.now())
        self._leave(run)

    def begin_anew(self, run: Run) -> Run:
        """Make it a new run in the place of the old one."""
        self._remove_acts(run)
        run.begin(self.now())
        return run

    def _remove_acts(self, run: Run) -> None:
        for act in run.acts:
            run.definition.acts.remove(act)

    def _leave(self, thing: Definition | Run) -> None:
        self._leaving.append((self.now() + _UNTIL_GONE, thing))

    def tidy(self) -> None:
        """Remove what was deleted long enough ago."""
        if not self._leaving:
            return
        now = self.now()
        due = [thing for at, thing in self._leaving if at <= now]
        self._leaving = [each for each in self._leaving if each[0] > now]
        for thing in due:
            if isinstance(thing, Definition):
                self.definitions.remove(thing)
            elif thing.status == "DELETING":  # a test may have replaced it
                self._remove_acts(thing)
                thing.definition.runs.remove(thing)
