/** How a hydrograph looks: ink for what was measured, greys for the forecast, colour for the lines it is held against. */

import uPlot from "uplot";

import { measured } from "../domain/number";
import { midnights, showTime } from "../domain/time";
import type { Language, Threshold } from "../api/types";
import type { Content, Drawn } from "./data";
import { QUANTILES } from "./data";
import { drawCompared, drawDoubted, drawIssues, drawMoment, drawThresholds } from "./marks";

export interface Colours {
  ink: string;
  quiet: string;
  faint: string;
  grid: string;
  panel: string;
  bad: string;
  bands: [string, string, string];
  median: string;
  second: [string, string];
  threshold: (kind: string) => string;
}

export function coloursOf(element: HTMLElement): Colours {
  const style = getComputedStyle(element);
  const of = (name: string): string => style.getPropertyValue(name).trim();
  const thresholds: Record<string, string> = {
    warning: of("--yellow"), guarantee: of("--orange"), historical_maximum: of("--red"), flood_limit: of("--yellow"),
    drought_warning: of("--yellow"),
  };
  return {
    ink: of("--ink"), quiet: of("--ink-2"), faint: of("--ink-3"), grid: of("--line"), panel: of("--panel"), bad: of("--red"),
    bands: [of("--band-90"), of("--band-80"), of("--band-50")], median: of("--median"), second: [of("--second"), of("--second-b")],
    threshold: (kind) => thresholds[kind] ?? of("--ink-3"),
  };
}

const FONT = '11px "IBM Plex Sans Variable", "Noto Sans SC Variable", sans-serif';

/** The range of all lines, opened to the thresholds that are within reach of it. */
function levelRange(drawnData: Drawn, lines: Threshold[], count: number): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let column = 1; column <= count; column++) {
    for (const value of drawnData.columns[column] ?? []) {
      if (value === null || value === undefined) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  if (low > high) return [0, 1];
  const reach = Math.max((high - low) * 0.55, high > 1000 ? 500 : 0.4);
  for (const each of lines) {
    if (each.value > high && each.value - high <= reach) high = Math.max(high, each.value);
    if (each.value < low && low - each.value <= reach) low = Math.min(low, each.value);
  }
  const room = Math.max((high - low) * 0.08, high > 1000 ? 50 : 0.05);
  return [low - room * 0.6, high + room * 1.6];
}

/** What a plot shows at this moment; the plot asks for it whenever it draws, so new values need no new plot. */
export interface Setting {
  content: Content;
  data: Drawn;
  lines: Threshold[];
  colours: Colours;
  span: [number, number];
  language: Language;
  zone: string;
  momentText: string;
  issueText: string;
  thresholdName: (group: Threshold[]) => string;
}

/** Days under the axis where there is room for them; fewer where there is not. */
function dayTicks(span: [number, number], width: number, zone: string): number[] {
  const days = midnights(span[0], span[1], zone);
  const every = [1, 2, 3, 5, 7, 10, 14, 30, 60].find((count) => (days.length / count) * 46 <= width) ?? 60;
  return days.filter((_, row) => row % every === 0);
}

const quantile = (name: string, colours: Colours): uPlot.Series =>
  name === "0.5"
    ? { label: name, stroke: colours.median, width: 1.6, dash: [5, 3], points: { show: false }, spanGaps: false }
    : { label: name, stroke: "transparent", width: 0, points: { show: false } };

function series(content: Content, colours: Colours): uPlot.Series[] {
  const line = { points: { show: false }, spanGaps: false };
  return [
    {},
    ...QUANTILES.map((name) => quantile(name, colours)),
    { ...line, label: "later", stroke: colours.faint, width: 1.2, dash: [2, 3] },
    { ...line, label: "observed", stroke: colours.ink, width: 1.9 },
    ...content.seconds.map((each, row) => ({
      ...line, label: each.quantity, scale: "second", stroke: colours.second[row % 2]!, width: 1.2, dash: row % 2 ? [6, 3] : [],
    })),
  ];
}

function axes(current: () => Setting, width: number): uPlot.Axis[] {
  const { content, colours } = current();
  const axis = { stroke: colours.quiet, font: FONT, ticks: { show: false }, grid: { stroke: colours.grid, width: 1 }, gap: 4 };
  const days: uPlot.Axis = {
    ...axis, size: 24,
    splits: () => dayTicks(current().span, width - 90, current().zone),
    values: (_plot, splits) => splits.map((at) => showTime(at, "day", current().language, current().zone)),
  };
  const values: uPlot.Axis = { ...axis, size: content.unit === "m" ? 46 : 56, values: (_plot, splits) => splits.map((value) => short(value, content.unit, splits)) };
  const second: uPlot.Axis = { ...axis, scale: "second", side: 1, size: 56, grid: { show: false }, stroke: colours.faint, values: (_plot, splits) => splits.map((value) => short(value, "m3/s", splits)) };
  return content.seconds.length ? [days, values, second] : [days, values];
}

export function options(current: () => Setting, size: { width: number; height: number }, pointed: (row: number | null) => void): uPlot.Options {
  const { content, colours } = current();
  return {
    ...size,
    padding: [8, content.seconds.length ? 4 : 12, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    scales: {
      x: { time: true, range: () => current().span },
      y: { range: () => levelRange(current().data, current().lines, QUANTILES.length + 2) },
      second: { range: (_plot, low, high) => [low - (high - low) * 0.05, high + (high - low) * 0.25 || 1] },
    },
    axes: axes(current, size.width),
    series: series(content, colours),
    bands: [
      { series: [1, 7], fill: colours.bands[0] },
      { series: [2, 6], fill: colours.bands[1] },
      { series: [3, 5], fill: colours.bands[2] },
    ],
    hooks: {
      drawAxes: [(plot) => drawThresholds(plot, current().lines, current().thresholdName, colours)],
      draw: [
        (plot) => {
          const now = current();
          drawIssues(plot, now.content.issues, colours);
          drawCompared(plot, now.content.compared ?? [], colours);
          drawDoubted(plot, now.data.doubted, colours);
          if (now.content.marked) drawMoment(plot, now.content.marked, now.issueText, colours);
          drawMoment(plot, now.content.at, now.momentText, colours);
        },
      ],
      setCursor: [(plot) => pointed(plot.cursor.idx ?? null)],
    },
  };
}

function short(value: number, unit: string, splits: number[]): string {
  if (unit !== "m") return measured(value, unit).replace(/\.0$/, "");
  const step = splits.length > 1 ? Math.abs(splits[1]! - splits[0]!) : 1;
  return value.toFixed(Math.abs(step * 10 - Math.round(step * 10)) > 1e-6 ? 2 : step < 1 ? 1 : 0);
}
