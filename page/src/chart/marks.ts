/** What is drawn on the hydrograph beside its lines: thresholds, the present, doubted values, earlier forecasts. */

import type uPlot from "uplot";

import type { ForecastIssue } from "../api/types";
import type { Compared } from "./data";
import { inSeason, thresholdsOf } from "../domain/standing";
import type { Scene, Threshold } from "../api/types";
import type { Doubted } from "./data";
import type { Colours } from "./plot";

const FONT = '"IBM Plex Sans Variable", "Noto Sans SC Variable", sans-serif';
const ratio = (): number => devicePixelRatio || 1;

export function linesOf(scene: Scene, station: string, quantity: string, at: number): Threshold[] {
  return thresholdsOf(scene, station)
    .filter((each) => each.quantity === quantity && inSeason(each, at, scene.time_zone))
    .sort((a, b) => a.value - b.value);
}

/** Thresholds of one value share a line and a label; the gravest gives the colour. */
function grouped(lines: Threshold[]): Threshold[][] {
  const groups = new Map<number, Threshold[]>();
  for (const each of lines) groups.set(each.value, [...(groups.get(each.value) ?? []), each]);
  return [...groups.values()];
}

const GRAVITY = ["historical_maximum", "guarantee", "warning", "flood_limit"];
const gravest = (group: Threshold[]): string => GRAVITY.find((kind) => group.some((each) => each.kind === kind)) ?? group[0]!.kind;

export function drawThresholds(plot: uPlot, lines: Threshold[], name: (group: Threshold[]) => string, colours: Colours): void {
  const { ctx: pen, bbox } = plot;
  const p = ratio();
  pen.save();
  pen.font = `500 ${10.5 * p}px ${FONT}`;
  pen.textAlign = "left";
  pen.textBaseline = "bottom";
  let above = Number.POSITIVE_INFINITY;
  for (const group of grouped(lines)) {
    const y = plot.valToPos(group[0]!.value, "y", true);
    if (y < bbox.top - 1 || y > bbox.top + bbox.height + 1) continue;
    const kind = gravest(group);
    pen.strokeStyle = colours.threshold(kind);
    pen.lineWidth = 1.5 * p;
    pen.setLineDash(kind === "flood_number" ? [1.5 * p, 3 * p] : []);
    pen.beginPath();
    pen.moveTo(bbox.left, y);
    pen.lineTo(bbox.left + bbox.width, y);
    pen.stroke();
    pen.setLineDash([]);
    if (above - y < 13 * p) continue;
    above = y;
    const text = name(group);
    pen.fillStyle = colours.panel;
    pen.globalAlpha = 0.82;
    pen.fillRect(bbox.left + 3 * p, y - 13.5 * p, pen.measureText(text).width + 8 * p, 12.5 * p);
    pen.globalAlpha = 1;
    pen.fillStyle = colours.ink;
    pen.fillText(text, bbox.left + 7 * p, y - 1.5 * p);
  }
  pen.restore();
}

export function drawMoment(plot: uPlot, at: number, text: string, colours: Colours): void {
  const { ctx: pen, bbox } = plot;
  const p = ratio();
  const x = plot.valToPos(at, "x", true);
  if (x < bbox.left || x > bbox.left + bbox.width) return;
  pen.save();
  pen.setLineDash([]);
  pen.strokeStyle = colours.ink;
  pen.lineWidth = p;
  pen.beginPath();
  pen.moveTo(x, bbox.top);
  pen.lineTo(x, bbox.top + bbox.height);
  pen.stroke();
  pen.font = `600 ${10 * p}px ${FONT}`;
  const width = pen.measureText(text).width + 8 * p;
  const left = Math.min(x, bbox.left + bbox.width - width);
  pen.fillStyle = colours.ink;
  pen.fillRect(left, bbox.top, width, 14 * p);
  pen.fillStyle = colours.panel;
  pen.textAlign = "left";
  pen.textBaseline = "middle";
  pen.fillText(text, left + 4 * p, bbox.top + 7.5 * p);
  pen.restore();
}

/** Doubted values hollow; those outside the frame are held at its edge, so that none goes unseen. */
export function drawDoubted(plot: uPlot, doubted: Doubted[], colours: Colours): void {
  const { ctx: pen, bbox } = plot;
  const p = ratio();
  pen.save();
  pen.setLineDash([]);
  pen.lineWidth = 1.4 * p;
  for (const each of doubted) {
    const x = plot.valToPos(each.time, "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    const y = Math.min(Math.max(plot.valToPos(each.value, "y", true), bbox.top + 4 * p), bbox.top + bbox.height - 4 * p);
    pen.strokeStyle = each.flag === 4 ? colours.bad : colours.quiet;
    pen.fillStyle = colours.panel;
    pen.beginPath();
    pen.arc(x, y, 2.8 * p, 0, Math.PI * 2);
    pen.fill();
    pen.stroke();
    if (each.flag === 4) {
      pen.beginPath();
      pen.moveTo(x - 2 * p, y - 2 * p);
      pen.lineTo(x + 2 * p, y + 2 * p);
      pen.stroke();
    }
  }
  pen.restore();
}

export function drawIssues(plot: uPlot, issues: ForecastIssue[], colours: Colours): void {
  const { ctx: pen, bbox } = plot;
  const p = ratio();
  pen.save();
  pen.beginPath();
  pen.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  pen.clip();
  pen.setLineDash([]);
  pen.strokeStyle = colours.quiet;
  pen.lineWidth = p;
  pen.globalAlpha = 0.5;
  for (const issue of issues) {
    pen.beginPath();
    issue.time.forEach((time, row) => {
      const x = plot.valToPos(time, "x", true);
      const y = plot.valToPos(issue.median[row] ?? Number.NaN, "y", true);
      if (row) pen.lineTo(x, y);
      else pen.moveTo(x, y);
    });
    pen.stroke();
  }
  pen.restore();
}

const DASHES = [[2, 3], [7, 3], [7, 3, 2, 3]];

/** Persistence and other models beside the fan, each with its name at its end. */
export function drawCompared(plot: uPlot, compared: Compared[], colours: Colours): void {
  const { ctx: pen, bbox } = plot;
  const p = ratio();
  pen.save();
  pen.beginPath();
  pen.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  pen.clip();
  pen.strokeStyle = colours.ink;
  pen.fillStyle = colours.quiet;
  pen.lineWidth = 1.3 * p;
  pen.font = `500 ${10 * p}px ${FONT}`;
  pen.textAlign = "right";
  pen.textBaseline = "bottom";
  compared.forEach((course, place) => {
    pen.setLineDash((DASHES[place % DASHES.length] ?? []).map((each) => each * p));
    pen.beginPath();
    course.time.forEach((time, row) => {
      const x = plot.valToPos(time, "x", true);
      const y = plot.valToPos(course.value[row] ?? Number.NaN, "y", true);
      if (row) pen.lineTo(x, y);
      else pen.moveTo(x, y);
    });
    pen.stroke();
    const end = course.time.length - 1;
    pen.fillText(course.name, Math.min(plot.valToPos(course.time[end] ?? 0, "x", true), bbox.left + bbox.width) - 4 * p, plot.valToPos(course.value[end] ?? 0, "y", true) - 2 * p);
  });
  pen.restore();
}
