/** A store in twenty lines: one frozen state, replaced on change; components read slices of it. */

import { useSyncExternalStore } from "react";

export interface Store<S> {
  get: () => S;
  set: (change: Partial<S> | ((state: S) => Partial<S>)) => void;
  subscribe: (listener: () => void) => () => void;
}

export function createStore<S extends object>(initial: S): Store<S> {
  let state = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => state,
    set: (change) => {
      const part = typeof change === "function" ? change(state) : change;
      state = { ...state, ...part };
      for (const listener of [...listeners]) listener();
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** A slice of the state; `pick` must return the same object while nothing in it has changed. */
export function useSlice<S extends object, T>(store: Store<S>, pick: (state: S) => T): T {
  return useSyncExternalStore(store.subscribe, () => pick(store.get()));
}
