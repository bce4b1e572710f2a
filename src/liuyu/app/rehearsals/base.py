"""The state from which a scenario starts: a past moment of an archive, or the newest of a twin that is kept."""

from __future__ import annotations

import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from liuyu.app.choice import FLAGSHIP, choose
from liuyu.app.commands.shared import configure
from liuyu.app.run import Run, progress_of
from liuyu.basin.clock import HOUR, moment
from liuyu.basin.errors import BadInput
from liuyu.basin.package import find_basin, read_basin
from liuyu.basin.places import Basin
from liuyu.outlook.rehearse.read import moment_of
from liuyu.outlook.rehearse.scenario import Setup
from liuyu.store.interface import Store
from liuyu.store.sqlite import open_store
from liuyu.twin import Outlook, RiverTwin

HISTORY_DAYS = 15


def basin_of(scenario_file: Path, named: str | None) -> Basin:
    """The basin that is named, or that a scenario file names, or the flagship."""
    if named is None:
        try:
            named = tomllib.loads(scenario_file.read_text(encoding="utf-8")).get("basin")
        except (OSError, ValueError):
            named = None  # whoever reads the file tells what is wrong with it
    if named and not isinstance(named, str):
        raise BadInput(f"basin = {named!r} in {scenario_file} is no name; write a name or a folder as text")
    beside = scenario_file.parent / named if named else None
    return read_basin(
        beside if beside is not None and (beside / "basin.toml").is_file() else find_basin(named or FLAGSHIP)
    )


@contextmanager
def base_of(setup: Setup, basin: Basin) -> Iterator[tuple[RiverTwin, Outlook, Store]]:
    """The twin, its outlook from the base moment and the store that both rest on, from nothing that was observed later.

    Raises BadInput, ModelFailed.
    """
    twin = twin_of(basin)
    base = setup.base
    if base.store:
        with closing(open_store(_store_folder(Path(setup.folder) / base.store))) as store:
            at = newest_moment(store) if base.at is None else moment_of(base.at, basin)
            yield twin, outlook_at(twin, store, at), store
        return
    if base.at is None:
        raise BadInput('the scenario names no base; write [base] at = "2020-08-19T08:00+08:00", or store = a folder')
    now = moment_of(base.at, basin)
    observations = str(Path(setup.folder) / base.observations) if base.observations else None
    later = moment(now + HOUR).isoformat()  # a course needs an end; only what comes before its start is taken
    config = configure(None, str(basin.folder), moment(now).isoformat(), later, observations, warm_up_days=HISTORY_DAYS)
    with tempfile.TemporaryDirectory() as scratch, closing(open_store(Path(scratch) / "store")) as store:
        run = Run(choose(config, Path(scratch)), store)
        for _ in run.warm_up():
            pass
        yield twin, outlook_at(twin, store, now), store


def twin_of(basin: Basin) -> RiverTwin:
    """The twin of a basin. Raises BadInput where its package has no model."""
    if not basin.model_file:
        raise BadInput(f"basin {basin.code!r} names no model in basin.toml; calibrate one first")
    return RiverTwin(basin)


def outlook_at(twin: RiverTwin, store: Store, at: int) -> Outlook:
    """The expected future as a store knows it at a moment [s UTC]. Raises ModelFailed."""
    return twin.ahead(twin.view(store, at))


def newest_moment(store: Store) -> int:
    """The moment [s UTC] up to which a twin has come, in whole hours. Raises BadInput where the store holds none."""
    progress = progress_of(store)
    if progress is not None:
        return progress.now // HOUR * HOUR
    newest = store.events(newest_first=True, limit=1)
    if not newest:
        raise BadInput("the store holds no twin; give [base] store the folder that liuyu up or liuyu replay keeps")
    return int(newest[0].time.timestamp()) // HOUR * HOUR


def _store_folder(folder: Path) -> Path:
    """The store below a twin's folder, or the folder itself."""
    for found in (folder / "store", folder):
        if (found.is_dir() and any(found.glob("*.sqlite*"))) or any(found.glob("*.db")):
            return found
    raise BadInput(f"{folder} holds no store; give [base] store the folder that liuyu up keeps, such as var/NAME")
