"""One flood, one incident; its tasks, their deadlines, and whom a late one goes up to."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np
import pytest

from liuyu.basin.clock import HOUR, epoch, moment
from liuyu.basin.errors import BadInput, BadPackage, NotFound
from liuyu.basin.events import (
    Alert,
    Event,
    Incident,
    Notice,
    NumberedFlood,
    Proposal,
    Severity,
    SourceNote,
    Task,
    announce,
    newest,
    record,
)
from liuyu.basin.package import read_basin
from liuyu.basin.places import Basin, Reservoir, Station
from liuyu.monitor.respond import Playbook, Respond, read_playbook
from liuyu.monitor.respond.playbook import IncidentRules, TaskRule

START = epoch(datetime(2020, 8, 14, tzinfo=UTC))
PLAYBOOK = """
kind = "playbook"
version = "7"

[incident]
title = { zh = "{basin}{year}年{month}月洪水", en = "{basin} flood of {month} {year}" }
thresholds = ["warning", "guarantee"]
joining = [""]
gather_h = 6
closing_after_h = 12
closed_after_h = 48

[[owner]]
code = "duty"
name = { zh = "水情处值班员", en = "duty officer" }
superior = "head"

[[owner]]
code = "head"
name = { zh = "水情处处长", en = "head" }

[[task]]
code = "denser-reports"
title = { zh = "加密报汛", en = "Report hourly" }
owner = "duty"
on = "incident"
level = "yellow"
deadline_h = 2

[[task]]
code = "conference"
title = { zh = "会商", en = "Confer" }
owner = "head"
on = "incident"
level = "orange"
deadline_h = 100
repeat_h = 24

[[task]]
code = "bulletin"
title = { zh = "发布{flood}编号通报", en = "Publish {flood}" }
owner = "duty"
on = "flood"
per = "subject"
deadline_h = 2

[[task]]
code = "tell"
title = { zh = "向{subject}通报", en = "Tell {subject}" }
owner = "duty"
on = "notice"
level = "yellow"
per = "subject"
deadline_h = 2

[[task]]
code = "decide"
title = { zh = "审议{subject}调度方案", en = "Decide for {subject}" }
owner = "head"
on = "proposal"
deadline_h = 4

[[task]]
code = "order"
title = { zh = "拟发{subject}调度令", en = "Order for {subject}" }
owner = "duty"
on = "accepted"
deadline_h = 2

