"""The command line. A command's file is read when the command is used, so that each starts quickly."""

from __future__ import annotations

import sys
from importlib import import_module

import click

import liuyu
from liuyu.basin.errors import LiuyuError

COMMANDS = (
    "up",
    "replay",
    "check",
    "decode",
    "qc",
    "read",
    "rules",
    "export",
    "report",
    "forecast",
    "calibrate",
    "sl323",
    "listen",
    "order",
    "letters",
    "simulate",
    "flood",
    "plan",
    "rehearse",
    "channel",
    "log",
    "user",
)
"""A command NAME is the object NAME of the module `liuyu.app.commands.NAME`."""


class Commands(click.Group):
    """The group of all commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands, in the order in which help shows them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name, None where there is none."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"liuyu.app.commands.{cmd_name}"), cmd_name)
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(liuyu.__version__, prog_name="liuyu")
def commands() -> None:
    """liuyu 流域: a digital twin of a river basin. Begin with `liuyu up`."""


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
