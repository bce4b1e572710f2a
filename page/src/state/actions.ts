/** Everything that changes what the page knows: loading, following the stream, looking elsewhere in time, signing in. */

import { Refused, api } from "../api/client";
import { listen } from "../api/stream";
import type { Board, ClockState, Columns, ForecastBody, Language, TwinEvent } from "../api/types";
import { merged, tableOf } from "../domain/table";
import { DAY, HOUR, iso, seconds } from "../domain/time";
import { dictionary } from "../language";
import { type Picture, type Sheet, type Tab, type Theme, remember, store } from "./app";
import { foretell } from "./foretell";

/** How far back the tendency looks. */
export const BACK = 6 * HOUR;
const { get, set } = store;

export async function load(): Promise<void> {
  set({ fault: "" });
  try {
    const [scene, clock, session] = await Promise.all([api.scene(), api.clock(), api.session().catch(() => null)]);
    set({ scene, clock, session });
    await refresh();
  } catch (fault) {
    set({ fault: fault instanceof Error ? fault.message : String(fault) });
  }
}

async function pictureAt(at: number, present: boolean, signal?: AbortSignal): Promise<Picture> {
  const when = present ? undefined : iso(at);
  const [values, earlier, board] = await Promise.all([
    api.values(when, signal), api.values(iso(at - BACK), signal), api.board(when, signal),
  ]);
  return { values: tableOf(values), earlier: tableOf(earlier), board };
}

/** Fetch the present anew: at the start, and after every break of the stream. */
export async function refresh(): Promise<void> {
  const clock = await api.clock();
  const [live, runs] = await Promise.all([
    pictureAt(seconds(clock.now), true),
    api.events({ kinds: "forecast", newest_first: true, limit: 1 }).catch(() => []),
  ]);
  set({ clock, live, run: (runs[0] as TwinEvent<ForecastBody> | undefined) ?? null });
}

let earlierDue = 0;
let earlierBusy = false;

/** The values of six hours ago move on with the clock; asked for once an hour of twin time, one request at a time. */
async function moveEarlier(now: number): Promise<void> {
  if (earlierBusy || Math.abs(now - earlierDue) < HOUR) return;
  earlierBusy = true;
  earlierDue = now;
  try {
    const earlier = tableOf(await api.values(iso(now - BACK)));
    set(({ live }) => (live ? { live: { ...live, earlier } } : {}));
  } catch {
    earlierDue = 0;
  } finally {
    earlierBusy = false;
  }
}

function takeClock(clock: ClockState): void {
  const before = get().clock;
  if (before && seconds(clock.now) < seconds(before.now) - HOUR) void refresh();
  set({ clock });
  void moveEarlier(seconds(clock.now));
}

function takeValues(columns: Columns): void {
  set(({ live }) => (live ? { live: { ...live, values: merged(live.values, columns) } } : {}));
}

const SHELVES: Record<string, keyof Board> = {
  alert: "alerts", notice: "notices", numbered_flood: "floods", incident: "incidents", task: "tasks", response: "responses", dispatch: "dispatches",
  rehearsal: "rehearsals", proposal: "proposals", report: "reports", quality: "quality", source: "sources",
};

/** A board on which an event has taken the place of the older one of its id. */
export function pinned(board: Board, event: TwinEvent): Board {
  const shelf = SHELVES[event.kind];
  if (!shelf) return board;
  const others = (board[shelf] as unknown as TwinEvent[]).filter((each) => each.id !== event.id);
  return { ...board, [shelf]: [event, ...others] };
}

export function takeEvent(event: TwinEvent): void {
  if (event.kind === "forecast") set({ run: event as unknown as TwinEvent<ForecastBody> });
  set(({ live }) => (live ? { live: { ...live, board: pinned(live.board, event) } } : {}));
}

/** Follow the stream until the returned function is called. */
export function follow(): () => void {
  return listen({
    clock: takeClock,
    values: takeValues,
    event: takeEvent,
    opened: (again) => {
      set({ lostSince: null });
      if (again) {
        void refresh().catch(() => undefined);
        tell(dictionary(get().language).connection.restored, "good");
      }
    },
    lost: () => {
      if (get().lostSince === null) set({ lostSince: Date.now() });
    },
  });
}

