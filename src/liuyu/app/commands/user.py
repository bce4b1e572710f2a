"""`liuyu user`: who may sign in, people and devices."""

from __future__ import annotations

from pathlib import Path

import click

from liuyu.app.users import Users
from liuyu.basin.errors import BadInput
from liuyu.web.ports import ROLES

_folder = click.option(
    "--folder", type=click.Path(path_type=Path), default=Path("var"), show_default=True, help="The twin's folder."
)


@click.group()
def user() -> None:
    """Manage who may sign in: people, and devices that deliver.

    A viewer looks, a duty officer acts, an administrator does all; a device may deliver observations and nothing else.

    Example: liuyu user add wang --role duty_officer
    """


@user.command()
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True, help="What the user may do.")
@_folder
@click.option("--password", help="Ten characters or more; asked for where neither it nor --token is given.")
@click.option("--token", is_flag=True, help="Make a long random secret and print it, once, as a token.")
def add(name: str, role: str, folder: Path, password: str | None, token: bool) -> None:
    """Add a user, or give one a new role and password.

    A logger or gatherer is best given a token: it sends it as "Authorization: Bearer TOKEN", or its two halves around
    the last dot as name and password.

    Example: liuyu user add logger-7 --role device --token
    """
    users = Users(folder)
    if token:
        if password is not None:
            raise BadInput("both --password and --token are given; give one of them")
        click.echo(users.add_with_token(name, role))
        return
    if password is None:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    made = users.add(name, role, password)
    click.echo(f"{made.name} may sign in as {made.role}")


@user.command()
@click.argument("name")
@_folder
def remove(name: str, folder: Path) -> None:
    """Take a user's right to sign in. What a running twin remembers of it ends within five minutes for devices.

    Example: liuyu user remove logger-7
    """
    Users(folder).remove(name)
    click.echo(f"{name} may no longer sign in")


@user.command("list")
@_folder
def show(folder: Path) -> None:
    """List who may sign in, and as what.

    Example: liuyu user list
    """
    for each in Users(folder).everyone():
        click.echo(f"{each.name}\t{each.role}")
