"""`liuyu letters`: what was set aside, with the reason, and trying it again once a dialect or a station was mended."""

from __future__ import annotations

import getpass
import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

import click
import msgspec

from liuyu.app.caller import URL, USER, Caller
from liuyu.app.commands.shared import say
from liuyu.app.config import Messages
from liuyu.app.ingest import Frames
from liuyu.app.letters import SHOWN, Letters, Reread, nowhere, reread_frames
from liuyu.app.storage import POINTER, open_inbox, open_store
from liuyu.basin.clock import epoch, parse_time
from liuyu.basin.errors import BadInput
from liuyu.basin.package import find_basin, read_basin
from liuyu.monitor.sense.sl651 import Dialects, read_dialects
from liuyu.store.inbox.interface import Inbox, Parcel
from liuyu.store.interface import Store
from liuyu.web.ports import User

Sheet = dict[str, Any]
Command = TypeVar("Command", bound=Callable[..., Any])
PAGE = 500


class Desk(Protocol):
    """Where letters are: in a running twin, or in a folder."""

    def listed(self, *, before: int | None, limit: int, **narrow: Any) -> list[Sheet]:
        """Letters, newest first."""
        ...

    def find(self, id: int) -> Sheet:
        """One letter, read as far as it can be."""
        ...

    def replay(self, id: int) -> Sheet:
        """Try one again."""
        ...


class _Running:
    """The letters of a running twin."""

    def __init__(self, url: str, user: str) -> None:
        self._caller = Caller(url)
        self._caller.sign_in(user)

    def listed(self, *, before: int | None, limit: int, **narrow: Any) -> list[Sheet]:
        """Letters, newest first."""
        found: list[Sheet] = self._caller.get("/api/letters", before=before, limit=limit, **narrow)
        return found

    def find(self, id: int) -> Sheet:
        """One letter."""
        found: Sheet = self._caller.get(f"/api/letters/{id}")
        return found

    def replay(self, id: int) -> Sheet:
        """Try one again."""
        found: Sheet = self._caller.post(f"/api/letters/{id}/replay", {})
        return found


class _Kept:
    """The letters of a store that no twin runs on; whoever may write its files may replay them."""

    def __init__(self, letters: Letters) -> None:
        self._letters, self._user = letters, User(getpass.getuser(), "administrator")

    def listed(self, *, before: int | None, limit: int, **narrow: Any) -> list[Sheet]:
        """Letters, newest first."""
        given = {key: each for key, each in narrow.items() if each}
        given |= {each: epoch(parse_time(given[each], "UTC")) for each in ("start", "end") if each in given}
        return [_plain(each) for each in self._letters.listed(self._user, before=before, limit=limit, **given)]

    def find(self, id: int) -> Sheet:
        """One letter."""
        return _plain(self._letters.find(self._user, id))

    def replay(self, id: int) -> Sheet:
        """Try one again."""
        return _plain(self._letters.replay(self._user, id))


@click.group()
def letters() -> None:
    """Look at what was set aside (dead letters), and try it again.

    Of a running twin with --url and --user, whose password is asked for or taken from LIUYU_PASSWORD; or in a folder
    with --folder.

    Example: liuyu letters list --folder var/stations --reason station
    """


def _place(command: Command) -> Command:
    """Where the letters are."""
    for option in (
        click.option("--user", envvar=USER, show_envvar=True, help="Who asks the running twin."),
        click.option("--url", default=URL, show_default=True, help="The running twin."),
        click.option("--folder", type=click.Path(path_type=Path, exists=True), help="A store that no twin runs on."),
    ):
        command = option(command)
    return command


def _narrow(command: Command) -> Command:
    """Which letters."""
    for option in (
        click.option("--state", type=click.Choice(["waiting", "replayed", "refused"]), help="In this state alone."),
        click.option("--until", "end", metavar="TIME", help="Received before a time, in Beijing time."),
        click.option("--from", "start", metavar="TIME", help="Received at a time or later."),
        click.option("--reason", default="", metavar="TEXT", help="A part of the reason, as crc or station."),
        click.option("--source", default="", metavar="NAME", help="From this source alone."),
    ):
        command = option(command)
    return command


@letters.command("list")
@_place
@_narrow
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def list_letters(folder: Path | None, url: str, user: str | None, limit: int, as_json: bool, **narrow: Any) -> None:
    """List letters, newest first: number, time, source, state, size and reason.

    Example: liuyu letters list --user li --reason crc --from 2026-07-01
    """
    with _desk(folder, url, user) as desk:
        found = list(_all(desk, limit, narrow))
    head = f"{'id':>6}  {'received (UTC)':<20}  {'source':<12} {'state':<9} {'bytes':>6}  reason"
    lines = [
        f"{each['id']:>6}  {each['received'][:19]:<20}  {each['source']:<12} {each['state']:<9} {each['size']:>6}  "
        f"{each['reason']}"
        for each in found
    ]
    say(found, "\n".join([head, *lines]) if found else "no letters", as_json=as_json)


