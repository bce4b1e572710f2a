"""The desk of responses: plans to read, levels to propose and to decide on. Acts are checked, audited and announced."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from liuyu.basin.clock import epoch
from liuyu.basin.errors import NotFound
from liuyu.basin.events import Event
from liuyu.basin.places import Basin
from liuyu.monitor.respond.contingency import Contingency, Plan, digest, in_force
from liuyu.monitor.respond.contingency.sheet import (
    PlanHead,
    PlanSheet,
    ResponseSheet,
    frozen_plan,
    plan_sheet,
    response_sheet,
)
from liuyu.store.interface import Store
from liuyu.web.ports import Role, User

if TYPE_CHECKING:
    from liuyu.app.acts import Driven

Act = Callable[[User, str, str, Mapping[str, Any], Callable[[int], Event]], Event]
Need = Callable[[User, Role, str], None]


class ResponseOffice:
    """What people may see of plans and responses, and do about them; implements `web.ports.ResponseDesk`."""

    def __init__(
        self,
        basin: Basin,
        store: Store,
        act: Act,
        need: Need,
        run: Callable[[], Driven],
        lock: threading.Lock,
    ) -> None:
        self._basin, self._store = basin, store
        self._act, self._need, self._run, self._lock = act, need, run, lock

    @property
    def _stage(self) -> Contingency:
        return self._run().pipeline.respond.contingency

    def decide(self, user: User, response: str, approve: bool, level: str | None, note: str) -> Event:
        """Approve what is proposed, or another level, or decline. Needs duty_officer, or what the plan asks for.

        Raises NotFound, BadInput where nothing is proposed, NotAllowed.
        """
        self._need(user, "duty_officer", "decide on a response")

        def do(now: int) -> Event:
            role = self._stage.approver(response, level)
            if approve:
                self._need(user, role, f"approve a response at level {level}" if level else "approve this response")
            return self._stage.decide(response, approve, level, user.name, note, now)

        detail = {"approve": approve, "level": level, "note": note}
        return self._act(user, "decide_response", response, detail, do)

    def propose(self, user: User, plan: str, level: str, note: str) -> Event:
        """Propose a level by hand, with its reason. Needs duty_officer. Raises NotFound, BadInput."""
        self._need(user, "duty_officer", "propose a response")
        detail = {"level": level, "note": note}
        return self._act(
            user,
            "propose_response",
            plan,
            detail,
            lambda now: self._stage.propose(plan, level, user.name, note, now, self._run().pipeline.respond.incident),
        )

    def plans(self) -> list[PlanHead]:
        """Every version of every plan in the files of the basin."""
        with self._lock:
            return [self._head(each) for each in self._stage.plans]

    def plan(self, code: str, version: str) -> PlanSheet:
        """A plan: the version named, or the one in force, or the newest. Raises NotFound."""
        with self._lock:
            found = [each for each in self._stage.plans if each.code == code]
            if not found:
                near = difflib.get_close_matches(code, [each.code for each in self._stage.plans], n=1)
                raise NotFound(f"no plan {code!r}; " + (f"did you mean {near[0]!r}?" if near else "see /api/plans"))
            if version:
                found = [each for each in found if each.version == version]
                if not found:
                    raise NotFound(f"plan {code!r} has no version {version!r}; see /api/plans")
            current = [each for each in found if self._head(each).in_force]
            plan = (current or found)[-1]
            return plan_sheet(plan, self._head(plan), self._basin, self._owners())

    def response(self, id: str) -> ResponseSheet:
        """A response, open or over. Raises NotFound."""
        with self._lock:
            events = self._store.events(kinds=["response"], id=id)
            if not events:
                raise NotFound(f"no response {id!r}; see /api/board")
            course = next((each for each in self._stage.open() if each.id == id), None)
            plan = course.plan if course else frozen_plan(events)
            if plan is None:  # declined before it ever began: the file's plan, if it is there still
                plan = next((each for each in self._stage.plans if each.code == events[-1].body["plan"]), None)
            if plan is None:
                raise NotFound(f"plan {events[-1].body['plan']!r} of response {id!r} is in no file any more")
            conditions = self._stage.found(id, self._run().now) or {}
            tasks = self._store.events(kinds=["task"], start=epoch(events[0].time))
            owners = self._owners()
            shown = plan_sheet(plan, self._head(plan, id if course else ""), self._basin, owners)
            mine = [each for each in tasks if each.body.get("response") == id]
            return response_sheet(events, mine, plan, shown, self._basin, conditions, owners)

    def _head(self, plan: Plan, response: str = "") -> PlanHead:
        now = self._run().now
        open_ = next((each.id for each in self._stage.open() if each.plan.code == plan.code), "")
        current = in_force(self._stage.plans, now, self._basin)
        return PlanHead(
            code=plan.code,
            version=plan.version,
            digest=digest(plan),
            name=plan.name.text(),
            authority=plan.authority.text(),
            source=plan.source,
            effective_from=plan.effective_from,
            effective_until=plan.effective_until,
            in_force=any(each.code == plan.code and each.version == plan.version for each in current),
            levels=tuple(each.code for each in plan.levels),
            response=response or open_,
        )

    def _owners(self) -> dict[str, dict[str, str]]:
        return self._run().pipeline.respond.owners()
