/** Alerts, gravest first; each says why it fired and can be acknowledged with a note. */

import { type ReactNode, useState } from "react";

import { api } from "../api/client";
import type { AlertBody, TwinEvent } from "../api/types";
import { useWords } from "../language";
import { measured, signed, unitText } from "../domain/number";
import { SEVERITY_LEVEL } from "../domain/standing";
import { HOUR, seconds, showTime } from "../domain/time";
import { attemptEvent, select } from "../state/actions";
import { useApp } from "../state/app";
import { useBoard, useMayWrite, useRecordMoment, useStanding, useZone } from "../state/derived";
import { Icon } from "../ui/Icon";
import { LevelMark } from "../ui/LevelMark";
import { Fold, Section } from "../ui/controls";
import { NoteForm } from "./NoteForm";

const WEIGHT = { red: 3, orange: 2, yellow: 1, blue: 0 } as const;
const AT_FIRST = 8;

type Alert = TwinEvent<AlertBody>;

/** True while nobody has acknowledged it. */
export const waits = (alert: Alert): boolean => alert.state !== "cleared" && !alert.body.acknowledged_by;

function graver(a: Alert, b: Alert): number {
  return WEIGHT[b.body.severity] - WEIGHT[a.body.severity] || b.body.since.localeCompare(a.body.since) || a.id.localeCompare(b.id);
}

/** Alerts of one station told together, the gravest first; stations likewise, those that wait for someone before others. */
function bySubject(alerts: Alert[]): Alert[][] {
  const groups = new Map<string, Alert[]>();
  for (const each of [...alerts].sort(graver)) groups.set(each.subject, [...(groups.get(each.subject) ?? []), each]);
  const rank = (group: Alert[]): number => WEIGHT[group[0]!.body.severity] * 2 + Number(group.some(waits));
  return [...groups.values()].sort((a, b) => rank(b) - rank(a));
}

export function Alerts() {
  const { t } = useWords();
  const board = useBoard();
  const [all, setAll] = useState(false);
  const alerts = board?.alerts ?? [];
  const open = alerts.filter((each) => each.state !== "cleared" && !each.body.inhibited_by).sort(graver);
  const held = alerts.filter((each) => each.state !== "cleared" && each.body.inhibited_by).sort(graver);
  const cleared = alerts.filter((each) => each.state === "cleared");
  const groups = bySubject(open);
  return (
    <Section title={t.alerts.title} count={open.length}>
      {!open.length && <p className="empty">{t.alerts.empty}</p>}
      <ul className="alerts">{(all ? groups : groups.slice(0, AT_FIRST)).map((each) => <Group key={each[0]!.subject} alerts={each} />)}</ul>
      {groups.length > AT_FIRST && <button type="button" className="more" onClick={() => setAll(!all)}>{all ? t.alerts.fewer : t.alerts.more(groups.length - AT_FIRST)}</button>}
      {held.length > 0 && <Fold title={t.alerts.inhibited} count={held.length}><ul className="alerts">{held.map((each) => <Row key={each.id} alert={each} />)}</ul></Fold>}
      {cleared.length > 0 && <Fold title={t.alerts.cleared(cleared.length)}><ul className="alerts alerts-cleared">{cleared.slice(0, 40).map((each) => <Row key={each.id} alert={each} />)}</ul></Fold>}
    </Section>
  );
}

/** A station's gravest alert, with the others folded below it. */
function Group({ alerts }: { alerts: Alert[] }) {
  const { t } = useWords();
  const [open, setOpen] = useState(false);
  const [first, ...others] = alerts;
  if (!first) return null;
  return (
    <>
      <Row key={first.id} alert={first}>
        {others.length > 0 && (
          <button type="button" className="others" aria-expanded={open} onClick={() => setOpen(!open)}>
            {others.slice(0, 5).map((each) => <LevelMark key={each.id} level={SEVERITY_LEVEL[each.body.severity]} />)}
            {open ? t.alerts.fewer : t.alerts.others(others.length)}
          </button>
        )}
      </Row>
      {open && others.map((each) => <Row key={each.id} alert={each} />)}
    </>
  );
}

function Row({ alert, children }: { alert: Alert; children?: ReactNode }) {
  const { t, say, language } = useWords();
  const zone = useZone();
  const now = useRecordMoment();
  const [open, setOpen] = useState(false);
  const { body, state } = alert;
  const since = seconds(body.since);
  const standing = useStanding(alert.subject);
  const present = state !== "cleared" && standing?.quantity === body.quantity && standing.sample ? standing.sample.value : body.value;
  const margin = body.threshold_value === null ? body.margin : present - body.threshold_value;
  const pool = useApp((app) => app.scene?.stations.find((each) => each.code === alert.subject)?.kind === "RR");
  return (
    <li className={`alert alert-is-${body.acknowledged_by ? "acknowledged" : state}`} data-alert={alert.id} data-state={state}>
      <button type="button" className="alert-head" aria-expanded={open} onClick={() => setOpen(!open)}>
        <LevelMark level={SEVERITY_LEVEL[body.severity]} pool={pool} told />
        <span className="alert-title">{say(body.title)}</span>
        <span className="alert-value figure">{measured(present, body.unit)}<span className="unit"> {unitText(body.unit)}</span></span>
        <span className="alert-meta quiet">
          {body.acknowledged_by && <span className="tag tag-done"><Icon name="check" size={12} />{t.alerts.acknowledged(body.acknowledged_by)}</span>}
          {state === "escalated" && <span className="tag tag-strong">{t.alerts.escalated}</span>}
          <span>{state === "cleared" ? showTime(seconds(alert.time), "dayTime", language, zone) : t.alerts.since(showTime(since, "dayTime", language, zone))}</span>
          {state !== "cleared" && <span>{t.alerts.lasting(t.duration((now - since) / HOUR))}</span>}
        </span>
        {margin !== null && <span className="alert-margin quiet figure">{signed(margin, body.unit === "m" ? 2 : 0)}</span>}
      </button>
      {children}
      {open && <Detail alert={alert} />}
    </li>
  );
}

function Detail({ alert }: { alert: Alert }) {
  const { t, say } = useWords();
  const may = useMayWrite();
  const live = useApp((state) => state.view.kind === "live");
  const { body } = alert;
  const known = useApp((app) => app.scene?.stations.some((each) => each.code === alert.subject) ?? false);
  return (
    <div className="alert-detail">
      {body.why.length > 0 && <><h4>{t.alerts.why}</h4><ol className="trace">{body.why.map((each, row) => <li key={row}>{say(each)}</li>)}</ol></>}
      {body.note && <p className="note">{body.note}</p>}
      {waits(alert) && live && (may ? (
        <NoteForm label={t.alerts.note} actions={[{ name: t.alerts.acknowledge, run: (note) => attemptEvent(() => api.acknowledge(alert.id, note), t.alerts.done) }]} />
      ) : <p className="quiet fine">{t.session.readOnly}</p>)}
      <p className="links">
        {known && <button type="button" className="link" onClick={() => select(alert.subject, true)}>{t.alerts.showStation}</button>}
        <a className="link" href={api.cap(alert.id)} target="_blank" rel="noreferrer">{t.alerts.cap}</a>
      </p>
    </div>
  );
}