@letters.command()
@click.argument("id", type=click.IntRange(1))
@_place
@click.option("--dialect", "files", multiple=True, type=click.Path(path_type=Path), help="TOML, for a --folder.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def show(id: int, folder: Path | None, url: str, user: str | None, files: tuple[Path, ...], as_json: bool) -> None:
    """Show one letter: its bytes, why it was set aside, and what a decoder makes of it.

    Example: liuyu letters show 17 --folder var/stations
    """
    with _desk(folder, url, user, files=files) as desk:
        found = desk.find(id)
    read = json.dumps(found["said"], ensure_ascii=False, indent=2)
    facts = [
        f"{name}: {found[name]}" for name in ("id", "source", "reason", "received", "state", "note", "size", "hex")
    ]
    say(found, "\n".join([*facts, f"reads as: {read}"]), as_json=as_json)


@letters.command()
@click.argument("ids", nargs=-1, type=click.IntRange(1))
@_place
@_narrow
@click.option("--all", "every", is_flag=True, help="All that the options name, waiting and refused ones alike.")
@click.option("--basin", metavar="NAME|FOLDER", help="Whose stations they are, for a --folder.")
@click.option("--dialect", "files", multiple=True, type=click.Path(path_type=Path), help="TOML, for a --folder.")
@click.option("--any-clock", is_flag=True, help="Take clocks as they are, for a --folder.")
@click.option("--json", "as_json", is_flag=True, help="Print what came of each as JSON.")
@click.pass_context
def replay(
    context: click.Context,
    /,
    ids: tuple[int, ...],
    folder: Path | None,
    url: str,
    user: str | None,
    every: bool,
    basin: str | None,
    files: tuple[Path, ...],
    any_clock: bool,
    as_json: bool,
    **narrow: Any,
) -> None:
    """Decode letters again and deliver what is in them; each stays, marked with what came of it.

    For when a dialect or the basin's stations were mended. Exit code 1 where some are still refused.

    Example: liuyu letters replay --all --reason station --user li
    """
    if bool(ids) == every:
        raise BadInput("name the letters by their numbers, or give --all; one of the two")
    with _desk(folder, url, user, basin=basin, files=files, any_clock=any_clock, writes=True) as desk:
        wanted = list(ids) or [each["id"] for each in _all(desk, 2**40, narrow) if each["state"] != "replayed"]
        done = [desk.replay(each) for each in wanted]
    text = "\n".join(f"{each['id']:>6}  {each['state']}: {each['note']}" for each in done) or "no letters"
    say(done, text, as_json=as_json)
    context.exit(1 if any(each["state"] == "refused" for each in done) else 0)


@letters.command()
@click.argument("file", type=click.File("w", encoding="utf-8", lazy=True))
@_place
@_narrow
def export(file: Any, folder: Path | None, url: str, user: str | None, **narrow: Any) -> None:
    """Write letters to FILE (- for the screen), a JSON object a line with all their bytes as hex digits, newest first.

    Example: liuyu letters export letters.jsonl --folder var/stations --reason crc
    """
    with _desk(folder, url, user) as desk:
        for each in _all(desk, 2**40, narrow):
            whole = each if each["size"] <= SHOWN else {**desk.find(each["id"]), "said": None}
            kept = {key: value for key, value in whole.items() if key != "said"}
            file.write(json.dumps(kept, ensure_ascii=False) + "\n")


def _all(desk: Desk, limit: int, narrow: dict[str, Any]) -> Iterator[Sheet]:
    """Letters page by page, newest first."""
    given = dict(narrow)
    for name in ("start", "end"):
        if given.get(name):
            given[name] = parse_time(given[name], "Asia/Shanghai").isoformat()
    before: int | None = None
    while limit > 0 and (page := desk.listed(before=before, limit=min(limit, PAGE), **given)):
        yield from page
        before, limit = page[-1]["id"], limit - len(page)


@contextmanager
def _desk(
    folder: Path | None,
    url: str,
    user: str | None,
    *,
    basin: str | None = None,
    files: tuple[Path, ...] = (),
    any_clock: bool = False,
    writes: bool = False,
) -> Iterator[Desk]:
    if folder is None:
        if user is None:
            raise BadInput(f"whose letters? give --folder, or --user with the --url of a running twin ({USER} will do)")
        yield _Running(url, user)
        return
    with ExitStack() as stack:
        store = open_store(_store_in(folder), read_only=not writes)
        stack.callback(store.close)
        dialects = read_dialects(files) if files else Dialects()
        reread: Reread = nowhere
        deliver: Callable[[Parcel], None] = _unread
        if writes:
            if basin is None:
                raise BadInput("whose stations are they? give --basin, and the --dialect files of the stations")
            place = read_basin(find_basin(basin))
            frames = Frames(place, dialects, pictures=folder / "pictures", check_clock=not any_clock)
            reread, deliver = reread_frames(frames.parcel, dialects), _into(store)
            if (folder / "inbox").exists():
                inbox = open_inbox(folder / "inbox", Messages(), place)
                stack.callback(inbox.close)
                deliver = _put(inbox)
        clock: Callable[[], int] = lambda: int(time.time())  # noqa: E731
        yield _Kept(Letters(store, clock, reread=reread, deliver=deliver, dialects=dialects))


def _store_in(folder: Path) -> Path:
    """The folder itself where it is a store's, or the store in it."""
    inner = folder / "store"
    here = any((folder / each).exists() for each in ("live.sqlite", POINTER))
    return folder if here or not inner.exists() else inner


def _into(store: Store) -> Callable[[Parcel], None]:
    def deliver(parcel: Parcel) -> None:
        store.write(parcel.batch, received=parcel.received)

    return deliver


def _put(inbox: Inbox) -> Callable[[Parcel], None]:
    def deliver(parcel: Parcel) -> None:
        inbox.put([parcel])

    return deliver


def _unread(_: Parcel) -> None:
    raise BadInput("the store is open for reading; nothing can be delivered")


def _plain(sheet: Any) -> Sheet:
    found: Sheet = msgspec.to_builtins(sheet)
    return found
