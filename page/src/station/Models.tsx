/** The forecast beside persistence and other models, lead by lead; beside what came, where that is known; and how good
 *  each of them was lately. */

import { useEffect, useState } from "react";

import { api } from "../api/client";
import type { Compared, Content } from "../chart/data";
import type { ForecastIssue, ForecastView, ModelScore, SeriesColumns } from "../api/types";
import { useWords } from "../language";
import type { Dictionary } from "../language/zh";
import { fixed, measured, percent, signed, unitText } from "../domain/number";
import { DAY, HOUR, iso, seconds } from "../domain/time";
import { useApp } from "../state/app";
import { momentOf } from "../state/derived";

const LEADS = [24, 48, 72, 120, 168, 240];
const RECENT_DAYS = 30;

/** The part of the routed and the data-driven forecast by lead. */
interface Share {
  lead_h: number;
  routed: number;
  learned: number;
}

interface Course {
  name: string;
  at: (time: number) => number | null;
}

function alongside(time: number[], values: number[]): (at: number) => number | null {
  return (at) => {
    const row = time.findIndex((each) => each >= at);
    return row >= 0 && time[row]! - at < HOUR ? (values[row] ?? null) : null;
  };
}

/** The usable value within an hour of a time, the nearest. */
function observedAt(series: SeriesColumns, at: number): number | null {
  let best: number | null = null;
  let apart = HOUR + 1;
  series.time.forEach((time, row) => {
    const value = series.value[row];
    if (Math.abs(time - at) < apart && value !== null && value !== undefined && (series.flag[row] ?? 2) <= 2) {
      apart = Math.abs(time - at);
      best = value;
    }
  });
  return best;
}

/** The value that persistence holds: from the answer, else from the series. */
export function heldValue(content: Content): number | null {
  const { forecast } = content;
  if (!forecast) return null;
  return forecast.at_issue?.value ?? observedAt(content.observed, seconds(forecast.issued));
}

/** Persistence and other models as courses for the chart. */
export function comparedOf(content: Content, t: Dictionary): Compared[] {
  const { forecast } = content;
  const held = heldValue(content);
  if (!forecast) return [];
  const span = [seconds(forecast.issued), forecast.time[forecast.time.length - 1] ?? 0];
  const flat = held === null ? [] : [{ name: t.station.persistence, time: span, value: [held, held] }];
  return [...flat, ...forecast.others.map((each) => ({ name: t.model(each.model), time: each.time, value: each.median }))];
}

export function Models({ content }: { content: Content }) {
  const { t } = useWords();
  const { forecast, unit } = content;
  if (!forecast) return null;
  const issued = seconds(forecast.issued);
  const last = forecast.time[forecast.time.length - 1] ?? issued;
  const leads = LEADS.filter((lead) => issued + lead * HOUR <= last);
  const held = heldValue(content);
  const courses: Course[] = [
    { name: t.model(forecast.model), at: alongside(forecast.time, forecast.quantiles["0.5"] ?? []) },
    ...forecast.others.map((each: ForecastIssue) => ({ name: t.model(each.model), at: alongside(each.time, each.median) })),
    ...(held === null ? [] : [{ name: t.station.persistence, at: () => held }]),
  ];
  const came = leads.map((lead) => observedAt(content.observed, issued + lead * HOUR));
  const shares = Array.isArray(forecast.drivers.models) ? (forecast.drivers.models as Share[]) : [];
  const share = (lead: number): Share | undefined => shares.find((each) => each.lead_h === lead);
  const decimals = unit === "m" ? 2 : 0;
  return (
    <div className="block">
      <div className="block-head"><h3>{t.station.models}</h3><span className="quiet fine">{unitText(unit)}</span></div>
      <div className="scroll">
        <table className="models">
          <thead><tr><th>{t.station.lead}</th>{leads.map((lead) => <th key={lead} scope="col">{t.station.within(lead)}</th>)}</tr></thead>
          <tbody>
            {courses.map((course) => (
              <tr key={course.name}>
                <th scope="row">{course.name}</th>
                {leads.map((lead, place) => {
                  const value = course.at(issued + lead * HOUR);
                  const real = came[place];
                  return <td key={lead} className="figure">{value === null ? "—" : measured(value, unit)}{value !== null && real !== null && real !== undefined && <small className="quiet">{signed(value - real, decimals)}</small>}</td>;
                })}
              </tr>
            ))}
            {came.some((value) => value !== null) && <tr className="came"><th scope="row">{t.station.came}</th>{came.map((value, place) => <td key={leads[place]} className="figure">{value === null ? "—" : measured(value, unit)}</td>)}</tr>}
            {shares.length > 0 && <tr className="quiet"><th scope="row">{t.station.learnedShare}</th>{leads.map((lead) => <td key={lead} className="figure">{share(lead) ? percent(share(lead)!.learned) : "—"}</td>)}</tr>}
          </tbody>
        </table>
      </div>
      <Recent forecast={forecast} leads={leads} decimals={decimals} />
    </div>
  );
}

/** Errors of each model over the last weeks, by what was issued and has come since. */
function Recent({ forecast, leads, decimals }: { forecast: ForecastView; leads: number[]; decimals: number }) {
  const { t } = useWords();
  const day = useApp((state) => Math.floor(momentOf(state) / DAY));
  const [rows, setRows] = useState<ModelScore[]>([]);
  const { station, quantity } = forecast;
  useEffect(() => {
    const mine = new AbortController();
    const end = day * DAY;
    api.scores(station, quantity, iso(end - RECENT_DAYS * DAY), iso(end), mine.signal).then((found) => setRows(found ?? [])).catch(() => undefined);
    return () => mine.abort();
  }, [station, quantity, day]);
  if (!rows.length) return null;
  const models = [...new Set(rows.map((each) => each.model))];
  const lines = [
    ...models.map((model) => ({ name: t.model(model), at: (lead: number) => rows.find((each) => each.model === model && each.lead_h === lead) })),
    { name: t.station.persistence, at: (lead: number) => {
      const row = rows.find((each) => each.model === models[0] && each.lead_h === lead);
      return row && { ...row, rmse: row.rmse_persistence };
    } },
  ];
  return (
    <div className="scroll">
      <table className="models recent">
        <thead><tr><th>{t.station.recent(RECENT_DAYS)}</th>{leads.map((lead) => <th key={lead} scope="col">{t.station.within(lead)}</th>)}</tr></thead>
        <tbody>
          {lines.map((each) => (
            <tr key={each.name}>
              <th scope="row">{each.name}</th>
              {leads.map((lead) => {
                const row = each.at(lead);
                return <td key={lead} className="figure" title={row ? t.station.cases(fixed(row.n, 0)) : undefined}>{row ? fixed(row.rmse, decimals) : "—"}</td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
