/** The incident under control: its tasks with owners and deadlines, and its log. */

import { useEffect, useState } from "react";

import { api } from "../api/client";
import type { IncidentBody, TaskBody, TwinEvent } from "../api/types";
import { useWords } from "../language";
import { SEVERITY_LEVEL } from "../domain/standing";
import { HOUR, iso, seconds, showTime } from "../domain/time";
import { attemptEvent } from "../state/actions";
import { useApp } from "../state/app";
import { useBoard, useMayWrite, useRecordMoment, useZone } from "../state/derived";
import { LevelMark } from "../ui/LevelMark";
import { Fold, Section } from "../ui/controls";
import { Dispatches } from "./Dispatches";
import { NoteForm } from "./NoteForm";
import { Reports } from "./Reports";
import { Responses } from "./Responses";

export function Response() {
  const { t } = useWords();
  const board = useBoard();
  const incidents = [...(board?.incidents ?? [])].sort((a, b) => Number(a.state === "closed") - Number(b.state === "closed"));
  return (
    <>
      <Responses />
      <Dispatches />
      {!incidents.length && <Section title={t.incident.title}><p className="empty">{t.incident.empty}</p></Section>}
      {incidents.map((each) => <Incident key={each.id} incident={each} tasks={(board?.tasks ?? []).filter((task) => task.body.incident === each.id)} />)}
      <Reports />
    </>
  );
}

function Incident({ incident, tasks }: { incident: TwinEvent<IncidentBody>; tasks: TwinEvent<TaskBody>[] }) {
  const { t, say, language } = useWords();
  const zone = useZone();
  const { body } = incident;
  const over = (task: TwinEvent<TaskBody>): boolean => task.state === "done" || task.state === "cancelled";
  const open = tasks.filter((each) => !over(each)).sort((a, b) => a.body.due.localeCompare(b.body.due));
  const done = tasks.filter(over);
  return (
    <Section title={t.incident.title} aside={<span className="tag">{t.incident.states[incident.state] ?? incident.state}</span>}>
      <div className={`incident incident-${body.level}`}>
        <LevelMark level={SEVERITY_LEVEL[body.level]} told />
        <div>
          <b>{say(body.title)}</b>
          <p className="quiet">{t.incident.opened(showTime(seconds(body.opened), "dayTime", language, zone))} · {t.incident.scale(body.stations.length, body.alerts.length)}</p>
          {say(body.summary) && <p>{say(body.summary)}</p>}
        </div>
      </div>
      <h3 className="sub">{t.incident.tasks}</h3>
      {!open.length && <p className="empty">{t.incident.noTasks}</p>}
      <ul className="tasks">{open.map((each) => <Task key={each.id} task={each} />)}</ul>
      {done.length > 0 && <Fold title={t.incident.finished(done.length)}><ul className="tasks">{done.map((each) => <Task key={each.id} task={each} />)}</ul></Fold>}
      <Log incident={incident} />
    </Section>
  );
}

function Task({ task }: { task: TwinEvent<TaskBody> }) {
  const { t, say, language } = useWords();
  const zone = useZone();
  const may = useMayWrite();
  const live = useApp((state) => state.view.kind === "live");
  const now = useRecordMoment();
  const { body, state } = task;
  const left = (seconds(body.due) - now) / HOUR;
  const waits = state === "assigned" || state === "overdue" || state === "acknowledged";
  const update = (next: string) => (note: string) => attemptEvent(() => api.updateTask(task.id, next, note), t.incident.saved);
  const finish = { name: t.incident.finish, run: update("done") };
  return (
    <li className={`task task-${state}`} data-task={task.id}>
      <div className="task-head">
        <span className="task-title">{say(body.title)}</span>
        <span className={`tag tag-${state}`}>{t.incident.taskStates[state] ?? state}</span>
      </div>
      <p className="quiet task-meta">
        <span>{say(body.owner_name) || body.owner}</span>
        <span>{t.incident.due(showTime(seconds(body.due), "dayTime", language, zone))}</span>
        {waits && <span className={left < 0 ? "late" : ""}>{left < 0 ? t.incident.overdueBy(t.duration(-left)) : t.incident.dueIn(t.duration(left))}</span>}
        {state === "overdue" && say(body.escalated_to) && <span>{t.incident.escalated(say(body.escalated_to))}</span>}
        {body.done_by && <span>{t.incident.doneBy(body.done_by)}</span>}
      </p>
      {body.note && <p className="note">{body.note}</p>}
      {waits && may && live && <NoteForm label={t.incident.note} actions={state === "acknowledged" ? [finish] : [{ name: t.incident.take, run: update("acknowledged") }, { ...finish, quiet: true }]} />}
    </li>
  );
}

/** Every entry of the incident's log up to the moment in view. */
function Log({ incident }: { incident: TwinEvent<IncidentBody> }) {
  const { t, say, language } = useWords();
  const zone = useZone();
  const until = useApp((state) => (state.view.kind === "past" ? state.view.at : 0));
  const [entries, setEntries] = useState<TwinEvent<IncidentBody>[]>([]);
  useEffect(() => {
    const mine = new AbortController();
    api.events({ kinds: "incident", start: incident.body.opened, end: until ? iso(until + 1) : undefined, newest_first: true, limit: 200 }, mine.signal)
      .then((events) => setEntries((events as unknown as TwinEvent<IncidentBody>[]).filter((each) => each.id === incident.id)))
      .catch(() => undefined);
    return () => mine.abort();
  }, [incident.id, incident.seq, incident.body.opened, until]);
  const told = entries.filter((each) => say(each.body.entry));
  if (!told.length) return null;
  return (
    <Fold title={t.incident.log} count={told.length} open>
      <ol className="log">
        {told.slice(0, 60).map((each) => <li key={each.seq}><time className="quiet">{showTime(seconds(each.time), "dayTime", language, zone)}</time><span>{say(each.body.entry)}</span></li>)}
      </ol>
    </Fold>
  );
}
