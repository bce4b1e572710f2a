/** What the page knows. Actions that change it are in `actions.ts`, what follows from it in `derived.ts`. */

import type { Board, ClockState, ForecastBody, ForecastView, Language, Scene, TwinEvent, User } from "../api/types";
import type { Table } from "../domain/table";
import { createStore, useSlice } from "./create";

export type Theme = "light" | "dark";
export type Tab = "situation" | "response" | "rehearse" | "stations";
/** On a phone the station has a tab of its own. */
export type Sheet = Tab | "station";

/** The twin at a moment, all of it: newest values, those of six hours before, and the board. */
export interface Picture {
  values: Table;
  earlier: Table;
  board: Board;
}

/** Where the reader looks: at the present, back at the past, or ahead along the forecast. `at` in seconds UTC. */
export type View = { kind: "live" } | { kind: "past" | "future"; at: number; picture: Picture | null };

export interface State {
  scene: Scene | null;
  fault: string;
  clock: ClockState | null;
  live: Picture | null;
  view: View;
  run: TwinEvent<ForecastBody> | null;
  forecasts: { issued: string; of: Map<string, ForecastView> } | null;
  session: User | null;
  signingIn: boolean;
  lostSince: number | null;
  selected: string | null;
  hovered: string | null;
  /** A station that the map should bring into sight, with a number that grows at every wish. */
  focus: { code: string; wish: number } | null;
  tab: Tab;
  sheet: Sheet;
  /** On a phone: the sheet drawn up over the map. */
  tall: boolean;
  filter: string | null;
  notice: { text: string; tone: "good" | "bad"; wish: number } | null;
  language: Language;
  theme: Theme;
}

const STORED_LANGUAGE = "liuyu.language";
const STORED_THEME = "liuyu.theme";

function remembered(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // storage may be forbidden; the page then starts as the browser asks
  }
}

export function remember(key: "language" | "theme", value: string): void {
  try {
    localStorage.setItem(key === "language" ? STORED_LANGUAGE : STORED_THEME, value);
  } catch {
    // not remembered, still shown
  }
}

function firstLanguage(): Language {
  const kept = remembered(STORED_LANGUAGE);
  if (kept === "zh" || kept === "en") return kept;
  return /^zh/i.test(navigator.language) ? "zh" : "en";
}

function firstTheme(): Theme {
  const kept = remembered(STORED_THEME);
  if (kept === "light" || kept === "dark") return kept;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

export const hasThemeChoice = (): boolean => remembered(STORED_THEME) !== null;

export const store = createStore<State>({
  scene: null,
  fault: "",
  clock: null,
  live: null,
  view: { kind: "live" },
  run: null,
  forecasts: null,
  session: null,
  signingIn: false,
  lostSince: null,
  selected: null,
  hovered: null,
  focus: null,
  tab: "situation",
  sheet: "situation",
  tall: false,
  filter: null,
  notice: null,
  language: firstLanguage(),
  theme: firstTheme(),
});

export function useApp<T>(pick: (state: State) => T): T {
  return useSlice(store, pick);
}
