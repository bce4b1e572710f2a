"""The command line."""

from __future__ import annotations

import sys

import click

import liuyu
from liuyu.app.commands import check, decode, export, forecast, qc, read, replay, report, rules, sl323, up, user
from liuyu.basin.errors import LiuyuError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(liuyu.__version__, prog_name="liuyu")
def commands() -> None:
    """liuyu 流域: a digital twin of a river basin. Begin with `liuyu up`."""


for each in (
    up.up,
    replay.replay,
    check.check,
    decode.decode,
    qc.qc,
    read.read,
    rules.rules,
    export.export,
    report.report,
    forecast.forecast,
    sl323.sl323,
    user.user,
):
    commands.add_command(each)


def main() -> None:
    """Run a command. Exit codes: 0 done, 1 refused or faults found, 2 wrong usage, 130 interrupted."""
    try:
        code = commands(standalone_mode=False)  # what a command gave to `context.exit`, else None
        sys.exit(code if isinstance(code, int) else 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except LiuyuError as error:
        click.echo(f"liuyu: {error}", err=True)
        sys.exit(1)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)
