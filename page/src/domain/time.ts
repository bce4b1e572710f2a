/** Moments, in seconds UTC inside and in the basin's zone on the screen. */

import type { Language } from "../api/types";

export const HOUR = 3600;
export const DAY = 86400;

export const seconds = (iso: string): number => Math.round(Date.parse(iso) / 1000);
export const iso = (moment: number): string => new Date(moment * 1000).toISOString().replace(".000Z", "Z");

type Shape = "year" | "day" | "dayTime" | "full" | "time" | "short";

const SHAPES: Record<Shape, Intl.DateTimeFormatOptions> = {
  year: { year: "numeric" },
  day: { month: "short", day: "numeric" },
  short: { month: "numeric", day: "numeric" },
  time: { hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  dayTime: { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  full: { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
};

const formats = new Map<string, Intl.DateTimeFormat>();

function format(shape: Shape, language: Language, zone: string): Intl.DateTimeFormat {
  const name = `${shape} ${language} ${zone}`;
  let found = formats.get(name);
  if (!found) {
    found = new Intl.DateTimeFormat(language === "zh" ? "zh-CN" : "en-GB", { ...SHAPES[shape], timeZone: zone });
    formats.set(name, found);
  }
  return found;
}

export function showTime(moment: number, shape: Shape, language: Language, zone: string): string {
  return Number.isFinite(moment) ? format(shape, language, zone).format(moment * 1000) : "—";
}

const walls = new Map<string, Intl.DateTimeFormat>();

/** What a clock on the wall shows in a zone: year, month, day, hour, minute, second. */
function wall(moment: number, zone: string): number[] {
  let clock = walls.get(zone);
  if (!clock) {
    clock = new Intl.DateTimeFormat("en-US", {
      timeZone: zone, hourCycle: "h23",
      year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric",
    });
    walls.set(zone, clock);
  }
  const parts = new Map(clock.formatToParts(moment * 1000).map((part) => [part.type as string, Number(part.value)]));
  return ["year", "month", "day", "hour", "minute", "second"].map((name) => parts.get(name) ?? 0);
}

const days = new Map<string, [number, number]>();

/** Month and day in a zone, for seasons. Asked for every threshold at every moment, so it is remembered by the hour. */
export function monthDay(moment: number, zone: string): [number, number] {
  const name = `${Math.floor(moment / HOUR)} ${zone}`;
  let found = days.get(name);
  if (!found) {
    if (days.size > 500) days.clear();
    const [, month = 1, day = 1] = wall(moment, zone);
    found = [month, day];
    days.set(name, found);
  }
  return found;
}

/** The difference between a zone's wall clock and UTC at a moment [s]. */
export function zoneOffset(moment: number, zone: string): number {
  const [year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0] = wall(moment, zone);
  return Date.UTC(year, month - 1, day, hour, minute, second) / 1000 - Math.floor(moment);
}

/** Midnights of a zone within an interval. */
export function midnights(start: number, end: number, zone: string): number[] {
  const offset = zoneOffset(start, zone);
  const found: number[] = [];
  for (let at = Math.ceil((start + offset) / DAY) * DAY - offset; at <= end; at += DAY) found.push(at);
  return found;
}

/** "UTC+8" */
export function zoneName(moment: number, zone: string): string {
  const hours = zoneOffset(moment, zone) / HOUR;
  return `UTC${hours < 0 ? "−" : "+"}${Math.abs(hours)}`;
}
