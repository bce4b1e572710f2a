"""The daily bulletin of the duty room (水情日报): the water, the reservoirs, what is expected, what is under way."""

from __future__ import annotations

from liuyu.basin.clock import DAY
from liuyu.monitor.summarise.blocks import Block, Card, Cards, Cell, Heading, Moment, Page, Paragraph, Timeline, Tone
from liuyu.monitor.summarise.bulletin_page import values_table
from liuyu.monitor.summarise.duty import tables
from liuyu.monitor.summarise.duty.watch import Watch
from liuyu.monitor.summarise.sections.decisions import orders_table
from liuyu.monitor.summarise.sections.response import state
from liuyu.monitor.summarise.voice import Voice, counted, fixed, tone_of


def daily_page(seen: Watch, language: str) -> Page:
    """The whole bulletin. Raises BadInput for a language other than zh and en."""
    voice = Voice(seen, language)
    basin = voice.of(seen.basin)
    when = f"{voice.day(seen.at)} {voice.local(seen.at):%H:%M}"
    return Page(
        language=language,
        title=voice.say(f"{basin}水情日报", f"{basin}: daily duty bulletin"),
        kicker=voice.say("防汛值班", "Flood duty room"),
        period=voice.say(f"截至{when}", f"as of {when}"),
        label=voice.say("合成数据 · 非真实水情", "SYNTHETIC DATA · not a real river") if seen.synthetic else "",
        footer=f"{basin} · {when}",
        contents=voice.say("目录", "Contents"),
        created=seen.at,
        blocks=(
            _cards(seen, voice),
            Paragraph((Cell(_summary(seen, voice)),), lead=True),
            *_water(seen, voice),
            *_expected(seen, voice),
            Heading(voice.say("预警与告警", "Notices and alerts")),
            *tables.standing(seen, voice),
            *_under_way(seen, voice),
            *_day(seen, voice),
            *tables.end(seen, voice),
        ),
    )


def _cards(seen: Watch, voice: Voice) -> Cards:
    say = voice.say
    above = {kind: [g for g in seen.gauges if (g.above(kind) or -1.0) >= 0] for kind in ("warning", "guarantee")}
    open_, late = tables.open_tasks(seen), [each for each in tables.open_tasks(seen) if each.due < seen.at]
    level = seen.in_force[-1].moves[-1].level if seen.in_force else ""
    tone: Tone = "orange" if above["guarantee"] else "yellow" if above["warning"] else "good"
    return Cards(
        (
            Card(
                say("超警戒站", "Stations above warning"),
                str(len(above["warning"])),
                say("站", ""),
                say(f"其中超保证{len(above['guarantee'])}站", f"{len(above['guarantee'])} above guarantee"),
                tone,
            ),
            Card(
                say("应急响应", "Response"),
                say(f"{level}级", f"level {level}") if level else say("未启动", "none"),
                "",
                voice.of(seen.in_force[-1].title) if seen.in_force else "",
            ),
            Card(
                say("生效预警／告警", "Notices / alerts"),
                f"{len(seen.notices)} / {len(seen.alerts)}",
                "",
                say(f"中断报汛{len(seen.silences)}站", f"{counted(len(seen.silences), 'station')} silent"),
            ),
            Card(
                say("未完任务", "Open tasks"),
                str(len(open_)),
                say("项", ""),
                say(f"逾期{len(late)}项", f"{len(late)} late"),
                "red" if late else "",
            ),
        )
    )


def _summary(seen: Watch, voice: Voice) -> str:
    """The day in two sentences: how the river moves, and who stands above a line."""
    rising = [each for each in seen.gauges if each.level.tendency > 0]
    falling = [each for each in seen.gauges if each.level.tendency < 0]
    moves_zh = f"各站水位{len(rising)}站上涨、{len(falling)}站回落、"
    moves_zh += f"{len(seen.gauges) - len(rising) - len(falling)}站平稳"
    moves_en = f"{len(rising)} of {counted(len(seen.gauges), 'station')} rise, {len(falling)} fall"
    told = [
        voice.say(
            f"{each.name['zh']}{fixed(each.level.value)}米（超警{fixed(each.above('warning'))}米）",
            f"{each.name['en']} {fixed(each.level.value)} m ({fixed(each.above('warning'))} m above warning)",
        )
        for each in sorted(seen.gauges, key=lambda each: -(each.above("warning") or -99.0))
        if (each.above("warning") or -1.0) >= 0
    ]
    if not told:
        return voice.say(f"{moves_zh}；均低于警戒水位。", f"{moves_en}; none stands above its warning level.")
    return voice.say(f"{moves_zh}。超警：{'、'.join(told)}。", f"{moves_en}. Above warning: {', '.join(told)}.")


def _water(seen: Watch, voice: Voice) -> list[Block]:
    blocks: list[Block] = [Heading(voice.say("河道水情", "Rivers"))]
    if seen.gauges:
        blocks.append(tables.levels(seen.gauges, voice))
    else:
        blocks.append(Paragraph((Cell(voice.say("过去24小时没有水位资料。", "No level came in the last day.")),)))
    if seen.pools:
        blocks += [Heading(voice.say("水库水情", "Reservoirs")), tables.pools(seen.pools, voice)]
    return blocks


def _expected(seen: Watch, voice: Voice) -> list[Block]:
    if seen.forecast is None:
        return []
    return values_table(seen.forecast, voice)


def _under_way(seen: Watch, voice: Voice) -> list[Block]:
    """Tasks that are open, orders that wait for an answer."""
    open_ = tables.open_tasks(seen)
    waiting = [each for each in seen.dispatches if each.state in ("drafted", "signed", "acknowledged", "overdue")]
    blocks: list[Block] = [Heading(voice.say("任务与指令", "Tasks and orders"))]
    if not open_ and not waiting:
        return [*blocks, Paragraph((Cell(voice.say("无未了事项。", "Nothing is open.")),))]
    if open_:
        blocks.append(tables.tasks(open_, seen.at, voice))
    if waiting:
        blocks.append(orders_table(waiting, voice))
    return blocks


def _day(seen: Watch, voice: Voice) -> list[Block]:
    """What the log says of the last day."""
    entries = [entry for each in seen.incidents for entry in each.entries if entry.time > seen.at - DAY]
    if not entries:
        return []
    moments = tuple(
        Moment(
            voice.stamp(each.time),
            tone_of(each.level),
            f"{state(each.state, voice)} · {voice.colour(each.level)}",
            Cell(voice.of(each.entry), refs=(each.seq,)),
        )
        for each in sorted(entries, key=lambda each: (each.time, each.seq))
    )
    return [Heading(voice.say("24小时纪事", "The last 24 hours")), Timeline(moments)]
