"""What people may do to a running twin, whatever its clock: each act is a transaction, checked, audited and announced.

An act that was answered with success is durable; one that was not has left no trace.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol

import msgspec

from liuyu.app.broadcast import Broadcast
from liuyu.app.dispatches import DispatchOffice
from liuyu.app.outbox import Deliverer, Postbox
from liuyu.app.pipeline import Pipeline
from liuyu.app.rehearsals.desk import Rehearsals
from liuyu.app.rehearsals.host import Stage
from liuyu.app.responses import ResponseOffice
from liuyu.app.shift import Shift
from liuyu.app.users import Users
from liuyu.basin.clock import epoch
from liuyu.basin.errors import BadInput, NotAllowed, StoreFailed
from liuyu.basin.events import Event
from liuyu.basin.places import Basin
from liuyu.basin.records import Scenario
from liuyu.basin.series import Batch
from liuyu.monitor.summarise import Form, report, report_file
from liuyu.store.interface import Store
from liuyu.web.papers import DispatchDesk, ShiftDesk
from liuyu.web.ports import ROLES, LetterDesk, Message, OrderDesk, ResponseDesk, Role, User


class Driven(Protocol):
    """A pipeline on its way: where its time stands, and the transaction that keeps what is done to it."""

    @property
    def pipeline(self) -> Pipeline:
        """Its stages."""
        ...

    @property
    def now(self) -> int:
        """The last moment [s UTC] whose step is complete."""
        ...

    def commit(self) -> AbstractContextManager[None]:
        """A transaction that keeps the memory of the stages with what is written in it."""
        ...


class Acts(ABC):
    """The half of `web.ports.Twin` that does not depend on the clock.

    `begin` [s UTC] is where its log and its reports begin.
    """

    def __init__(self, basin: Basin, store: Store, users: Users, run: Driven, begin: int) -> None:
        self._basin, self._store, self._users, self._begin = basin, store, users, begin
        self._run = run
        self.orders: OrderDesk | None = None
        self.letters: LetterDesk | None = None
        self._broadcast = Broadcast()
        self._lock = threading.Lock()
        self._stale = False
        self._postbox: Postbox | None = None
        self._deliverer: Deliverer | None = None
        self.dispatches: DispatchDesk | None = DispatchOffice(basin, store, self._act, self._need, lambda: self._run)
        self.shift: ShiftDesk | None = Shift(basin, store, self._act, self._need, lambda: self._run)
        self.responses: ResponseDesk | None = ResponseOffice(
            basin, store, self._act, self._need, lambda: self._run, self._lock
        )
        self.rehearsals: Rehearsals | None = None

    @abstractmethod
    def _reopened(self) -> Driven:
        """The run as it stands in the store."""

    def equip(self, postbox: Postbox) -> None:
        """Have what is signed sent by the channels of a postbox, until `unequip`."""
        self._postbox = self._run.pipeline.postbox = postbox
        self._deliverer = Deliverer(self._store, postbox, lambda: self._run.now, self._announce)
        self._deliverer.start()

    def unequip(self) -> None:
        """End the sending after the messages in hand; what is left in the queue stays there."""
        if self._deliverer is not None:
            self._deliverer.stop()

    def _resumed(self) -> Driven:
        """The run as it stands in the store, with the postbox of the one before."""
        run = self._reopened()
        run.pipeline.postbox = self._postbox
        return run

    def _mend(self) -> None:
        """Take memory back to what is kept, where it is ahead of that. Raises StoreFailed."""
        if self._stale:
            self._run = self._resumed()
            self._stale = False

    def rehearse_in(self, folder: Path) -> None:
        """Run scenarios, and keep their results in a folder, until the twin ends."""
        self.rehearsals = Rehearsals(Stage(self._basin, self._store, lambda: self._run, self._log, self._tell), folder)

    def begin_rehearsals(self) -> None:
        """Go on with scenarios that an earlier process left."""
        if self.rehearsals is not None:
            self.rehearsals.start()

    def end_rehearsals(self) -> None:
        """Stop running scenarios; what is not done is taken up at the next start."""
        if self.rehearsals is not None:
            self.rehearsals.close()

    def _log(self, make: Callable[[int], Event], also: Callable[[], None]) -> None:
        """Log what was made of the present, and do something else in the same transaction."""
        with self._lock:
            self._mend()
            now = self._run.now
            try:
                with self._run.commit():
                    also()
                    logged = self._run.pipeline.answer(make(now), now)
            except StoreFailed:
                self._stale = True
                self._mend()
                raise
        self._announce(logged)

    def _tell(self, message: Message) -> None:
        self._broadcast.publish(message)

    @property
    def basin(self) -> Basin:
        """The basin that it twins."""
        return self._basin

    @property
    def store(self) -> Store:
        """What it remembers."""
        return self._store

    def acknowledge(self, user: User, alert: str, note: str) -> Event:
        """Acknowledge an alert. Needs duty_officer. Raises NotFound."""
        self._need(user, "duty_officer", "acknowledge an alert")
        stage = self._run.pipeline.alert
        return self._act(
            user, "acknowledge", alert, {"note": note}, lambda now: stage.acknowledge(alert, user.name, note, now)
        )

    def update_task(self, user: User, task: str, state: str, note: str) -> Event:
        """Set a task to acknowledged or done. Needs duty_officer. Raises NotFound, BadInput."""
        self._need(user, "duty_officer", "update a task")
        stage = self._run.pipeline.respond
        detail = {"state": state, "note": note}
        return self._act(user, "task", task, detail, lambda now: stage.update_task(task, state, user.name, note, now))

    def decide(self, user: User, proposal: str, accept: bool, note: str) -> Event:
        """Accept or reject a release proposal. Needs duty_officer. Raises NotFound, BadInput if decided already."""
        self._need(user, "duty_officer", "decide on a proposal")
        stage = self._run.pipeline.plan
        if stage is None:
            raise BadInput(f"basin {self.basin.code!r} has no model, so there are no proposals; calibrate one first")
        detail = {"accept": accept, "note": note}
        return self._act(
            user, "decide", proposal, detail, lambda now: stage.decide(proposal, accept, user.name, note, now)
        )

    def silence(self, user: User, match: Mapping[str, str], until: datetime, note: str) -> Event:
        """Silence alerts that match (subject, rule, severity) until a time. Needs duty_officer."""
        self._need(user, "duty_officer", "silence alerts")
        stage = self._run.pipeline.alert
        end = epoch(until)
        detail = {"match": dict(match), "until": until.isoformat(), "note": note}
        return self._act(user, "silence", "alerts", detail, lambda now: stage.silence(match, end, user.name, note, now))

    def rehearse(self, user: User, name: str, releases: Mapping[str, Sequence[float]], inflow_factor: float) -> Event:
        """Run a what-if on the newest forecast. Needs duty_officer. Raises BadInput."""
        self._need(user, "duty_officer", "run a what-if")
        held = {code: tuple(map(float, series)) for code, series in releases.items()}
        scenario = Scenario(name=name, releases=held, inflow_factor=inflow_factor)

        detail = {"inflow_factor": inflow_factor, "reservoirs": sorted(held)}
        return self._act(user, "rehearse", name, detail, lambda now: self._run.pipeline.rehearse(scenario, now))

    def report(self, kind: Form, language: Literal["zh", "en"], at: datetime | None) -> bytes:
        """The report as of a time, made from the log."""
        end = min(epoch(at) if at else self._run.now, self._run.now)
        if end < self._begin:
            raise BadInput("the report begins with the run, which is still warming up; wait for its first step")
        made = report(self.basin, self._store, self._begin, end + 1)
        return report_file(made, kind, language)

    def sign_in(self, name: str, password: str) -> User | None:
        """The user, if the password is right."""
        return self._users.check(name, password)

    def sign_in_with_token(self, token: str) -> User | None:
        """The user to whom a one-time address was printed at start; a token works once."""
        return self._users.redeem(token)

    def messages(self) -> AsyncIterator[Message]:
        """What happens from now on, as it happens."""
        return self._broadcast.listen()

    def _act(
        self, user: User, action: str, target: str, detail: Mapping[str, Any], do: Callable[[int], Event]
    ) -> Event:
        with self._lock:
            self._mend()
            now = self._run.now
            try:
                with self._run.commit():
                    logged = self._run.pipeline.answer(do(now), now)
                    self._audit(user, action, target, detail)
            except StoreFailed:
                self._stale = True
                self._mend()
                raise
        self._announce(logged)
        if not logged:
            raise BadInput(f"{action} of {target!r} at this moment is in the log already; let the clock move on")
        return logged[0]

    def _audit(self, user: User, action: str, target: str, detail: Mapping[str, Any]) -> None:
        who = f"{user.name} ({user.role})"
        self._store.audit(at=self._run.now, user=who, action=action, target=target, detail=msgspec.to_builtins(detail))

    def _need(self, user: User, role: Role, what: str) -> None:
        if ROLES.index(user.role) < ROLES.index(role):
            raise NotAllowed(f"{user.name!r} is a {user.role} and may not {what}; sign in as {role}")

    def _tell_values(self, batches: Sequence[Batch]) -> None:
        columns = {
            name: [each for batch in batches for each in getattr(batch, name).tolist()]
            for name in ("station", "quantity", "time", "value", "flag")
        }
        self._broadcast.publish(Message(topic="values", data=columns))

    def _announce(self, events: Sequence[Event]) -> None:
        for event in events:
            self._broadcast.publish(Message(topic="event", data=event))
