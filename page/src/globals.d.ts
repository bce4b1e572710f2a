import type { Map } from "maplibre-gl";

declare global {
  interface Window {
    /** For tests: the map, and a promise that resolves when everything on it has been drawn. */
    __liuyu?: { map: Map; idle: () => Promise<void> };
  }
}
