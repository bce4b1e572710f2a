"""Scenarios in a running twin: queued, run one after another beside the loop, kept, and told as they go.

    queued -> running -> done, failed (with the reason) or cancelled

A scenario is a job of the store. It names the moment from which it starts, so that it gives the same whenever it runs:
one that a kill interrupted is run again when the twin is, and takes the floods that were finished as they are.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import msgspec

from liuyu.app.rehearsals.base import outlook_at
from liuyu.basin.clock import HOUR, moment
from liuyu.basin.errors import BadInput, BadPackage, LiuyuError, NotAllowed, NotFound
from liuyu.basin.events import Event
from liuyu.basin.places import Basin
from liuyu.outlook.rehearse import Setup, run_scenario, scenario_of
from liuyu.outlook.rehearse.announce import announce_scenario
from liuyu.outlook.rehearse.read import faults_of, moment_of
from liuyu.outlook.rehearse.run import SUMMARY
from liuyu.outlook.rehearse.view import options_of
from liuyu.store.interface import Job, Store
from liuyu.twin import RiverTwin
from liuyu.twin.executor import ProcessExecutor
from liuyu.web.ports import ROLES, Message, User
from liuyu.web.rehearsing import RehearsalSheet

KIND = "rehearsal"
WORKER = "rehearsals"
LEASE = 30 * 86400  # one process holds the store; a claim that outlives it is taken back at the next start
MOST_WAITING = 20
MOST_ATTEMPTS = 3
CANCELLED = "cancelled"
_STEP = 0.01  # by how much a share must grow to be told
_STATES = {"queued": "queued", "claimed": "running", "done": "done"}
_QUEUED = {"zh": "等待计算", "en": "waiting"}
_log = logging.getLogger("liuyu")


class Host(Protocol):
    """The twin whose future is rehearsed."""

    @property
    def basin(self) -> Basin:
        """Its basin."""
        ...

    @property
    def store(self) -> Store:
        """What it remembers."""
        ...

    @property
    def model(self) -> RiverTwin | None:
        """Its river; None where the basin has no model."""
        ...

    @property
    def now(self) -> int:
        """Its present [s UTC]."""
        ...

    def log(self, make: Callable[[int], Event], also: Callable[[], None]) -> None:
        """Log an event of its present, and do something else in the same transaction."""
        ...

    def publish(self, message: Message) -> None:
        """Tell whoever listens."""
        ...


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario as its job keeps it; `at` is its base moment and `asked` when it was sent [s UTC]."""

    scenario: dict[str, Any]
    at: int
    by: str
    asked: int


def wall_clock() -> int:
    """The time of this machine [s UTC]."""
    return int(time.time())


