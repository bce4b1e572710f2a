/** Colours of the map. Land and water stay quiet: strong colour is kept for the state of a station. */

import type { Level } from "../domain/standing";
import type { Theme } from "../state/app";

export interface Palette {
  land: string;
  outside: string;
  water: string;
  river: string;
  riverText: string;
  boundary: string;
  subbasin: string;
  placeText: string;
  ink: string;
  faint: string;
  halo: string;
  outline: string;
  shade: { shadow: string; highlight: string; accent: string; strength: number };
  relief: [number, string][];
  level: Record<Level, string>;
}

const light: Palette = {
  land: "#eef0ec",
  outside: "rgba(247,248,246,0.78)",
  water: "#c3d3da",
  river: "#86a5b4",
  riverText: "#587786",
  boundary: "#5d6b69",
  subbasin: "#9aa5a2",
  placeText: "#77837f",
  ink: "#131d1e",
  faint: "#8b9694",
  halo: "rgba(250,251,249,0.92)",
  outline: "#131d1e",
  shade: { shadow: "#5f6a66", highlight: "#ffffff", accent: "#7c8783", strength: 0.34 },
  relief: [
    [0, "#e9ede8"], [60, "#edefe9"], [300, "#f0f0ea"], [800, "#eeece4"], [1800, "#e8e4da"], [3200, "#e2ddd3"], [4600, "#e9e7e2"], [5800, "#f6f6f5"],
  ],
  level: {
    record: "#d2222d", guarantee: "#ee7410", warning: "#f4c20d", limit: "#f4c20d", near: "#2f74d8",
    normal: "#fdfdfc", unrated: "#9aa6a3", suspect: "#fdfdfc", nodata: "#fdfdfc",
  },
};

const dark: Palette = {
  land: "#12191b",
  outside: "rgba(10,14,15,0.72)",
  water: "#263e4a",
  river: "#47697a",
  riverText: "#7c9dad",
  boundary: "#8a9a98",
  subbasin: "#4a5856",
  placeText: "#7d8b88",
  ink: "#eef3f1",
  faint: "#71807e",
  halo: "rgba(11,16,17,0.9)",
  outline: "#05090a",
  shade: { shadow: "#000000", highlight: "#5d6f6c", accent: "#0d1415", strength: 0.42 },
  relief: [
    [0, "#141d1f"], [60, "#152021"], [300, "#182323"], [800, "#1c2625"], [1800, "#222a28"], [3200, "#292f2d"], [4600, "#333937"], [5800, "#474d4b"],
  ],
  level: {
    record: "#ff4b55", guarantee: "#ff8c38", warning: "#ffd43a", limit: "#ffd43a", near: "#5a9bff",
    normal: "#151d1f", unrated: "#6b7a77", suspect: "#151d1f", nodata: "#151d1f",
  },
};

export const palettes: Record<Theme, Palette> = { light, dark };
