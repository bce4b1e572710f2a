"""`liuyu order`: have a station answer, set its clock, or change its configuration, through the running twin."""

from __future__ import annotations

import sys
import time
from typing import Any
from urllib.parse import quote

import click

from liuyu.app.caller import URL, USER, Caller
from liuyu.app.commands.shared import say
from liuyu.basin.clock import parse_time
from liuyu.basin.errors import BadInput
from liuyu.monitor.sense.stations import downlinks

POLL = 1.0
OVER = ("answered", "refused", "expired")


def _names(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted:
        return
    click.echo(f"{'name':<12} {'code':<5} {'protocol':<8} {'role':<14} what it does")
    for each in downlinks():
        takes = {"nothing": "", "clock": ""}.get(each.takes, f" [{each.takes.replace('_', ' ')}]")
        told = f"{each.name_zh} {each.name_en}{takes}"
        click.echo(f"{each.name:<12} {each.code + 'H':<5} {each.protocol:<8} {each.role:<14} {told}")
    context.exit()


@click.command()
@click.argument("station")
@click.argument("order")
@click.option("--list", is_flag=True, is_eager=True, expose_value=False, callback=_names, help="Show every order.")
@click.option(
    "--element", "elements", multiple=True, metavar="ID", help="Element or parameter, as 39; may be repeated."
)
@click.option("--set", "values", multiple=True, metavar="ID=VALUE", help="Parameter to set, as 20=1; may be repeated.")
@click.option("--from", "start", metavar="TIME", help="Start of the period of history, in Beijing time.")
@click.option("--until", "end", metavar="TIME", help="End of it.")
@click.option("--step", type=click.IntRange(1, 1440), default=60, show_default=True, help="Of it, in minutes.")
@click.option("--data", default="", metavar="HEX", help="What the maker defines: of valves, pumps, gates.")
@click.option("--new-password", is_flag=True, help="Ask for the station's new password (order password).")
@click.option("--hours", type=float, default=24.0, show_default=True, help="How long it may wait for the station.")
@click.option("--protocol", type=click.Choice(["sl651", "szy206"]), help="Of a station that was not heard yet.")
@click.option("--wait", is_flag=True, help="Wait for the answer and show it.")
@click.option("--url", default=URL, show_default=True, help="The running twin.")
@click.option("--user", envvar=USER, required=True, show_envvar=True, help="Who orders.")
@click.option("--json", "as_json", is_flag=True, help="Print the order as JSON.")
@click.pass_context
def order(
    context: click.Context,
    station: str,
    order: str,
    elements: tuple[str, ...],
    values: tuple[str, ...],
    start: str | None,
    end: str | None,
    step: int,
    data: str,
    new_password: bool,
    hours: float,
    protocol: str | None,
    wait: bool,
    url: str,
    user: str,
    as_json: bool,
) -> None:
    """Order STATION to do something: query, history, clock, read-clock, config, picture, ... (--list shows all).

    The password of the user is asked for, or taken from LIUYU_PASSWORD. The order is kept until the station answers or
    --hours have passed. Exit code 1 where the station refused it, or could not be reached in time.

    Example: liuyu order 60112200 query --element 39 --user wang --wait
    """
    wish: dict[str, Any] = {"order": order, "elements": elements, "data": data, "hours": hours, "step": step * 60}
    wish |= {"values": dict(_pair(each) for each in values)}
    wish |= {name: _moment(text) for name, text in (("start", start), ("end", end)) if text}
    wish |= {"protocol": protocol} if protocol else {}
    if new_password:
        asked = click.prompt("New password of the station", hide_input=True, confirmation_prompt=True, err=True)
        wish["password"] = asked
    caller = Caller(url)
    caller.sign_in(user)
    found = caller.post(f"/api/stations/{quote(station, safe='')}/orders", wish)
    if wait and sys.stderr.isatty():
        click.echo(f"{found['id']} waits for the station; Ctrl-C leaves it in place", err=True)
    while wait and found["state"] not in OVER:
        time.sleep(POLL)
        found = caller.get(f"/api/orders/{quote(found['id'], safe='')}")
    say(found, _text(found), as_json=as_json)
    context.exit(1 if found["state"] in ("refused", "expired") else 0)


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    if not value:
        raise BadInput(f"--set {text!r} sets nothing; write it as 20=1")
    return name.upper(), value


def _moment(text: str) -> str:
    return parse_time(text, "Asia/Shanghai").isoformat()


def _text(found: dict[str, Any]) -> str:
    """An order for people: what it is, how it stands, and a line for each value of the answer."""
    name = f"{found['name']['zh']} {found['name']['en']} ({found['code']}H)"
    lines = [f"{found['station']}: {name}: {found['state']}" + (f", {found['reason']}" if found["reason"] else "")]
    if found["state"] == "queued":
        lines.append(f"It waits for the station until {found['deadline']}; see liuyu order with --wait, or /api/orders")
    answer = found["answer"] or {}
    if answer.get("send_time"):
        lines.append(f"station's clock {answer['send_time']}")
    for each in answer.get("elements", ()):
        told = f"{each['id']} {each.get('name') or each.get('quantity') or ''}".strip()
        value = f"{each['bytes']} bytes" if "bytes" in each else "-" if each["value"] is None else each["value"]
        lines.append(f"  {told}: {value} {each.get('unit', '')} {each.get('time') or ''}".rstrip())
    lines += [
        f"  {key}: {answer[key]}" for key in ("text", "events", "alarms", "states", "tag", "data") if answer.get(key)
    ]
    return "\n".join(lines)