[[task]]
code = "silent"
title = { zh = "抢修{subject}", en = "Repair {subject}" }
owner = "duty"
on = "silence"
per = "subject"
deadline_h = 3
"""


def basin() -> Basin:
    stations = tuple(
        Station(code=code, name=name, name_en=code, river=river, rank=rank)
        for code, name, river, rank in (
            ("A", "汉口", "长江", 1),
            ("B", "九江", "长江", 1),
            ("C", "皇庄", "汉江", 3),
            ("D", "三峡水库", "长江", 1),
        )
    )
    dam = Reservoir(code="dam", name="三峡", name_en="Three Gorges", station="D", curve=((0, 0), (1, 1)))
    return Basin(
        code="tiny",
        name="小河",
        name_en="Tiny",
        time_zone="Asia/Shanghai",
        synthetic=True,
        folder="tiny",
        stations=stations,
        reservoirs=(dam,),
    )


@pytest.fixture
def playbook(tmp_path: Path) -> Playbook:
    (tmp_path / "playbook.toml").write_text(PLAYBOOK, encoding="utf-8")
    return read_playbook([tmp_path / "playbook.toml"], basin())


@pytest.fixture
def respond(playbook: Playbook) -> Respond:
    return Respond(basin(), playbook)


def alert(
    now: int,
    station: str = "A",
    state: str = "raised",
    severity: Severity = "yellow",
    line: str = "warning",
    **more: str,
) -> Event:
    title = {"zh": f"{station}超{line}", "en": f"{station} above {line}"}
    found = Alert(
        id=f"alert:{line}:{station}",
        rule=line,
        subject=station,
        quantity="water_level",
        severity=severity,
        title=title,
        since=moment(now),
        value=27.4,
        threshold=line,
        **more,
    )
    return announce(found, state=state, time=moment(now), subject=station)


def notice(now: int, station: str = "B", state: str = "issued", severity: Severity = "yellow") -> Event:
    found = Notice(
        id=f"notice:{station}",
        station=station,
        quantity="water_level",
        threshold="warning",
        threshold_value=20.0,
        severity=severity,
        issued=moment(now),
        chance=0.8,
        crossing=None,
        crossing_from=None,
        crossing_to=None,
        peak=20.5,
        peak_time=moment(now),
        title={"zh": f"预计{station}超警", "en": f"{station} expected above warning"},
    )
    return announce(found, state=state, time=moment(now), subject=station)


def flood(now: int, number: int = 4) -> Event:
    found = NumberedFlood(
        id=f"flood:2020:{number}",
        name=f"长江2020年第{number}号洪水",
        name_en=f"Yangtze flood No. {number} of 2020",
        year=2020,
        number=number,
        section="upper",
        station="D",
        quantity="reservoir_inflow",
        value=50000.0,
        threshold_value=50000.0,
        time=moment(now),
    )
    return announce(found, state="numbered", time=moment(now), subject="D")


def proposal(now: int, state: str = "proposed", by: str = "") -> Event:
    found = Proposal(
        id="proposal:dam:1",
        issued=moment(START),
        reservoir="dam",
        title={"zh": "三峡按49000下泄", "en": "Release 49,000"},
        releases={},
        compared=(),
        reason={},
        decided_by=by,
    )
    return announce(found, state=state, time=moment(now), subject="dam")


def tasks(events: list[Event], state: str = "assigned") -> list[Task]:
    return [record(each, Task) for each in events if each.kind == "task" and each.state == state]


def incidents(events: list[Event]) -> list[tuple[str, str]]:
    return [(each.state, str(each.body["level"])) for each in events if each.kind == "incident"]


def test_alerts_and_notices_of_one_flood_make_one_incident(respond: Respond) -> None:
    events = respond.step([alert(START), alert(START, "C"), notice(START)], START)
    assert incidents(events) == [("opened", "yellow")]
    found = record(events[0], Incident)
    assert found.id == "incident:tiny:20200814T0000Z"
    assert found.title == {"zh": "小河2020年8月洪水", "en": "Tiny flood of August 2020"}
    assert found.stations == ("A", "B", "C")
    assert found.alerts == ("alert:warning:A", "alert:warning:C", "notice:B")
    assert found.summary["zh"] == "2站超警戒；1条预警生效；1项任务未完成"
    assert found.entry["zh"].startswith("小河2020年8月洪水立案跟踪，级别黄色：A超warning；C超warning")


def test_a_rise_of_level_is_told_at_once_and_smaller_changes_are_gathered(respond: Respond) -> None:
    respond.step([alert(START)], START)
    assert incidents(respond.step([alert(START + HOUR, "B")], START + HOUR)) == []
    up = respond.step([alert(START + 2 * HOUR, severity="orange", line="guarantee")], START + 2 * HOUR)
    assert incidents(up) == [("updated", "orange")]
    assert up[0].body["entry"]["zh"] == "级别由黄色升为橙色。新增：B超warning；A超guarantee。"
    clear = alert(START + 3 * HOUR, state="cleared", severity="orange", line="guarantee")
    assert incidents(respond.step([clear], START + 3 * HOUR)) == []
    assert incidents(respond.step([], START + 7 * HOUR)) == []
    down = respond.step([], START + 8 * HOUR)
    assert incidents(down) == [("updated", "yellow")]
    assert (
        down[0].body["entry"]["en"] == "Level lowered from orange to yellow. Ended: A above guarantee (2 still active)."
    )
    assert incidents(respond.step([], START + 30 * HOUR)) == []  # nothing new: nothing told


def test_an_alert_that_goes_up_for_want_of_an_answer_does_not_raise_the_level(respond: Respond) -> None:
    respond.step([alert(START)], START)
    late = alert(START + 2 * HOUR, state="escalated", severity="red")
    assert incidents(respond.step([late], START + 2 * HOUR)) == []


def test_what_comes_and_goes_between_two_lines_of_the_log_is_not_told(respond: Respond) -> None:
    respond.step([alert(START)], START)
    respond.step([alert(START + HOUR, "B")], START + HOUR)
    respond.step([alert(START + 2 * HOUR, "B", "cleared")], START + 2 * HOUR)
    assert incidents(respond.step([], START + 9 * HOUR)) == []


def test_an_incident_closes_after_all_has_been_clear_for_long(respond: Respond) -> None:
    events = respond.step([alert(START)], START)
    for hour in range(1, 60):
        now = START + hour * HOUR
        events += respond.step([alert(now, state="cleared")] if hour == 5 else [], now)
    assert incidents(events) == [
        ("opened", "yellow"),
        ("updated", "yellow"),
        ("closing", "yellow"),
        ("closed", "yellow"),
    ]
    times = [(epoch(each.time) - START) // HOUR for each in events if each.kind == "incident"]
    assert times == [0, 6, 17, 53]
    again = respond.step([alert(START + 60 * HOUR)], START + 60 * HOUR)
    assert again[0].id != events[0].id


def test_a_new_alert_while_closing_takes_the_incident_back(respond: Respond) -> None:
    respond.step([alert(START)], START)
    respond.step([alert(START + HOUR, state="cleared")], START + HOUR)
    assert incidents(respond.step([], START + 13 * HOUR)) == [("closing", "yellow")]
    assert incidents(respond.step([alert(START + 14 * HOUR, "B")], START + 14 * HOUR)) == [("updated", "yellow")]
    assert incidents(respond.step([], START + 70 * HOUR)) == []


def test_what_is_weak_or_off_the_list_opens_nothing_and_may_join(respond: Respond) -> None:
    weak = alert(START, severity="blue")
    limit = alert(START, "D", line="flood_limit", severity="orange")
    rate = alert(START, "B", line="", severity="red")
    hidden = alert(START, "C", inhibited_by="alert:guarantee:C")
    assert respond.step([weak, limit, rate, hidden], START) == []
    opened = respond.step([alert(START), weak, limit, rate, hidden], START)
    assert incidents(opened) == [("opened", "red")]
    assert record(opened[0], Incident).alerts == ("alert::B", "alert:warning:A")


def test_rivers_have_incidents_of_their_own_where_the_playbook_says_so(playbook: Playbook) -> None:
    by_river = msgspec.structs.replace(playbook.incident, group_by="river")
    respond = Respond(basin(), msgspec.structs.replace(playbook, incident=by_river))
    events = respond.step([alert(START), alert(START, "B"), alert(START, "C")], START)
    opened = [record(each, Incident) for each in events if each.kind == "incident"]
    assert [each.stations for each in opened] == [("A", "B"), ("C",)]
    assert [each.id for each in opened] == ["incident:tiny-1:20200814T0000Z", "incident:tiny-2:20200814T0000Z"]


def test_a_numbered_flood_opens_an_incident_and_is_told_at_once(respond: Respond) -> None:
    events = respond.step([flood(START)], START)
    assert incidents(events) == [("opened", "yellow")]
    assert [each.title["zh"] for each in tasks(events)] == ["发布长江2020年第4号洪水编号通报", "加密报汛"]
    events = respond.step([flood(START + HOUR, 5)], START + HOUR)
    assert record(events[0], Incident).floods == ("flood:2020:4", "flood:2020:5")
    assert events[0].body["entry"]["zh"] == "长江2020年第5号洪水形成。"


def test_a_late_task_is_handed_up_once(respond: Respond) -> None:
    (task,) = tasks(respond.step([alert(START)], START))
    assert (task.owner, task.owner_name["zh"], task.due) == ("duty", "水情处值班员", moment(START + 2 * HOUR))
    assert respond.step([], START + 2 * HOUR) == []
    (late,) = tasks(respond.step([], START + 3 * HOUR), "overdue")
    assert (late.id, late.escalated_to["zh"]) == (task.id, "水情处处长")
    assert respond.step([], START + 4 * HOUR) == []
    seen = respond.update_task(task.id, "acknowledged", "li", "", START + 5 * HOUR)
    assert seen.state == "acknowledged"
    assert respond.step([], START + 6 * HOUR) == []
    done = respond.update_task(task.id, "done", "li", "已通知14站", START + 7 * HOUR)
    assert (done.state, done.body["done_by"], done.body["note"]) == ("done", "li", "已通知14站")


def test_a_task_done_in_time_never_becomes_overdue(respond: Respond) -> None:
    (task,) = tasks(respond.step([alert(START)], START))
    respond.update_task(task.id, "done", "li", "", START + HOUR)
    assert respond.step([], START + 10 * HOUR) == []


def test_what_cannot_be_set_is_refused_with_its_cure(respond: Respond) -> None:
    (task,) = tasks(respond.step([alert(START)], START))
    with pytest.raises(NotFound, match="did you mean 'task:denser-reports"):
        respond.update_task(task.id + "x", "done", "li", "", START)
    with pytest.raises(BadInput, match="choose one of acknowledged, done, cancelled"):
        respond.update_task(task.id, "overdue", "li", "", START)
    respond.update_task(task.id, "done", "li", "", START)
    with pytest.raises(BadInput, match="is done already"):
        respond.update_task(task.id, "done", "li", "", START)


def test_tasks_repeat_while_the_level_holds(respond: Respond) -> None:
    events = respond.step([alert(START, severity="orange")], START)
    for hour in range(1, 49):
        events += respond.step([], START + hour * HOUR)
    due = [each.due - timedelta(hours=100) for each in tasks(events) if each.rule == "conference"]
    assert due == [moment(START + day * 24 * HOUR) for day in range(3)]


def test_a_notice_brings_its_task_once_a_station(respond: Respond) -> None:
    events = respond.step([notice(START), notice(START, "C")], START)
    events += respond.step([notice(START + HOUR, state="updated")], START + HOUR)
    events += respond.step([notice(START + 2 * HOUR)], START + 2 * HOUR)
    assert [each.title["zh"] for each in tasks(events) if each.rule == "tell"] == ["向九江站通报", "向皇庄站通报"]


def test_a_decision_on_a_proposal_settles_its_task_and_brings_the_order(respond: Respond) -> None:
    respond.step([alert(START)], START)
    events = respond.step([proposal(START + HOUR)], START + HOUR)
    assert events[0].body["entry"]["zh"] == "提出调度方案：三峡按49000下泄。"
    (decide,) = tasks(events)
    assert decide.title["zh"] == "审议三峡水库调度方案"
    events = respond.step([proposal(START + 2 * HOUR, "accepted", "zhang")], START + 2 * HOUR)
    assert [(each.id, each.done_by) for each in tasks(events, "done")] == [(decide.id, "zhang")]
    assert [each.title["zh"] for each in tasks(events)] == ["拟发三峡水库调度令"]


def test_the_same_proposal_again_is_not_told_again(respond: Respond) -> None:
    respond.step([alert(START), proposal(START)], START)
    again = [proposal(START + HOUR, "lapsed"), proposal(START + HOUR)]
    assert incidents(respond.step(again, START + HOUR)) == []


def test_a_silent_control_station_brings_a_repair(respond: Respond) -> None:
    def silent(code: str) -> Event:
        note = SourceNote(id=f"source:{code}", station=code, last=moment(START), title={})
        return announce(note, state="silent", time=moment(START), subject=code)

    assert respond.step([silent("A")], START) == []  # no incident: none of its business
    events = respond.step([alert(START), silent("A"), silent("C")], START)
    assert [each.title["zh"] for each in tasks(events) if each.rule == "silent"] == ["抢修汉口站"]


def test_closing_cancels_what_is_not_yet_due(respond: Respond) -> None:
    events = respond.step([alert(START, severity="orange")], START)
    events += respond.step([alert(START + HOUR, state="cleared")], START + HOUR)
    for hour in range(2, 60):
        events += respond.step([], START + hour * HOUR)
    last = newest(each for each in events if each.kind == "task")
    by_rule = {str(each.body["rule"]): each.state for each in last.values()}
    assert by_rule == {"denser-reports": "overdue", "conference": "cancelled"}


def test_a_flood_of_twenty_days_gives_dozens_of_events_and_survives_being_killed(playbook: Playbook) -> None:
    rng = np.random.default_rng(3)
    steps: list[list[Event]] = []
    for hour in range(480):
        now, found = START + hour * HOUR, []
        for station in "ABC":
            if rng.random() < 0.15:
                state = "cleared" if rng.random() < 0.4 or hour > 380 else "raised"
                severity: Severity = "orange" if rng.random() < 0.2 else "yellow"
                line = "guarantee" if severity == "orange" else "warning"
                found.append(alert(now, station, state, severity, line))
        steps.append(found)

    def run(restart: bool) -> list[Event]:
        respond, events = Respond(basin(), playbook), []
        for hour, found in enumerate(steps):
            events += respond.step(found, START + hour * HOUR)
            if restart:
                blob = respond.dump()
                respond = Respond(basin(), playbook)
                respond.load(blob)
                assert respond.dump() == blob
        return events

    events = run(restart=False)
    assert events == run(restart=True)
    assert len({(each.kind, each.id, each.time, each.state) for each in events}) == len(events)
    assert 12 < len(events) < 150


def test_every_fault_of_a_playbook_is_told_at_once(tmp_path: Path) -> None:
    bad = PLAYBOOK.replace('superior = "head"', 'superior = "heat"').replace(
        "closed_after_h = 48", "closed_after_h = 4"
    )
    bad = bad.replace("{flood}编号", "{floud}编号").replace("deadline_h = 100", "deadline_h = 0", 1)
    bad = bad.replace('"guarantee"]', '"guarante"]')
    (tmp_path / "playbook.toml").write_text(bad, encoding="utf-8")
    with pytest.raises(BadPackage) as caught:
        read_playbook([tmp_path / "playbook.toml"], basin())
    found = {(each.line, each.field) for each in caught.value.faults}
    assert found == {(7, "thresholds"), (11, "closed_after_h"), (16, "superior"), (36, "deadline_h"), (41, "title")}
    assert "did you mean 'guarantee'?" in str(caught.value)


def test_the_examples_of_the_reference_can_be_read(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "playbook.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    (example,) = (each for each in blocks if 'kind = "playbook"' in each)
    (tmp_path / "playbook.toml").write_text(example, encoding="utf-8")
    found = read_playbook([tmp_path / "playbook.toml"], basin())
    assert [each.code for each in found.tasks] == ["denser-reports"]
    keys = {info.name for kind in (TaskRule, IncidentRules) for info in msgspec.structs.fields(kind)}
    assert keys <= set(re.findall(r"`(\w+)`", page))


@pytest.mark.parametrize("name", ["yangtze", "qingxi"])
def test_the_shipped_playbooks_and_notices_are_sound(name: str, basins: Path) -> None:
    where = read_basin(basins / name)
    folder = Path(where.folder)
    playbook = read_playbook([folder / where.playbook_file], where)
    assert {"response", "flood", "notice", "proposal", "accepted", "silence"} >= {each.on for each in playbook.tasks}
    assert all(each.superior for each in playbook.owners if each.code in {task.owner for task in playbook.tasks[:1]})


def test_a_basin_without_a_playbook_opens_no_incident(tmp_path: Path) -> None:
    respond = Respond(basin(), read_playbook([], basin()))
    assert respond.step([alert(START), notice(START)], START) == []
    (tmp_path / "rules.toml").write_text('kind = "alerts"\n', encoding="utf-8")
    with pytest.raises(BadPackage, match='add a file with kind = "playbook"'):
        read_playbook([tmp_path / "rules.toml"], basin())


def test_what_a_person_does_at_the_moment_of_a_step_is_told_with_the_next(respond: Respond) -> None:
    respond.step([alert(START), proposal(START)], START)
    assert incidents(respond.step([proposal(START, "accepted", "zhang")], START)) == []
    later = respond.step([], START + HOUR)
    assert later[0].body["entry"]["zh"] == "采纳调度方案：三峡按49000下泄（zhang）。"
