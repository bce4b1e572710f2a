/** The twin's server-sent events, with a connection that mends itself and says since when it is broken. */

import { address } from "./client";
import type { ClockState, Columns, TwinEvent } from "./types";

export interface Listener {
  clock: (state: ClockState) => void;
  values: (columns: Columns) => void;
  event: (event: TwinEvent) => void;
  /** Called when the stream opens; after a break the page must fetch anew what it missed. */
  opened: (again: boolean) => void;
  lost: () => void;
}

const LONGEST_WAIT = 15_000;

export function listen(listener: Listener): () => void {
  let source: EventSource | null = null;
  let timer = 0;
  let wait = 1000;
  let before = false;
  let closed = false;

  const open = (): void => {
    source = new EventSource(address("api/stream"));
    source.onopen = () => {
      wait = 1000;
      listener.opened(before);
      before = true;
    };
    source.onerror = () => {
      if (closed) return;
      listener.lost();
      if (source?.readyState !== EventSource.CLOSED) return; // the browser mends it, and asks for what it missed
      timer = window.setTimeout(open, wait);
      wait = Math.min(wait * 2, LONGEST_WAIT);
    };
    source.addEventListener("clock", (message) => listener.clock(JSON.parse(message.data)));
    source.addEventListener("values", (message) => listener.values(JSON.parse(message.data)));
    source.addEventListener("event", (message) => listener.event(JSON.parse(message.data)));
  };
  open();
  return () => {
    closed = true;
    window.clearTimeout(timer);
    source?.close();
  };
}
