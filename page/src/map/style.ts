/** The map's style: terrain, water and borders, all from the twin itself; nothing is fetched from elsewhere. */

import type { ExpressionSpecification, FilterSpecification, LayerSpecification, StyleSpecification } from "maplibre-gl";

import type { Language } from "../api/types";
import type { Palette } from "./palette";

export const EMPTY: GeoJSON.FeatureCollection = { type: "FeatureCollection", features: [] };
/** MapLibre reads the weight out of the first name; the others are the faces that the page brings along. */
export const FACE = ["IBM Plex Sans Variable", "Noto Sans SC Variable"];
export const FACE_STRONG = ["SemiBold", ...FACE];
export const FACE_MEDIUM = ["Medium", ...FACE];

/** A river's order, whatever the layer calls it: 1 is the main river. */
const ORDER: ExpressionSpecification = ["to-number", ["coalesce", ["get", "level"], ["get", "level_rive"], ["get", "order"], ["get", "scalerank"], 3]];
const order = (main: number, second: number, rest: number): ExpressionSpecification => [
  "match", ORDER, [0, 1], main, 2, second, rest,
];

const nameIn = (language: Language): ExpressionSpecification =>
  language === "zh"
    ? ["coalesce", ["get", "name"], ["get", "name_zh"], ""]
    : ["coalesce", ["get", "name_en"], ""];

export function layers(palette: Palette, language: Language, terrain: boolean): LayerSpecification[] {
  const ground: LayerSpecification[] = terrain
    ? [
        {
          id: "relief", type: "color-relief", source: "terrain",
          paint: {
            "color-relief-color": ["interpolate", ["linear"], ["elevation"], ...palette.relief.flat()] as unknown as ExpressionSpecification,
            "color-relief-opacity": 1,
          },
        },
        {
          id: "hillshade", type: "hillshade", source: "terrain",
          paint: {
            "hillshade-method": "standard",
            "hillshade-exaggeration": palette.shade.strength,
            "hillshade-shadow-color": palette.shade.shadow,
            "hillshade-highlight-color": palette.shade.highlight,
            "hillshade-accent-color": palette.shade.accent,
          },
        },
      ]
    : [];
  return [
    { id: "land", type: "background", paint: { "background-color": palette.land } },
    ...ground,
    {
      id: "subbasin-lines", type: "line", source: "subbasins",
      paint: { "line-color": palette.subbasin, "line-width": ["interpolate", ["linear"], ["zoom"], 4, 0.5, 9, 1], "line-dasharray": [3, 2.5], "line-opacity": 0.75 },
    },
    { id: "lakes", type: "fill", source: "lakes", paint: { "fill-color": palette.water } },
    { id: "lake-shores", type: "line", source: "lakes", paint: { "line-color": palette.river, "line-width": 0.5, "line-opacity": 0.7 } },
    {
      id: "rivers", type: "line", source: "rivers",
      layout: { "line-cap": "round", "line-join": "round" },
      paint: {
        "line-color": palette.river,
        "line-width": [
          "interpolate", ["exponential", 1.4], ["zoom"],
          3, order(1, 0.45, 0.15), 6, order(2.4, 1.15, 0.45), 10, order(4.6, 2.6, 1.4),
        ] as unknown as ExpressionSpecification,
        "line-opacity": ["interpolate", ["linear"], ["zoom"], 3.5, order(1, 0.8, 0.25), 6.5, order(1, 1, 0.8)] as unknown as ExpressionSpecification,
      },
    },
    { id: "outside", type: "fill", source: "outside", paint: { "fill-color": palette.outside, "fill-antialias": false } },
    {
      id: "boundary", type: "line", source: "boundary",
      layout: { "line-join": "round" },
      paint: { "line-color": palette.boundary, "line-width": ["interpolate", ["linear"], ["zoom"], 3, 0.8, 8, 1.6], "line-opacity": 0.85 },
    },
    {
      id: "dams", type: "symbol", source: "dams", minzoom: 5.4,
      filter: [">=", ["to-number", ["coalesce", ["get", "capacity_mw"], 1000]], ["step", ["zoom"], 1000, 7, 250, 8, 0]],
      layout: { "icon-image": "dam", "icon-allow-overlap": false, "icon-size": ["interpolate", ["linear"], ["zoom"], 5.6, 0.75, 9, 1.1] },
      paint: { "icon-opacity": 0.8 },
    },
    {
      id: "subbasin-names", type: "symbol", source: "subbasin-points", maxzoom: 8,
      layout: {
        "text-field": nameIn(language), "text-font": FACE_MEDIUM, "text-size": language === "zh" ? 12 : 11,
        "text-letter-spacing": language === "zh" ? 0.28 : 0.08, "text-max-width": language === "zh" ? 18 : 9, "text-padding": 8,
      },
      paint: { "text-color": palette.placeText, "text-opacity": 0.85, "text-halo-color": palette.halo, "text-halo-width": 0.8 },
    },
    {
      id: "river-names", type: "symbol", source: "rivers", minzoom: 4.4, filter: ["<=", ORDER, 2],
      layout: {
        "symbol-placement": "line", "symbol-spacing": 420, "text-field": nameIn(language), "text-font": FACE_MEDIUM,
        "text-size": order(13, 11.5, 11) as unknown as ExpressionSpecification, "text-letter-spacing": language === "zh" ? 0.35 : 0.06,
        "text-max-angle": 32, "text-offset": [0, 0.9], "text-padding": 30, "symbol-sort-key": ORDER,
      },
      paint: { "text-color": palette.riverText, "text-halo-color": palette.halo, "text-halo-width": 1 },
    },
    {
      id: "lake-names", type: "symbol", source: "lakes", minzoom: 4.6,
      filter: [">", ["to-number", ["coalesce", ["get", "area_km2"], 100]], 400],
      layout: { "text-field": nameIn(language), "text-font": FACE_MEDIUM, "text-size": 11, "text-letter-spacing": 0.1, "text-max-width": 6 },
      paint: { "text-color": palette.riverText, "text-halo-color": palette.halo, "text-halo-width": 1 },
    },
    ...stationLayers(palette),
  ];
}

