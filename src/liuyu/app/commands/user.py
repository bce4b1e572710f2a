"""`liuyu user`: who may sign in."""

from __future__ import annotations

from pathlib import Path

import click

from liuyu.app.users import Users
from liuyu.web.ports import ROLES


@click.group()
def user() -> None:
    """Manage who may sign in.

    Example: liuyu user add wang --role duty_officer
    """


@user.command()
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True, help="What the user may do.")
@click.option(
    "--folder", type=click.Path(path_type=Path), default=Path("var"), show_default=True, help="The twin's folder."
)
@click.password_option(help="Asked for where it is not given.")
def add(name: str, role: str, folder: Path, password: str) -> None:
    """Add a user, or give one a new role and password.

    Example: liuyu user add wang --role duty_officer
    """
    made = Users(folder).add(name, role, password)
    click.echo(f"{made.name} may sign in as {made.role}")