let asked: AbortController | null = null;
let timer = 0;

/** Look at another moment; within a few minutes of now means the present. Drags are gathered to one request at a time. */
export function lookAt(at: number): void {
  const { clock, view } = get();
  if (!clock) return;
  const now = seconds(clock.now);
  const grain = seconds(clock.end) - seconds(clock.start) > 4 * DAY ? HOUR : HOUR / 6;
  const moment = Math.round(at / grain) * grain;
  if (Math.abs(moment - now) < HOUR / 4) return lookNow();
  const kind = moment < now ? "past" : "future";
  const kept = view.kind === kind ? view.picture : null;
  set({ view: { kind, at: moment, picture: kept } });
  window.clearTimeout(timer);
  timer = window.setTimeout(() => void fetchView(moment, kind), kept ? 90 : 0);
}

async function fetchView(at: number, kind: "past" | "future"): Promise<void> {
  asked?.abort();
  const mine = new AbortController();
  asked = mine;
  try {
    const picture = kind === "past" ? await pictureAt(at, false, mine.signal) : await foretell(at);
    const { view } = get();
    if (view.kind === kind && view.at === at) set({ view: { kind, at, picture } });
  } catch (fault) {
    if (!mine.signal.aborted) tell(fault instanceof Error ? fault.message : String(fault), "bad");
  }
}

export function lookNow(): void {
  window.clearTimeout(timer);
  asked?.abort();
  if (get().view.kind !== "live") set({ view: { kind: "live" } });
}

export function step(hours: number): void {
  const { view, clock } = get();
  if (!clock) return;
  const here = view.kind === "live" ? seconds(clock.now) : view.at;
  lookAt(Math.max(seconds(clock.start), here + hours * HOUR));
}

export async function changeClock(change: { phase?: string; speed?: number; run_to?: string }): Promise<void> {
  await attempt(async () => set({ clock: await api.setClock(change) }));
}

/** Run something that the twin may refuse; a refusal is told in the twin's own words, with its cure. */
export async function attempt(action: () => Promise<unknown>, done = ""): Promise<boolean> {
  try {
    await action();
    if (done) tell(done, "good");
    return true;
  } catch (fault) {
    const refused = fault instanceof Refused;
    if (refused && fault.status === 401) set({ session: null, signingIn: true });
    tell(refused ? [fault.message, fault.cure].filter(Boolean).join("; ") : String(fault), "bad");
    return false;
  }
}

/** Take an event that a call returned into the board at once, without waiting for the stream. */
export const attemptEvent = (call: () => Promise<TwinEvent>, done: string): Promise<boolean> =>
  attempt(async () => takeEvent(await call()), done);

let wish = 0;

export function tell(text: string, tone: "good" | "bad"): void {
  set({ notice: { text, tone, wish: ++wish } });
}

export function select(code: string | null, focus = false): void {
  set({
    selected: code,
    ...(code ? { sheet: "station" as Sheet } : { sheet: get().tab }),
    ...(code && focus ? { focus: { code, wish: ++wish } } : {}),
  });
}

export const openTab = (tab: Tab): void => set({ tab, sheet: tab });

export function speak(language: Language): void {
  remember("language", language);
  set({ language });
}

export function light(theme: Theme, chosen = true): void {
  if (chosen) remember("theme", theme);
  set({ theme });
}

/** Sign in by the one-time token of the address, which is then taken out of it. */
export async function signInByAddress(): Promise<void> {
  const here = new URL(location.href);
  const token = here.searchParams.get("token");
  if (!token) return;
  here.searchParams.delete("token");
  history.replaceState(null, "", here);
  try {
    const session = await api.signIn({ token });
    set({ session });
    tell(dictionary(get().language).session.welcome(session.name), "good");
  } catch {
    const session = await api.session().catch(() => null);
    set({ session });
    if (!session) tell(dictionary(get().language).session.refusedToken, "bad");
  }
}
