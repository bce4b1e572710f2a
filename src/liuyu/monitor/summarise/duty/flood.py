"""The bulletin of a flood in course (汛情通报): situation, forecast, what was done, what is asked."""

from __future__ import annotations

from liuyu.basin.errors import NotFound
from liuyu.monitor.summarise.blocks import Block, Cell, Heading, Page, Paragraph
from liuyu.monitor.summarise.bulletin_page import summary_of, values_table
from liuyu.monitor.summarise.contents import IncidentCourse
from liuyu.monitor.summarise.duty import tables
from liuyu.monitor.summarise.duty.watch import Watch
from liuyu.monitor.summarise.sections.decisions import moments_of, orders_table
from liuyu.monitor.summarise.voice import Voice, counted, fixed, volume


def flood_page(seen: Watch, language: str) -> Page:
    """The whole bulletin. Raises NotFound where no incident is open, BadInput for a language other than zh and en."""
    voice = Voice(seen, language)
    case = seen.current
    if case is None:
        raise NotFound(
            "no flood is under way at that moment; ask for the daily bulletin, or for a moment within a flood"
        )
    basin = voice.of(seen.basin)
    when = f"{voice.day(seen.at)} {voice.local(seen.at):%H:%M}"
    return Page(
        language=language,
        title=voice.say(f"{basin}汛情通报", f"{basin}: flood bulletin"),
        kicker=voice.of(case.title),
        period=voice.say(f"截至{when}", f"as of {when}"),
        label=voice.say("合成数据 · 非真实水情", "SYNTHETIC DATA · not a real river") if seen.synthetic else "",
        footer=f"{basin} · {when}",
        contents=voice.say("目录", "Contents"),
        created=seen.at,
        blocks=(
            *_situation(seen, case, voice),
            *_forecast(seen, voice),
            *_done(seen, case, voice),
            *_asked(seen, voice),
            *tables.end(seen, voice),
        ),
    )


def _situation(seen: Watch, case: IncidentCourse, voice: Voice) -> list[Block]:
    blocks: list[Block] = [Heading(voice.say("当前汛情", "The situation"))]
    opened, colour = voice.time(case.opened), voice.colour(case.level)
    zh = f"{voice.of(case.title)}自{opened}立案，现为{colour}色级别，涉及{case.stations}站。"
    en = f"{voice.of(case.title)}: opened {opened}, at level {colour}, {counted(case.stations, 'station')}."
    cells = [Cell(voice.say(zh, en))]
    for flood in seen.floods:
        unit = "m" if flood.quantity == "water_level" else "m3/s"
        shown = f"{fixed(flood.value, 2 if unit == 'm' else 0)} {voice.unit(unit)}"
        zh = f"{voice.time(flood.time)}{flood.station['zh']}站达{shown}，形成{flood.name['zh']}。"
        en = f" {flood.name.get('en', '')}: {flood.station['en']} reached {shown} on {voice.time(flood.time)}."
        cells.append(Cell(voice.say(zh, en), refs=(flood.seq,)))
    blocks.append(Paragraph(tuple(cells), lead=True))
    if seen.gauges:
        blocks.append(tables.levels(seen.gauges, voice))
    if seen.pools:
        blocks += [Paragraph((Cell(_held(seen, voice)),)), tables.pools(seen.pools, voice)]
    return blocks


def _held(seen: Watch, voice: Voice) -> str:
    told = []
    for pool in seen.pools:
        if pool.inflow is None or pool.outflow is None:
            continue
        amount = " ".join(volume(pool.stored_in_day, voice)).strip()
        coming, going = fixed(pool.inflow.value, 0), fixed(pool.outflow.value, 0)
        zh = f"{voice.of(pool.name)}入库{coming}、出库{going}立方米每秒"
        en = f"{voice.of(pool.name)} takes in {coming} and lets go {going} m³/s"
        if pool.stored_in_day is not None:
            zh, en = f"{zh}，24小时拦蓄{amount}", f"{en}; {amount} held in a day"
        told.append(voice.say(zh, en))
    return voice.say("；", ". ").join(told) + voice.say("。", ".") if told else ""


def _forecast(seen: Watch, voice: Voice) -> list[Block]:
    title = Heading(voice.say("预测预报", "Forecast"))
    if seen.forecast is None:
        return [title, Paragraph((Cell(voice.say("尚未发布预报。", "No forecast was issued so far.")),))]
    return [title, *summary_of(seen.forecast, voice), *values_table(seen.forecast, voice)[1:]]


def _done(seen: Watch, case: IncidentCourse, voice: Voice) -> list[Block]:
    """What was decided and ordered since the incident was opened, and how the tasks stand."""
    blocks: list[Block] = [Heading(voice.say("防御工作", "What was done"))]
    done = sum(each.state == "done" for each in case.tasks)
    open_ = tables.open_tasks(seen)
    late = sum(each.due < seen.at for each in open_)
    zh = f"已下达任务{len(case.tasks)}项，完成{done}项，在办{len(open_)}项，其中逾期{late}项。"
    en = f"{counted(len(case.tasks), 'task')} given, {done} done, {len(open_)} open, {late} of them late."
    blocks.append(Paragraph((Cell(voice.say(zh, en)),)))
    timeline = moments_of(seen.responses, seen.dispatches, voice)
    if timeline is not None:
        blocks.append(timeline)
    orders = [each for each in seen.dispatches if each.signed is not None]
    if orders:
        blocks.append(orders_table(orders, voice))
    return blocks


def _asked(seen: Watch, voice: Voice) -> list[Block]:
    """What is in force, and what the open tasks ask of whom."""
    blocks: list[Block] = [
        Heading(voice.say("预警与下一步工作", "Warnings and next steps")),
        *tables.standing(seen, voice),
    ]
    open_ = tables.open_tasks(seen)
    return [*blocks, tables.tasks(open_, seen.at, voice)] if open_ else blocks
