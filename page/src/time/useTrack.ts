/** What is marked along the track: alerts by day part, numbered floods, forecast issues, and a hydrograph behind them. */

import { useEffect, useState } from "react";

import { api } from "../api/client";
import type { AlertBody, FloodBody, Severity, TwinEvent } from "../api/types";
import { HOUR, iso, seconds } from "../domain/time";
import { store, useApp } from "../state/app";
import { leadingStation, standings } from "../state/derived";

export interface Bar {
  time: number;
  counts: Record<Severity, number>;
}

export interface Marks {
  bars: Bar[];
  floods: TwinEvent<FloodBody>[];
  issues: number[];
}

export const BIN = 6 * HOUR;
const NOTHING: Marks = { bars: [], floods: [], issues: [] };

/** Alerts that were raised or grew graver, gathered in steps of six hours. */
function barsOf(events: TwinEvent<AlertBody>[]): Bar[] {
  const bars = new Map<number, Bar>();
  for (const event of events) {
    if (event.state !== "raised" && event.state !== "changed") continue;
    const time = Math.floor(seconds(event.time) / BIN) * BIN;
    let bar = bars.get(time);
    if (!bar) bars.set(time, (bar = { time, counts: { blue: 0, yellow: 0, orange: 0, red: 0 } }));
    bar.counts[event.body.severity]++;
  }
  return [...bars.values()].sort((a, b) => a.time - b.time);
}

export function useMarks(): Marks {
  const start = useApp((state) => state.clock?.start ?? "");
  const tick = useApp((state) => (state.clock ? Math.floor(seconds(state.clock.now) / BIN) : 0));
  const shelf = useApp((state) => state.live?.board.floods);
  const [marks, setMarks] = useState<Marks>(NOTHING);
  useEffect(() => {
    if (!start) return;
    const mine = new AbortController();
    api.events({ kinds: "alert,numbered_flood,forecast", start }, mine.signal)
      .then((events) => {
        const of = <B>(kind: string): TwinEvent<B>[] => events.filter((each) => each.kind === kind) as unknown as TwinEvent<B>[];
        setMarks({
          bars: barsOf(of<AlertBody>("alert")),
          floods: of<FloodBody>("numbered_flood"),
          issues: [...new Set(of("forecast").map((each) => seconds(each.time)))],
        });
      })
      .catch(() => undefined);
    return () => mine.abort();
  }, [start, tick, shelf]);
  return marks;
}

export interface Overview {
  station: string;
  quantity: string;
  time: number[];
  value: (number | null)[];
  low: number;
  high: number;
}

/** The hydrograph behind the track: of the chosen station, else of the one that leads the basin. */
export function useOverview(): Overview | null {
  const start = useApp((state) => state.clock?.start ?? "");
  const tick = useApp((state) => (state.clock ? Math.floor(seconds(state.clock.now) / (3 * HOUR)) : 0));
  const selected = useApp((state) => state.selected);
  const ready = useApp((state) => state.live !== null);
  const [overview, setOverview] = useState<Overview | null>(null);
  useEffect(() => {
    const state = store.get();
    if (!start || !ready || !state.clock) return;
    const all = standings(state);
    const standing = all.find((each) => each.station.code === selected && each.sample) ?? leadingStation(all);
    if (!standing) return;
    const mine = new AbortController();
    const { station, quantity } = standing;
    api.rollup(station.code, quantity, start, iso(seconds(state.clock.now) + 1), HOUR, mine.signal)
      .then(({ time, mean }) => {
        const known = mean.filter((each) => Number.isFinite(each) && each !== null);
        setOverview({ station: station.code, quantity, time, value: mean, low: Math.min(...known), high: Math.max(...known) });
      })
      .catch(() => undefined);
    return () => mine.abort();
  }, [start, tick, selected, ready]);
  return overview;
}
