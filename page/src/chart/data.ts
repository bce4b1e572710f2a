/** Series and forecasts on one time axis, as uPlot wants them: null breaks a line, undefined does not. */

import uPlot from "uplot";

import type { ForecastIssue, ForecastView, SeriesColumns } from "../api/types";

export const QUANTILES = ["0.95", "0.9", "0.75", "0.5", "0.25", "0.1", "0.05"] as const;

export interface Doubted {
  time: number;
  value: number;
  flag: number;
}

/** All that a hydrograph shows of one station at one moment. */
export interface Content {
  quantity: string;
  unit: string;
  at: number;
  now: number;
  observed: SeriesColumns;
  seconds: { quantity: string; unit: string; series: SeriesColumns }[];
  forecast: ForecastView | null;
  issues: ForecastIssue[];
  /** Other courses of the future to draw beside the fan, by name. */
  compared?: Compared[];
  /** When the shown issue was made, where it is not the newest [s UTC]. */
  marked?: number | null;
}

export interface Compared {
  name: string;
  time: number[];
  value: number[];
}

export interface Drawn {
  columns: uPlot.AlignedData;
  doubted: Doubted[];
}

type Line = [number[], (number | null | undefined)[]];

/** A line of the usable values within an interval, broken where the series has a gap. */
function line(series: SeriesColumns, from: number, until: number): Line {
  const times: number[] = [];
  const values: (number | null)[] = [];
  let step = Number.POSITIVE_INFINITY;
  for (let i = 1; i < series.time.length; i++) step = Math.min(step, Math.max(60, series.time[i]! - series.time[i - 1]!));
  const longest = Math.max(3 * step, 3 * 3600);
  for (let i = 0; i < series.time.length; i++) {
    const time = series.time[i]!;
    const value = series.value[i];
    if (time < from || time > until || value === null || value === undefined || (series.flag[i] ?? 2) > 2) continue;
    const last = times[times.length - 1];
    if (last !== undefined && time - last > longest) {
      times.push(last + 1);
      values.push(null);
    }
    times.push(time);
    values.push(value);
  }
  return [times, values];
}

function doubtedOf(series: SeriesColumns): Doubted[] {
  return series.time.flatMap((time, row) => {
    const value = series.value[row];
    const flag = series.flag[row] ?? 2;
    return value !== null && value !== undefined && (flag === 3 || flag === 4) ? [{ time, value, flag }] : [];
  });
}

function fan(forecast: ForecastView | null, first: [number, number] | null): Line[] {
  return QUANTILES.map((name) => {
    const values = forecast?.quantiles[name];
    if (!forecast || !values) return [[], []];
    const joined = first && first[0] < (forecast.time[0] ?? 0) && forecast.time[0]! - first[0] <= 12 * 3600;
    return joined ? [[first[0], ...forecast.time], [first[1], ...values]] : [[...forecast.time], [...values]];
  });
}

/** Columns: time, seven quantiles from high to low, what came later, what was observed, then the second axis. */
export function drawn(content: Content): Drawn {
  const past = line(content.observed, 0, content.at);
  const later = line(content.observed, content.at, Number.POSITIVE_INFINITY);
  const issued = content.forecast ? Date.parse(content.forecast.issued) / 1000 : 0;
  let last: [number, number] | null = null;
  past[0].forEach((time, row) => {
    const value = past[1][row];
    if (typeof value === "number" && time <= issued) last = [time, value];
  });
  if (past[0].length && later[0].length) {
    later[0].unshift(past[0][past[0].length - 1]!);
    later[1].unshift(past[1][past[1].length - 1]!);
  }
  const lines = [...fan(content.forecast, last), later, past, ...content.seconds.map((each) => line(each.series, 0, content.at))];
  const tables = lines.map((each) => each as unknown as uPlot.AlignedData);
  return { columns: uPlot.join(tables), doubted: doubtedOf(content.observed) };
}
