/** How a station stands: its leading value, the lines it is held against, and the one state that the map shows. */

import type { Board, Scene, Severity, Station, Threshold } from "../api/types";
import { type Sample, type Table, key } from "./table";
import { HOUR, monthDay } from "./time";

/** From quiet to grave; the order decides which states are counted, sorted and drawn on top. */
export const LEVELS = ["nodata", "suspect", "unrated", "normal", "near", "limit", "warning", "guarantee", "record"] as const;
export type Level = (typeof LEVELS)[number];
export const gravity = (level: Level): number => LEVELS.indexOf(level);

export interface Margin {
  threshold: Threshold;
  /** value - threshold, positive when the line is passed on its dangerous side. */
  margin: number;
}

export interface Standing {
  station: Station;
  place: number;
  quantity: string;
  unit: string;
  sample: Sample | null;
  level: Level;
  margins: Margin[];
  /** Change an hour over the last six [unit/h]; null where unknown. */
  rate: number | null;
  trend: "rising" | "falling" | "steady" | null;
  doubted: boolean;
  foretold: boolean;
}

const LEADING = ["water_level", "discharge", "reservoir_inflow", "reservoir_outflow", "rainfall"];
const FLOOD_KINDS: Record<string, Level> = {
  flood_limit: "limit", warning: "warning", guarantee: "guarantee", historical_maximum: "record",
};
const STALE = 12 * HOUR;
/** Changes an hour below this say nothing [unit/h]: a centimetre an hour, or half a percent of the flow. */
const STEADY_LEVEL = 0.005;
const STEADY_FLOW = 0.003;

export function inSeason(threshold: Threshold, at: number, zone: string): boolean {
  if (!threshold.season) return true;
  const [month, day] = monthDay(at, zone);
  const here = month * 100 + day;
  const start = threshold.season.start[0] * 100 + threshold.season.start[1];
  const end = threshold.season.end[0] * 100 + threshold.season.end[1];
  return start <= end ? here >= start && here <= end : here >= start || here <= end;
}

const indexes = new WeakMap<Scene, Map<string, Threshold[]>>();

export function thresholdsOf(scene: Scene, station: string): Threshold[] {
  let index = indexes.get(scene);
  if (!index) {
    index = new Map();
    for (const each of scene.thresholds) {
      const group = index.get(each.station);
      if (group) group.push(each);
      else index.set(each.station, [each]);
    }
    indexes.set(scene, index);
  }
  return index.get(station) ?? [];
}

/** The quantity by which a station is known: the first it reports that has a line to be held against. */
export function leading(scene: Scene, station: Station): string {
  const lined = new Set(thresholdsOf(scene, station.code).map((each) => each.quantity));
  const reported = LEADING.filter((each) => station.quantities.includes(each));
  return reported.find((each) => lined.has(each)) ?? reported[0] ?? station.quantities[0] ?? "water_level";
}

export function marginsOf(scene: Scene, station: string, quantity: string, value: number | null, at: number): Margin[] {
  return thresholdsOf(scene, station)
    .filter((each) => each.quantity === quantity && inSeason(each, at, scene.time_zone))
    .map((threshold) => ({
      threshold,
      margin: value === null ? Number.NaN : threshold.side === "below" ? threshold.value - value : value - threshold.value,
    }))
    .sort((a, b) => b.threshold.value - a.threshold.value);
}

function levelOf(margins: Margin[], sample: Sample | null, stale: boolean, doubted: boolean, near: boolean): Level {
  if (!sample || stale) return doubted ? "suspect" : "nodata";
  if (doubted) return "suspect";
  const rated = margins.filter((each) => each.threshold.kind in FLOOD_KINDS);
  let found: Level = rated.length ? "normal" : "unrated";
  for (const each of rated) {
    const level = FLOOD_KINDS[each.threshold.kind]!;
    if (each.margin >= 0 && gravity(level) > gravity(found)) found = level;
  }
  return near && gravity(found) < gravity("near") ? "near" : found;
}

function tendency(sample: Sample | null, before: Sample | undefined, unit: string): Pick<Standing, "rate" | "trend"> {
  if (!sample || !before || sample.time - before.time < HOUR / 2) return { rate: null, trend: null };
  const rate = (sample.value - before.value) / ((sample.time - before.time) / HOUR);
  const still = unit === "m" ? STEADY_LEVEL : Math.max(1, Math.abs(sample.value) * STEADY_FLOW);
  return { rate, trend: Math.abs(rate) < still ? "steady" : rate > 0 ? "rising" : "falling" };
}

export interface Sources {
  scene: Scene;
  values: Table;
  earlier: Table;
  board: Board | null;
  at: number;
  foretold: boolean;
}

export function standingsOf({ scene, values, earlier, board, at, foretold }: Sources): Standing[] {
  const units = new Map(scene.quantities.map((each) => [each.name, each]));
  const doubted = new Set(board?.quality.filter((each) => each.state === "doubted").map((each) => `${each.body.station} ${each.body.quantity}`));
  const near = new Set(
    board?.alerts
      .filter((each) => each.state !== "cleared" && each.body.severity === "blue" && each.body.threshold === "warning")
      .map((each) => each.subject),
  );
  return scene.stations.map((station, place) => {
    const quantity = leading(scene, station);
    const known = units.get(quantity);
    const where = key(place, known?.number ?? 0);
    const sample = values.get(where) ?? null;
    const margins = marginsOf(scene, station.code, quantity, sample?.value ?? null, at);
    const stale = !foretold && sample !== null && at - sample.time > Math.max(STALE, station.interval * 4);
    const suspicious = !foretold && doubted.has(`${station.code} ${quantity}`);
    return {
      station, place, quantity, margins,
      unit: known?.unit ?? "",
      sample: stale ? null : sample,
      level: levelOf(margins, sample, stale, suspicious, !foretold && near.has(station.code)),
      ...tendency(stale ? null : sample, earlier.get(where), known?.unit ?? ""),
      doubted: suspicious,
      foretold,
    };
  });
}

export const SEVERITY_LEVEL: Record<Severity, Level> = { blue: "near", yellow: "warning", orange: "guarantee", red: "record" };

/** The colour of a threshold's line, where it has one. */
export const SEVERE_KINDS: Record<string, Severity> = {
  warning: "yellow", flood_limit: "yellow", drought_warning: "yellow", guarantee: "orange", historical_maximum: "red",
};