class Rehearsals:
    """The scenarios of one twin; satisfies `web.ports.RehearsalDesk`. May be called in any thread."""

    def __init__(self, host: Host, folder: Path, *, clock: Callable[[], int] = wall_clock, workers: int = 0) -> None:
        self._host, self.folder, self._clock, self._workers = host, folder, clock, workers
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._closing = False
        self._thread: threading.Thread | None = None
        self._executor: ProcessExecutor | None = None
        self._progress: dict[str, tuple[float, Mapping[str, str]]] = {}
        self._running = ""
        self._cancelled: set[str] = set()

    # what users ask

    def submit(self, user: User, scenario: Mapping[str, Any]) -> RehearsalSheet:
        """Queue a scenario on the twin's newest whole hour. Needs duty_officer. Raises BadInput with every fault.

        The same scenario on the same moment is given back as it stands, unless it failed or was cancelled.
        """
        _need(user, "rehearse a scenario")
        setup = self._checked(scenario)
        at = self._host.now // HOUR * HOUR if setup.base.at is None else self._past(setup)
        with self._lock:
            if len(self._host.store.jobs(kinds=[KIND], states=["queued"], limit=MOST_WAITING)) >= MOST_WAITING:
                raise BadInput(f"{MOST_WAITING} scenarios wait already; wait until some are done, or cancel one")
            name, found = self._free_name(setup, at)
            if found is not None:
                return self._sheet(found)
            kept = Kept(scenario=dict(scenario), at=at, by=user.name, asked=self._clock())
            with self._host.store.transaction():
                job = self._host.store.submit(KIND, name, msgspec.json.encode(kept), now=self._clock())
                self._audit(user, "rehearse", name, {"name": setup.head.name, "at": moment(at).isoformat()})
        sheet = self._sheet(job)
        self._tell(sheet)
        self.start()
        self._wake.set()
        return sheet

    def listed(self, limit: int = 100) -> list[RehearsalSheet]:
        """Scenarios, newest first, without their results."""
        return [self._sheet(each) for each in self._host.store.jobs(kinds=[KIND], limit=limit)]

    def find(self, id: str) -> RehearsalSheet:
        """A scenario, with what summary.json says where it is done or failed. Raises NotFound."""
        return self._sheet(self._job(id), whole=True)

    def results(self, id: str) -> Path:
        """The folder of a scenario that is done. Raises NotFound, BadInput while it is not."""
        job = self._job(id)
        if job.state != "done":
            raise BadInput(f"scenario {id!r} is {self._sheet(job).state} and has no results; wait for it to be done")
        return self.folder / job.name

    def cancel(self, user: User, id: str) -> RehearsalSheet:
        """End a scenario that waits or runs. Needs duty_officer. Raises NotFound, BadInput where it has ended."""
        _need(user, "cancel a scenario")
        with self._lock:
            job = self._job(id)
            if job.state not in ("queued", "claimed"):
                raise BadInput(f"scenario {id!r} is {self._sheet(job).state} already; there is nothing to cancel")
            self._audit(user, "cancel_rehearsal", id, {})
            self._cancelled.add(id)
            if job.state == "queued":
                claimed = self._host.store.claim([KIND], WORKER, now=self._clock(), lease=LEASE, name=id)
                if claimed is not None:
                    self._host.store.fail(claimed, f"{CANCELLED} by {user.name}", now=self._clock())
            elif self._executor is not None:
                self._executor.abandon()
        sheet = self._sheet(self._job(id))
        self._tell(sheet)
        return sheet

    def faults(self, scenario: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Every fault of a scenario: field, value, problem, cure; empty where it could be queued."""
        try:
            scenario_of(scenario, self._host.basin)
        except BadPackage as error:
            return faults_of(error)
        return []

    def options(self) -> Mapping[str, Any]:
        """What a scenario may change here, from the twin's newest whole hour. Raises BadInput, ModelFailed."""
        twin = self._host.model
        if twin is None:
            raise BadInput(f"basin {self._host.basin.code!r} names no model in basin.toml; calibrate one first")
        outlook = outlook_at(twin, self._host.store, self._host.now // HOUR * HOUR)
        return options_of(self._host.basin, twin, outlook)

    # the thread that runs them

    def start(self) -> None:
        """Take up what an earlier process left, and begin to run. May be called again."""
        with self._lock:
            if self._thread is not None or self._closing:
                return
            self._take_back()
            self._thread = threading.Thread(target=self._run, name="liuyu-rehearsals", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End the thread; what runs is run again at the next start."""
        self._closing = True
        self._wake.set()
        if self._executor is not None:
            self._executor.close()
        if self._thread is not None:
            self._thread.join()

    def _take_back(self) -> None:
        """Queue again what was being run when the process ended."""
        now = self._clock()
        for job in self._host.store.jobs(kinds=[KIND], states=["claimed"]):
            if job.attempts >= MOST_ATTEMPTS:
                why = f"the twin ended {job.attempts} times while it ran; look at its log, and send it again"
                self._host.store.fail(job, why, now=now)
            else:
                self._host.store.fail(job, "the twin ended while it ran", now=now, retry_at=now)

    def _run(self) -> None:
        while not self._closing:
            try:
                job = self._host.store.claim([KIND], WORKER, now=self._clock(), lease=LEASE)
            except LiuyuError as error:
                _log.error("scenarios cannot be taken from the store: %s", error)
                job = None
            if job is None:
                self._wake.wait(2.0)
                self._wake.clear()
                continue
            self._do(job)

    def _do(self, job: Job) -> None:
        kept = msgspec.json.decode(job.payload, type=Kept)
        self._running = job.name
        try:
            told = self._rehearse(job.name, kept)
            self._finish(job, kept, told)
        except Exception as error:  # whatever it was: it must be told, and the next scenario be run
            if self._closing:
                return
            if not isinstance(error, LiuyuError):
                _log.exception("scenario %s failed", job.name)
            why = str(error) if isinstance(error, LiuyuError) else f"{type(error).__name__}: {error}"
            if job.name in self._cancelled:
                why = f"{CANCELLED} while it ran"
            self._failed(job, why)
        finally:
            self._running = ""
            self._progress.pop(job.name, None)

    def _rehearse(self, name: str, kept: Kept) -> dict[str, Any]:
        twin = self._host.model
        if twin is None:
            raise BadInput(f"basin {self._host.basin.code!r} names no model in basin.toml; calibrate one first")
        if self._executor is None:
            self._executor = ProcessExecutor(self._workers)
        setup = scenario_of(kept.scenario, self._host.basin)
        outlook = outlook_at(twin, self._host.store, kept.at)
        tell = partial(self._on, name)
        return run_scenario(setup, twin, outlook, self._host.store, self.folder / name, self._executor, tell)

    def _on(self, name: str, share: float, words: Mapping[str, str]) -> None:
        before = self._progress.get(name)
        if before is not None and share - before[0] < _STEP and words == before[1]:
            return
        self._progress[name] = (share, words)
        self._tell(self._sheet(self._job(name)))
        if name in self._cancelled:
            raise BadInput(f"scenario {name!r} was cancelled")

    def _finish(self, job: Job, kept: Kept, told: Mapping[str, Any]) -> None:
        setup, twin = scenario_of(kept.scenario, self._host.basin), self._host.model
        assert twin is not None
        digest = hashlib.sha256((self.folder / job.name / SUMMARY).read_bytes()).hexdigest()
        self._host.log(
            lambda now: announce_scenario(twin, setup, told, job.name, now),
            lambda: self._close_done(job, digest),
        )
        self._tell(self._sheet(self._job(job.name)))

    def _close_done(self, job: Job, digest: str) -> None:
        self._host.store.finish(job, msgspec.json.encode({"summary_sha256": digest}), now=self._clock())

    def _failed(self, job: Job, why: str) -> None:
        try:
            self._host.store.fail(job, why, now=self._clock())
        except LiuyuError as error:
            _log.error("scenario %s failed (%s), and that cannot be kept: %s", job.name, why, error)
            return
        self._tell(self._sheet(self._job(job.name)))

    # what is shown

    def _job(self, id: str) -> Job:
        found = self._host.store.jobs(kinds=[KIND], name=id[:200], limit=1)
        if not found:
            raise NotFound(f"no scenario {id[:80]!r}; see GET /api/scenarios")
        return found[0]

    def _sheet(self, job: Job, *, whole: bool = False) -> RehearsalSheet:
        kept = msgspec.json.decode(job.payload, type=Kept)
        state = _STATES.get(job.state) or (CANCELLED if job.reason.startswith(CANCELLED) else "failed")
        share, words = self._progress.get(job.name, (1.0 if state == "done" else 0.0, {}))
        head = kept.scenario
        name = str(head.get("name", ""))
        return RehearsalSheet(
            id=job.name,
            name={"zh": name, "en": str(head.get("name_en") or name)},
            state=state,  # type: ignore[arg-type]
            share=round(share, 3),
            words=words or _words(state),
            by=kept.by,
            at=moment(kept.at),
            submitted=moment(kept.asked),
            ended=None if job.ended is None else moment(job.ended),
            reason=job.reason if state in ("failed", CANCELLED) else "",
            scenario=kept.scenario if whole else None,
            summary=self._summary(job) if whole and state in ("done", "failed") else None,
        )

    def _summary(self, job: Job) -> dict[str, Any] | None:
        path = self.folder / job.name / SUMMARY
        return msgspec.json.decode(path.read_bytes()) if path.is_file() else None

    def _tell(self, sheet: RehearsalSheet) -> None:
        self._host.publish(Message(topic="rehearsal", data=sheet))

    # helpers

    def _checked(self, scenario: Mapping[str, Any]) -> Setup:
        if self._host.model is None:
            raise BadInput(f"basin {self._host.basin.code!r} names no model in basin.toml; calibrate one first")
        try:
            return scenario_of(scenario, self._host.basin)
        except BadPackage as error:
            each = " | ".join(f"{one.field} {one.problem}: {one.cure}".strip() for one in error.faults)
            raise BadInput(f"the scenario has {len(error.faults)} faults; {each}") from None

    def _past(self, setup: Setup) -> int:
        at = moment_of(setup.base.at, self._host.basin)
        if at > self._host.now:
            now = moment(self._host.now, self._host.basin.zone).isoformat()
            raise BadInput(
                f"base {setup.base.at} lies after the twin's present, {now}; leave [base] out to start there"
            )
        return at

    def _free_name(self, setup: Setup, at: int) -> tuple[str, Job | None]:
        """A name for a scenario, or the job that is the same and has not failed."""
        stem = f"{moment(at):%Y%m%dT%H%MZ}-{setup.digest[:8]}"
        number = 1
        while True:
            name = stem if number == 1 else f"{stem}-{number}"
            found = self._host.store.jobs(kinds=[KIND], name=name, limit=1)
            if not found:
                return name, None
            if found[0].state != "failed":
                return name, found[0]
            number += 1

    def _audit(self, user: User, action: str, target: str, detail: Mapping[str, Any]) -> None:
        who = f"{user.name} ({user.role})"
        self._host.store.audit(at=self._host.now, user=who, action=action, target=target, detail=detail)


def _need(user: User, what: str) -> None:
    if ROLES.index(user.role) < ROLES.index("duty_officer"):
        raise NotAllowed(f"{user.name!r} is a {user.role} and may not {what}; sign in as duty_officer")


def _words(state: str) -> Mapping[str, str]:
    return {
        "queued": _QUEUED,
        "running": {"zh": "开始计算", "en": "beginning"},
        "done": {"zh": "完成", "en": "done"},
        "failed": {"zh": "失败", "en": "failed"},
        CANCELLED: {"zh": "已取消", "en": "cancelled"},
    }[state]


__all__: Sequence[str] = ["Host", "Rehearsals"]
