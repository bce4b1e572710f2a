"""`liuyu log`: whether the log of events is what was logged."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import click

from liuyu.app.commands.shared import configure, say
from liuyu.app.config import Config
from liuyu.app.now.watch import home_of
from liuyu.app.storage import POINTER, open_store
from liuyu.basin.errors import BadInput, NotFound
from liuyu.basin.package import find_basin, read_basin
from liuyu.store.interface import Chain, Store

LOGS = ("event", "audit")


@click.group()
def log() -> None:
    """Check the log of events and the audit log.

    Example: liuyu log verify var/yangtze-live
    """


@log.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="A liuyu.toml, in place of a folder.")
@click.option("--head", "heads", multiple=True, metavar="N:DIGEST", help="A head that was told elsewhere; repeatable.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
@click.pass_context
def verify(
    context: click.Context, folder: Path | None, config_file: Path | None, heads: tuple[str, ...], as_json: bool
) -> int:
    """Compute the chains of hashes along the logs anew, and compare.

    FOLDER is a twin's (var/yangtze-live) or its store's. An edit, removal, insertion or swap is found, and the first
    entry that is not as it was logged is named. Whoever wrote the whole chain anew is found out only by a head that was
    told elsewhere: every order that is sent ends with one ("log 950:3f2a..."); give it as --head.
    The exit code is 1 where something is wrong. A running twin may be checked too.

    Example: liuyu log verify var/yangtze-live --head 950:3f2a9c0d
    """
    told = [_head(each) for each in heads]
    with _store(folder, config_file) as (store, place):
        found = {name: store.verify_chain(name, told if name == "event" else ()) for name in LOGS}
    sound = all(each.bad is None for each in found.values())
    result: dict[str, Any] = {"folder": str(place), "sound": sound}
    result |= {
        name: {
            "entries": each.count,
            "head": f"{each.count}:{each.head}",
            "chained_later": each.begun,
            "first_bad": each.bad,
            "problem": each.problem,
        }
        for name, each in found.items()
    }
    say(result, "\n".join(_sentence(name, each) for name, each in found.items()), as_json=as_json)
    context.exit(0 if sound else 1)


def _sentence(name: str, chain: Chain) -> str:
    what = {"event": "Log of events", "audit": "Audit log"}[name]
    if chain.bad is not None:
        return f"{what}: NOT SOUND at entry {chain.bad}: {chain.problem}. The {chain.count} before it are as logged."
    later = f"; the first {chain.begun} were chained when a newer liuyu opened the store" if chain.begun else ""
    return f"{what}: {chain.count} entries, all as logged; head {chain.count}:{chain.head}{later}"


def _head(text: str) -> tuple[int, str]:
    found = re.fullmatch(r"(?:log )?(\d+):([0-9a-fA-F]{8,64})", text.strip())
    if found is None:
        raise BadInput(f"--head {text[:80]!r} is no head; write it as it was told, 950:3f2a9c0d, eight digits or more")
    return int(found[1]), found[2]


@contextmanager
def _store(folder: Path | None, config_file: Path | None) -> Iterator[tuple[Store, Path]]:
    config = configure(config_file) if folder is None else Config()
    place = folder if folder is not None else _of_config(config)
    for each in (place / "store", place):
        if (each / "live.sqlite").exists() or (each / POINTER).exists():
            with closing(open_store(each, read_only=True)) as store:
                yield store, each
            return
    raise NotFound(f"{place} holds no store; give the folder of a twin, such as var/yangtze-live")


def _of_config(config: Config) -> Path:
    """The folder of the twin of the present that a configuration describes; else the newest of its replays."""
    root = Path(config.storage.folder)
    if config.basin:
        basin = read_basin(find_basin(config.basin))
        live = home_of(root, basin)
        if live.exists():
            return live
        found = [each for each in root.glob(f"{basin.code}-*") if (each / "store").exists()]
    else:
        found = [each for each in root.glob("*-*") if (each / "store").exists()]
    if not found:
        raise NotFound(f"no twin is kept in {root}; give its folder, or --config")
    return max(found, key=lambda each: each.stat().st_mtime)
