"""From a plan to what is kept: through the door first, then the ledger and the audit log in one transaction.

Whoever is answered with success finds it after `kill -9`: rows that feed the basin's series are in the inbox, all else
is in the store. One that was not answered may send the same again: an observation of a datastream and time is one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from liuyu.basin.clock import epoch
from liuyu.basin.errors import BadInput, NotFound
from liuyu.monitor.sense.sensorthings.observation import parcel_of
from liuyu.monitor.sense.sensorthings.streams import Stream
from liuyu.monitor.sense.sensorthings.topics import read_message
from liuyu.store.inbox.interface import Parcel
from liuyu.web.ports import User
from liuyu.web.sensorthings.address import find
from liuyu.web.sensorthings.arrays import plan_arrays
from liuyu.web.sensorthings.catalogue import RELATIONS, Entity
from liuyu.web.sensorthings.changes import delete, update
from liuyu.web.sensorthings.draft import Draft
from liuyu.web.sensorthings.planner import Made, Planner, stream_of
from liuyu.web.sensorthings.refusals import NotPossible
from liuyu.web.sensorthings.service import SensorThings

CREATE_OBSERVATIONS = "CreateObservations"
T = TypeVar("T")
Outcome = Made | list[str] | None
"""What a request made or changed; for CreateObservations the ids, or why not; None where it deleted."""


class Editor:
    """Writes of one service, one after another as far as they plan on one another."""

    def __init__(self, things: SensorThings) -> None:
        self._things = things
        self.lock = threading.RLock()

    def run(self, user: User, action: str, target: str, plan: Callable[[Planner], T]) -> T:
        """Plan, keep, and give back what the plan came to. What raises has kept nothing."""
        with self.lock:
            planner = self.planner(user)
            done = plan(planner)
            if planner.draft.keeps:
                self.keep(planner, user, action, target)
                return done
        self.keep(planner, user, action, target)
        return done

    def planner(self, user: User) -> Planner:
        """A planner on what there is now."""
        things = self._things
        now = max(epoch(things.twin.clock().now), wall())  # the twin's time lags a step behind
        return Planner(Draft(things.catalogue, things.ledger, now), things.twin.basin, user)

    def keep(self, planner: Planner, user: User, action: str, target: str) -> None:
        """Make a plan durable and visible."""
        draft, things = planner.draft, self._things
        if draft.empty:
            return
        parcel = parcel_of(draft.observed, things.twin.basin.roster, f"sensorthings:{user.name}", draft.now)
        if len(parcel.batch):
            things.twin.deliver(parcel)
            things.observations.delivered(parcel.batch)
        detail = {name: count for name, count in draft.counts.items() if count}
        self._write(draft, lambda: self._audit(draft.now, user, action, target, detail))

    def message(self, topic: str, payload: bytes, source: str = "mqtt:sensorthings") -> Parcel:
        """The parcel that an MQTT message is; what a parcel cannot hold is kept first. Raises BadInput.

        Whoever holds the connection delivers the parcel; one of a datastream that feeds no series has no rows.
        """
        with self.lock:
            planner = self.planner(User(source, "device"))
            observed = read_message(topic, payload, self, planner.draft.now)
            planner.draft.observe(observed)
            if planner.draft.keeps:
                self._write(planner.draft, lambda: None)
        parcel = parcel_of([observed], self.roster, source, planner.draft.now)
        self._things.observations.delivered(parcel.batch)
        return parcel

    @property
    def roster(self) -> Any:
        """The order of the basin's stations."""
        return self._things.twin.basin.roster

    def stream(self, id: str) -> Stream | None:
        """The datastream of an id, for whoever reads messages; None where there is none."""
        found = self._things.catalogue.sets["Datastreams"].get(id)
        return stream_of(found, self._things.twin.basin) if found else None

    def _write(self, draft: Draft, audit: Callable[[], None]) -> None:
        things = self._things
        with self.lock if draft.keeps else _Open():
            try:
                with things.twin.store.transaction():
                    if draft.keeps:
                        things.ledger.keep(draft.numbered(), draft.notes)
                    audit()
            except BaseException:
                if draft.keeps:
                    things.ledger.reload()
                    things.refresh()
                raise
            if draft.entities:
                things.refresh()

    def _audit(self, now: int, user: User, action: str, target: str, detail: Mapping[str, Any]) -> None:
        who = f"{user.name} ({user.role})"
        self._things.twin.store.audit(at=now, user=who, action=f"sensorthings {action}", target=target, detail=detail)

    # what a method and an address come to

    def plan(self, planner: Planner, method: str, path: str, body: Any) -> Outcome:
        """Plan one request. Raises BadInput, NotFound, NotAllowed and the refusals of this service."""
        path = path.strip("/")
        if path == CREATE_OBSERVATIONS:
            if method != "POST":
                raise NotPossible(f"{method} is not possible at {path}; POST data arrays to it", "POST")
            return plan_arrays(planner, body)
        address = find(path, planner.draft.view, self._things.feature_of)
        if address.property or address.form:
            raise NotPossible(f"{method} is not possible at a property or reference; PATCH the entity itself")
        if method == "POST":
            return self._create(planner, address.set, address.source, address.entity, body)
        if address.entity is None:
            raise NotPossible(f"{method} is not possible at a collection; name one entity, as Things('ID')", "POST")
        if method == "DELETE":
            delete(planner, address.entity, self._things.observations)
            return None
        return update(planner, address.entity, body, whole=method == "PUT", observations=self._things.observations)

    def _create(self, planner: Planner, set: str, source: Entity | None, entity: Entity | None, body: Any) -> Made:
        if entity is not None:
            raise NotPossible(
                "POST is not possible at an entity; PATCH it, or POST to a collection", "PATCH", "PUT", "DELETE"
            )
        if source is None:
            return planner.create(set, body)
        up = next((name for name, each in RELATIONS[set].items() if each.target == source.set), None)
        if up is None:
            raise NotFound(f"{set} are not created below {source.set}; POST to {set}")
        if isinstance(body, Mapping) and (told := body.get(up)) is not None:
            said = told.get("@iot.id") if isinstance(told, Mapping) else None
            if str(said) != source.id:
                raise BadInput(f"the body names another {up} than the address; leave it out")
        return planner.create(set, body, {up: source.id})


def wall() -> int:
    """The present of those who send [s UTC]."""
    return int(time.time())


class _Open:
    """A lock that is always free."""

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...
