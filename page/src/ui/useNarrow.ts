import { useSyncExternalStore } from "react";

const query = matchMedia("(max-width: 820px)");

/** True on a phone, where the panels share a sheet. */
export function useNarrow(): boolean {
  return useSyncExternalStore(
    (told) => {
      query.addEventListener("change", told);
      return () => query.removeEventListener("change", told);
    },
    () => query.matches,
  );
}
