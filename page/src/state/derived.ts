/** What follows from the state: the moment in view, its picture, and how each station stands. */

import { useMemo } from "react";

import type { Board, Scene } from "../api/types";
import { type Standing, gravity, standingsOf } from "../domain/standing";
import { seconds } from "../domain/time";
import { type Picture, type State, store, useApp } from "./app";

/** The moment that the page shows [s UTC]. */
export function momentOf(state: State): number {
  if (state.view.kind !== "live") return state.view.at;
  return state.clock ? seconds(state.clock.now) : 0;
}

export function pictureOf(state: State): Picture | null {
  return state.view.kind === "live" ? state.live : (state.view.picture ?? state.live);
}

let memo: { scene: Scene; picture: Picture; at: number; kind: string; standings: Standing[] } | null = null;
const NONE: Standing[] = [];

/** Every station's standing at the moment in view, in roster order; computed once per change. */
export function standings(state: State): Standing[] {
  const picture = pictureOf(state);
  if (!state.scene || !picture) return NONE;
  const at = momentOf(state);
  const kind = state.view.kind;
  if (memo && memo.scene === state.scene && memo.picture === picture && memo.at === at && memo.kind === kind) return memo.standings;
  const found = standingsOf({
    scene: state.scene, values: picture.values, earlier: picture.earlier, board: picture.board, at, foretold: kind === "future",
  });
  memo = { scene: state.scene, picture, at, kind, standings: found };
  return found;
}

export const useStandings = (): Standing[] => useApp(standings);
export const useBoard = (): Board | null => useApp((state) => pictureOf(state)?.board ?? null);
export const useMoment = (): number => useApp(momentOf);

/** The moment up to which things have happened: the one in view, but never later than the present. */
export const useRecordMoment = (): number =>
  useApp((state) => (state.view.kind === "future" && state.clock ? seconds(state.clock.now) : momentOf(state)));

export function useStanding(code: string | null): Standing | null {
  const all = useStandings();
  return useMemo(() => all.find((each) => each.station.code === code) ?? null, [all, code]);
}

/** True for those who may change something. */
export const useMayWrite = (): boolean =>
  useApp((state) => state.session !== null && state.session.role !== "viewer");

/** The gravest station, told first where one must be chosen. */
export function leadingStation(all: Standing[]): Standing | null {
  const ranked = all
    .filter((each) => each.sample)
    .sort((a, b) => a.station.rank - b.station.rank || gravity(b.level) - gravity(a.level) || b.margins.length - a.margins.length);
  return ranked[0] ?? null;
}

export const zoneOf = (): string => store.get().scene?.time_zone ?? "UTC";
export const useZone = (): string => useApp((state) => state.scene?.time_zone ?? "UTC");
