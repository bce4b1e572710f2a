"""`liuyu up`: start the twin and its page."""

from __future__ import annotations

import logging
import shutil
import socket
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import click
import msgspec
import uvicorn

from liuyu.app.choice import Course, choose
from liuyu.app.commands.shared import configure, course_options, progress
from liuyu.app.config import Config, Server
from liuyu.app.live import LiveTwin
from liuyu.app.now.watch import home_of, watching
from liuyu.app.office import sending
from liuyu.app.storage import open_store, remove_store
from liuyu.app.users import Users
from liuyu.basin.clock import moment
from liuyu.basin.errors import BadInput
from liuyu.basin.package import find_basin, read_basin
from liuyu.basin.places import Basin
from liuyu.web.app import create_app
from liuyu.web.ports import User


@click.command()
@course_options
@click.option("--host", help="Address to listen on; 127.0.0.1 unless told otherwise.")
@click.option("--port", type=int, help="Port; 0 takes a free one.")
@click.option("--speed", type=float, help="Twin seconds per second, 3600 unless told otherwise.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where the twin is kept; var unless told otherwise.")
@click.option("--paused", is_flag=True, help="Do not start the clock.")
@click.option("--live", is_flag=True, help="Watch the present: sources instead of an archive, on the wall clock.")
@click.option("--fresh", is_flag=True, help="Forget an earlier run of the same inputs and begin again.")
def up(
    config_file: Path | None,
    basin: str | None,
    start: str | None,
    end: str | None,
    observations: str | None,
    host: str | None,
    port: int | None,
    speed: float | None,
    folder: Path | None,
    paused: bool,
    live: bool,
    fresh: bool,
) -> None:
    """Start the twin and its page, and print the address.

    Without options it replays the Yangtze's record flood of August 2020, or a small synthetic basin where the data
    bundle is absent. A run that was stopped goes on where it was.

    With --live, or [live] enabled in the configuration, it watches the present: what the [[sources]] tell.

    Example: liuyu up --basin yangtze --from 2020-08-10 --to 2020-08-31 --speed 7200
    """
    config = configure(config_file, basin, start, end, observations, speed=speed)
    server = msgspec.structs.replace(
        config.server, **{k: v for k, v in (("host", host), ("port", port)) if v is not None}
    )
    root = folder or Path(config.storage.folder)
    if live or config.live.enabled:
        _watch(config, server, root, fresh=fresh)
        return
    course = choose(config, root / "synthetic")
    listener = _listen(server.host, server.port)
    home = root / f"{course.basin.code}-{course.key[:8]}"
    if fresh and home.exists():
        remove_store(home / "store", config.storage)
        shutil.rmtree(home)
    users = Users(root)
    with closing(open_store(home / "store", config.storage)) as store:
        twin = LiveTwin(course, store, users, home, speed=config.replay.speed)
        if twin.clock().phase != "ended":
            click.echo("Learning from the days before the start; the first time, kernels are compiled too (a minute)")
        with progress(f"{course.basin.name} {course.basin.name_en}") as tell:
            twin.warm_up(tell)
        with sending(config, twin, home, address=_address(listener).rstrip("/"), replay=True):
            twin.start(playing=not paused)
            try:
                _greet(course, config, users, listener)
                app = create_app(twin, cache=root / "cache")
                uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2)).run(
                    sockets=[listener]
                )
            finally:
                twin.stop()


def _watch(config: Config, server: Server, root: Path, *, fresh: bool) -> None:
    """Watch the present until interrupted."""
    if not config.basin:
        raise BadInput("which basin is to be watched? give --basin, or basin in the configuration")
    basin = read_basin(find_basin(config.basin))
    listener = _listen(server.host, server.port)
    home, users = home_of(root, basin), Users(root)
    if fresh and home.exists():
        raise BadInput(f"{home} holds what was observed, which --fresh does not remove; move it away yourself")
    here = msgspec.structs.replace(config, server=msgspec.structs.replace(server, port=listener.getsockname()[1]))
    with watching(here, basin, config.sources, home, users) as (twin, sources):
        app = create_app(twin, cache=root / "cache")
        twin.start()
        _greet_live(basin, users, listener, sources.start())
        uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2)).run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)  # whoever reads the address can connect at once
    except OSError as error:
        listener.close()
        raise BadInput(
            f"cannot listen on {host}:{port} ({error.strerror}); choose another with --port, 0 for any"
        ) from None
    return listener


def _greet(course: Course, config: Config, users: Users, listener: socket.socket) -> None:
    first, last = (moment(each, course.basin.zone).strftime("%Y-%m-%d %H:%M") for each in (course.start, course.end))
    click.echo(f"{_name(course.basin)}: {first} to {last} at {config.replay.speed:g} times the pace of the clock")
    _addresses(users, listener)


def _greet_live(basin: Basin, users: Users, listener: socket.socket, sources: Mapping[str, str]) -> None:
    click.echo(f"{_name(basin)}: the present")
    for name, where in sources.items():
        click.echo(f"Listening: {name}, {where}")
    if not sources:
        click.echo("No [[sources]] are configured: nothing comes in but what is written through the API")
    _addresses(users, listener)


def _name(basin: Basin) -> str:
    return f"{basin.name} {basin.name_en}" + (" — 合成数据 SYNTHETIC" if basin.synthetic else "")


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def _addresses(users: Users, listener: socket.socket) -> None:
    host, address = listener.getsockname()[0], _address(listener)
    token = users.issue_token(User("duty", "duty_officer"))
    click.echo(f"To look:                        {address}")
    click.echo(f"To act as duty officer (once):  {address}?token={token}", nl=True)
    if host not in ("127.0.0.1", "::1"):
        logging.getLogger("liuyu").warning("listening on %s: whoever reaches this machine can look at the twin", host)
