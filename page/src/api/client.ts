/** Every call that the page makes to the twin. Addresses are relative, so that the page may live under any path. */

import type {
  Board,
  ClockState,
  Columns,
  ForecastIssue,
  ForecastView,
  Letter,
  ModelScore,
  RollupColumns,
  Scene,
  Season,
  SeriesColumns,
  StationOrder,
  Tally,
  TileJson,
  TwinEvent,
  User,
} from "./types";

/** A call that the twin refused, in its own words. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly cure: string,
  ) {
    super(message);
  }
}

type Query = Record<string, string | number | boolean | undefined>;

export function address(path: string, query: Query = {}): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  const text = new URLSearchParams(pairs.map(([key, value]) => [key, String(value)])).toString();
  return new URL(path + (text ? `?${text}` : ""), document.baseURI).href;
}

async function call<T>(path: string, options: { query?: Query; signal?: AbortSignal; send?: unknown; method?: string } = {}): Promise<T> {
  const answer = await fetch(address(path, options.query), {
    method: options.method ?? (options.send === undefined ? "GET" : "POST"),
    headers: options.send === undefined ? { Accept: "application/json" } : { "Content-Type": "application/json" },
    body: options.send === undefined ? undefined : JSON.stringify(options.send),
    signal: options.signal,
    credentials: "same-origin",
  });
  const text = await answer.text();
  const body: unknown = text && /json/.test(answer.headers.get("content-type") ?? "") ? JSON.parse(text) : null;
  if (!answer.ok) {
    const fault = (body ?? {}) as { error?: string; detail?: string; cure?: string };
    throw new Refused(answer.status, fault.error ?? fault.detail ?? answer.statusText, fault.cure ?? "");
  }
  return body as T;
}

/** The answer, or null where there is none (404). */
async function maybe<T>(promise: Promise<T>): Promise<T | null> {
  try {
    return await promise;
  } catch (fault) {
    if (fault instanceof Refused && fault.status === 404) return null;
    throw fault;
  }
}

const one = encodeURIComponent;

export const api = {
  scene: () => call<Scene>("api/basin"),
  layer: (kind: string, signal?: AbortSignal) =>
    maybe(call<GeoJSON.FeatureCollection>(`api/layers/${one(kind)}`, { signal })),
  terrain: () => maybe(call<TileJson>("tiles/terrain.json")),
  clock: () => call<ClockState>("api/clock"),
  setClock: (change: { phase?: string; speed?: number; run_to?: string }) => call<ClockState>("api/clock", { send: change }),
  values: (at?: string, signal?: AbortSignal) => call<Columns>("api/values", { query: { at }, signal }),
  board: (at?: string, signal?: AbortSignal) => call<Board>("api/board", { query: { at }, signal }),
  series: (station: string, quantity: string, start: string, end: string, signal?: AbortSignal) =>
    call<SeriesColumns>(`api/series/${one(station)}/${one(quantity)}`, { query: { start, end }, signal }),
  rollup: (station: string, quantity: string, start: string, end: string, step: number, signal?: AbortSignal) =>
    call<RollupColumns>(`api/series/${one(station)}/${one(quantity)}`, { query: { start, end, step }, signal }),
  forecast: (station: string, quantity: string, at?: string, signal?: AbortSignal) =>
    maybe(call<ForecastView>(`api/forecast/${one(station)}/${one(quantity)}`, { query: { at }, signal })),
  tally: (station: string, at?: string, signal?: AbortSignal) =>
    maybe(call<Tally[]>("api/notices/tally", { query: { station, at }, signal })),
  forecasts: (station: string, quantity: string, start: string, end: string, signal?: AbortSignal) =>
    maybe(call<ForecastIssue[]>(`api/forecasts/${one(station)}/${one(quantity)}`, { query: { start, end }, signal })),
  scores: (station: string, quantity: string, start: string, end: string, signal?: AbortSignal) =>
    maybe(call<ModelScore[]>(`api/forecasts/${one(station)}/${one(quantity)}/scores`, { query: { start, end }, signal })),
  statistics: (station: string, quantity: string, at?: string, signal?: AbortSignal) =>
    maybe(call<Season>(`api/statistics/${one(station)}/${one(quantity)}`, { query: { at }, signal })),
  events: (query: Query, signal?: AbortSignal) => call<TwinEvent[]>("api/events", { query, signal }),
  acknowledge: (alert: string, note: string) => call<TwinEvent>(`api/alerts/${one(alert)}/acknowledge`, { send: { note } }),
  updateTask: (task: string, state: string, note: string) => call<TwinEvent>(`api/tasks/${one(task)}`, { send: { state, note } }),
  decide: (proposal: string, accept: boolean, note: string) =>
    call<TwinEvent>(`api/proposals/${one(proposal)}/decision`, { send: { accept, note } }),
  decideResponse: (response: string, approve: boolean, note: string) =>
    call<TwinEvent>(`api/responses/${one(response)}/decision`, { send: { approve, note } }),
  signDispatch: (dispatch: string, note: string) => call<unknown>(`api/dispatches/${one(dispatch)}/sign`, { send: { note } }),
  noteReceipt: (dispatch: string, recipient: string, what: string) =>
    call<unknown>(`api/dispatches/${one(dispatch)}/receipt`, { send: { recipient, what } }),
  rehearse: (plan: { name: string; releases: Record<string, number[]>; inflow_factor: number }) =>
    call<TwinEvent>("api/rehearsals", { send: plan }),
  /** Null where the twin takes nothing in. */
  letters: (signal?: AbortSignal) => maybe(call<Letter[]>("api/letters", { query: { limit: 100 }, signal })),
  /** Null where the twin listens to no stations. */
  orders: (station: string, signal?: AbortSignal) => maybe(call<StationOrder[]>("api/orders", { query: { station, limit: 8 }, signal })),
  order: (station: string, order: string) => call<StationOrder>(`api/stations/${one(station)}/orders`, { send: { order } }),
  session: () => call<User | null>("api/session"),
  signIn: (proof: { token: string } | { name: string; password: string }) => call<User>("api/session", { send: proof }),
  signOut: () => call<null>("api/session", { method: "DELETE" }),
  report: (kind: "html" | "pdf" | "docx", language: string, at?: string) => address(`api/report.${kind}`, { language, at }),
  bulletin: (kind: "html" | "pdf" | "docx", language: string, at?: string, station?: string, of?: "forecast" | "daily" | "flood") =>
    address(`api/bulletin.${kind}`, { language, at, station, kind: of }),
  cap: (id: string) => address(`api/cap/${one(id)}.xml`),
};