/** Where a label may stand about its symbol, the best place first, at a distance in ems from its middle. */
function anchors(away: number): (string | [number, number])[] {
  const low = away + 0.75; // text hangs from its baseline, so above and below need more
  const side = away * 0.72;
  return [
    "left", [away, 0], "right", [-away, 0], "top", [0, low], "bottom", [0, -low],
    "top-left", [side, low - 0.4], "bottom-left", [side, 0.4 - low], "top-right", [-side, low - 0.4], "bottom-right", [-side, 0.4 - low],
  ];
}

/** Labels lie below the major symbols in the list, so that these are placed first and labels make way for them. */
function stationLayers(palette: Palette): LayerSpecification[] {
  const text = {
    "text-field": ["format", ["get", "name"], { "font-scale": 1 }, "\n", {}, ["get", "reading"], { "text-font": ["literal", FACE_STRONG], "font-scale": 1.04 }],
    "text-font": FACE_MEDIUM,
    "text-size": ["interpolate", ["linear"], ["zoom"], 4, 11.5, 8, 13],
    "text-line-height": 1.18,
    "text-variable-anchor-offset": ["case", ["get", "chosen"], ["literal", anchors(1.5)], ["literal", anchors(0.95)]],
    "text-justify": "auto",
    "text-padding": 1.5,
    "text-max-width": 12,
    "symbol-sort-key": ["get", "sort"],
  };
  const minor = ["!", ["get", "major"]] as unknown as FilterSpecification;
  const icon = {
    "icon-image": ["get", "icon"],
    "icon-size": ["interpolate", ["linear"], ["zoom"], 3.5, 0.8, 6, 1, 9, 1.25],
    "icon-allow-overlap": true, "icon-padding": 0, "symbol-sort-key": ["-", 0, ["get", "sort"]],
  };
  return [
    { id: "stations-minor", type: "symbol", source: "stations", filter: minor, layout: { ...icon, "icon-ignore-placement": true } as never },
    {
      id: "station-ring", type: "circle", source: "stations", filter: ["get", "chosen"],
      paint: { "circle-radius": 13, "circle-color": "rgba(0,0,0,0)", "circle-stroke-color": palette.ink, "circle-stroke-width": 1.8 },
    },
    {
      id: "station-labels", type: "symbol", source: "stations",
      filter: [">=", ["zoom"], ["get", "from"]],
      layout: text as never,
      paint: { "text-color": palette.ink, "text-halo-color": palette.halo, "text-halo-width": 1.6, "text-halo-blur": 0.3 },
    },
    { id: "stations", type: "symbol", source: "stations", filter: ["get", "major"], layout: icon as never },
  ];
}

export function emptyStyle(palette: Palette, language: Language): StyleSpecification {
  const source = { type: "geojson" as const, data: EMPTY, tolerance: 0.1 }; // the twin has thinned them already
  return {
    version: 8,
    sources: {
      subbasins: source, "subbasin-points": source, lakes: source, rivers: source, outside: source,
      boundary: source, dams: source, stations: { ...source, promoteId: "code" },
    },
    layers: layers(palette, language, false),
    transition: { duration: 0, delay: 0 },
  };
}
