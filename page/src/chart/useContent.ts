/** Fetches what a hydrograph needs, and keeps it growing while the twin's time goes on. */

import { useEffect, useState } from "react";

import { api } from "../api/client";
import type { SeriesColumns } from "../api/types";
import { key } from "../domain/table";
import { DAY, HOUR, iso, seconds } from "../domain/time";
import { store, useApp } from "../state/app";
import { momentOf } from "../state/derived";
import type { Content } from "./data";

export interface Wanted {
  station: string;
  quantity: string;
  unit: string;
  others: { quantity: string; unit: string }[];
  days: number;
  earlier: boolean;
  /** The issue to show [s UTC], or null for the newest. */
  issue: number | null;
}

const EMPTY: SeriesColumns = { time: [], value: [], flag: [] };
const GRAIN = 6 * HOUR;

async function fetchContent(wanted: Wanted, at: number, now: number, signal: AbortSignal): Promise<Content> {
  const { station, quantity } = wanted;
  const from = iso(at - wanted.days * DAY);
  const until = iso(Math.min(now, at + 10 * DAY) + 1);
  const when = at < now ? iso(at) : undefined;
  const read = (name: string): Promise<SeriesColumns> => api.series(station, name, from, until, signal).catch((fault) => {
    if (signal.aborted) throw fault;
    return EMPTY;
  });
  const [observed, forecast, issues, ...seconds] = await Promise.all([
    read(quantity),
    api.forecast(station, quantity, wanted.issue === null ? when : iso(wanted.issue), signal),
    wanted.earlier ? api.forecasts(station, quantity, from, iso(at + 1), signal) : null,
    ...wanted.others.map((each) => read(each.quantity)),
  ]);
  return {
    quantity, unit: wanted.unit, at, now, observed, forecast, issues: issues ?? [],
    seconds: wanted.others.map((each, row) => ({ ...each, series: seconds[row] ?? EMPTY })),
  };
}

/** New values of the stream are laid at the end of what was fetched. */
function grownBy(content: Content, station: string): Content {
  const { scene, live, clock } = store.get();
  const place = scene?.stations.findIndex((each) => each.code === station) ?? -1;
  if (!scene || !live || !clock || place < 0) return content;
  const numbers = new Map(scene.quantities.map((each) => [each.name, each.number]));
  const grow = (quantity: string, series: SeriesColumns): SeriesColumns => {
    const sample = live.values.get(key(place, numbers.get(quantity) ?? 0));
    if (!sample || sample.time <= (series.time[series.time.length - 1] ?? 0)) return series;
    return { time: [...series.time, sample.time], value: [...series.value, sample.value], flag: [...series.flag, sample.flag] };
  };
  const now = seconds(clock.now);
  return {
    ...content, at: now, now,
    observed: grow(content.quantity, content.observed),
    seconds: content.seconds.map((each) => ({ ...each, series: grow(each.quantity, each.series) })),
  };
}

export function useContent(wanted: Wanted): Content | null {
  const live = useApp((state) => state.view.kind !== "past");
  const at = useApp((state) => (state.view.kind === "past" ? momentOf(state) : seconds(state.clock?.now ?? "1970-01-01")));
  const run = useApp((state) => state.run?.body.issued ?? "");
  const values = useApp((state) => (state.view.kind === "past" ? null : state.live?.values));
  const { station, quantity, unit, days, earlier, issue } = wanted;
  const others = wanted.others.map((each) => `${each.quantity}|${each.unit}`).join(" ");
  const [content, setContent] = useState<Content | null>(null);
  const grain = live ? Math.floor(at / GRAIN) : at;

  useEffect(() => {
    const mine = new AbortController();
    const now = seconds(store.get().clock?.now ?? "1970-01-01");
    const ask: Wanted = {
      station, quantity, unit, days, earlier, issue,
      others: others ? others.split(" ").map((each) => ({ quantity: each.split("|")[0]!, unit: each.split("|")[1]! })) : [],
    };
    const timer = window.setTimeout(() => {
      fetchContent(ask, live ? now : grain, now, mine.signal).then(setContent).catch(() => undefined);
    }, 60);
    return () => {
      window.clearTimeout(timer);
      mine.abort();
    };
  }, [station, quantity, unit, others, days, earlier, issue, live, grain, run]);

  useEffect(() => {
    if (values) setContent((kept) => (kept ? grownBy(kept, station) : kept));
  }, [values, station]);
  return content && content.quantity === quantity ? content : null;
}
