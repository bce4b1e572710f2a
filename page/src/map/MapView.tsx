/** The map: made once, then led by the state. Geometry is fetched once; values change symbols and labels alone. */

import "maplibre-gl/dist/maplibre-gl.css";

import { type GeoJSONSource, Map as MapLibre, type MapMouseEvent, ScaleControl, setWorkerUrl } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import { useEffect, useMemo, useRef, useState } from "react";

import { address, api } from "../api/client";
import type { Scene, TileJson } from "../api/types";
import { useWords, type Words } from "../language";
import { select } from "../state/actions";
import { store, useApp } from "../state/app";
import { useStandings } from "../state/derived";
import { lettersOf } from "./fonts";
import { PIXEL_RATIO, icons } from "./icons";
import { Legend } from "./Legend";
import { MapButtons } from "./MapButtons";
import { palettes } from "./palette";
import { type Box, boxOf, boxOfAreas, grown, namePoints, outsideOf } from "./shapes";
import { features } from "./stations";
import { emptyStyle, layers } from "./style";
import { Tooltip } from "./Tooltip";

setWorkerUrl(new URL(workerUrl, document.baseURI).href);

const HIT = 9;
/** Room around the stations for labels and the legend [px]. */
const room = (): { top: number; right: number; bottom: number; left: number } =>
  innerWidth < 820 ? { top: 30, right: 40, bottom: 44, left: 28 } : { top: 44, right: 84, bottom: 56, left: 64 };

interface Frame {
  home: Box;
  whole: Box;
}

function stationBox(scene: Scene): Box | null {
  return boxOf(scene.stations.flatMap((each) => (each.position ? [each.position] : [])));
}

function drawIcons(map: MapLibre): void {
  for (const [name, image] of icons(palettes[store.get().theme])) {
    if (map.hasImage(name)) map.updateImage(name, image);
    else map.addImage(name, image, { pixelRatio: PIXEL_RATIO });
  }
}

/** Lay every colour and text of the style anew, as theme and language ask. */
function restyle(map: MapLibre): void {
  const { theme, language } = store.get();
  for (const layer of layers(palettes[theme], language, Boolean(map.getSource("terrain")))) {
    if (!map.getLayer(layer.id)) continue;
    for (const [name, value] of Object.entries(layer.paint ?? {})) map.setPaintProperty(layer.id, name as never, value as never);
    const layout = (layer.layout ?? {}) as Record<string, unknown>;
    for (const name of ["text-field", "text-letter-spacing", "text-size"]) {
      if (name in layout && layer.id.endsWith("-names")) map.setLayoutProperty(layer.id, name as never, layout[name] as never);
    }
  }
  drawIcons(map);
}

function set(map: MapLibre, source: string, data: GeoJSON.FeatureCollection): void {
  (map.getSource(source) as GeoJSONSource | undefined)?.setData(data);
}

/** Waits between questions for what the twin is still making, or did not answer for [ms]. */
const PATIENCE = [3000, 6000, 12_000, 24_000, 48_000];

/** Ask until there is an answer and hand it on; later tries do not hold up the caller. */
async function patiently<T>(map: MapLibre, ask: () => Promise<T | null>, then: (answer: T) => void, tries = 0): Promise<void> {
  const answer = await ask().catch(() => null);
  if (map._removed) return;
  const wait = PATIENCE[tries];
  if (answer !== null) then(answer);
  else if (wait) window.setTimeout(() => void patiently(map, ask, then, tries + 1), wait);
}

function addTerrain(map: MapLibre, terrain: TileJson): void {
  map.addSource("terrain", {
    type: "raster-dem", encoding: "terrarium", tileSize: 256,
    tiles: [`${address("tiles/terrain/")}{z}/{x}/{y}.png`],
    minzoom: terrain.minzoom ?? 0, maxzoom: terrain.maxzoom ?? 7,
    ...(terrain.bounds ? { bounds: terrain.bounds as Box } : {}),
  });
  const { theme, language } = store.get();
  for (const layer of layers(palettes[theme], language, true)) {
    if (layer.id === "relief" || layer.id === "hillshade") map.addLayer(layer, "subbasin-lines");
  }
}

function names(collection: GeoJSON.FeatureCollection): string[] {
  return collection.features.flatMap(({ properties }) => [properties?.name, properties?.name_en].filter((each): each is string => typeof each === "string"));
}

/** Fetch the layers that the scene has, in the order in which the eye needs them. */
async function addLayers(map: MapLibre, scene: Scene, framed: (whole: Box) => void): Promise<void> {
  const kinds = new Set(scene.layers.map((each) => each.kind));
  const take = async (kind: string, then: (data: GeoJSON.FeatureCollection) => void): Promise<void> => {
    if (!kinds.has(kind)) return;
    const ask = async (): Promise<GeoJSON.FeatureCollection | null> => {
      const data = await api.layer(kind);
      if (data) await lettersOf(names(data));
      return data;
    };
    await patiently(map, ask, then);
  };
  await Promise.all([
    take("boundary", (data) => {
      set(map, "boundary", data);
      set(map, "outside", outsideOf(data));
      const box = boxOfAreas(data);
      if (box) framed(box);
    }),
    take("rivers", (data) => set(map, "rivers", data)),
    take("lakes", (data) => set(map, "lakes", data)),
    take("subbasins", (data) => {
      set(map, "subbasins", data);
      set(map, "subbasin-points", namePoints(data));
    }),
    take("dams", (data) => set(map, "dams", data)),
    kinds.has("terrain") ? patiently(map, api.terrain, (terrain) => addTerrain(map, terrain)) : undefined,
  ]);
}

export default function MapView() {
  const words = useWords();
  const scene = useApp((state) => state.scene);
  const theme = useApp((state) => state.theme);
  const selected = useApp((state) => state.selected);
  const focus = useApp((state) => state.focus);
  const standings = useStandings();
  const holder = useRef<HTMLDivElement>(null);
  const [map, setMap] = useState<MapLibre | null>(null);
  const [frame, setFrame] = useState<Frame | null>(null);
  const [failed, setFailed] = useState(false);

  useEffect(() => {
    if (!scene || !holder.current) return;
    const box = stationBox(scene);
    const home = box ? grown(box, 0.06) : ([-10, -10, 10, 10] as Box);
    let made: MapLibre;
    try {
      made = new MapLibre({
        container: holder.current,
        style: emptyStyle(palettes[store.get().theme], store.get().language),
        bounds: home, fitBoundsOptions: { padding: room() },
        localIdeographFontFamily: "'IBM Plex Sans Variable', 'Noto Sans SC Variable'",
        attributionControl: false, dragRotate: false, pitchWithRotate: false, touchPitch: false,
        fadeDuration: 0, maxZoom: 11, minZoom: 2, canvasContextAttributes: { antialias: true },
      });
    } catch {
      setFailed(true);
      return;
    }
    made.touchZoomRotate.disableRotation();
    made.keyboard.disable(); // the arrows lead the clock
    made.addControl(new ScaleControl({ maxWidth: 90 }), "bottom-right");
    setFrame({ home, whole: home });
    const ready = new Promise<void>((resolve) => made.once("load", () => resolve()));
    const complete = ready.then(async () => {
      drawIcons(made);
      await lettersOf(scene.stations.flatMap((each) => [each.name, each.name_en]));
      setMap(made);
      await addLayers(made, scene, (whole) => setFrame({ home, whole: grown(whole, 0.02) }));
    });
    window.__liuyu = {
      map: made,
      idle: async () => {
        await complete;
        await new Promise<void>((resolve) => {
          made.once("idle", () => resolve());
          made.triggerRepaint();
        });
      },
    };
    complete.catch((fault: unknown) => console.error(fault));
    return () => {
      setMap(null);
      made.remove();
    };
  }, [scene]);

  useEffect(() => {
    if (map) restyle(map);
  }, [map, theme, words]);

  const whole = useMemo(() => (map && frame ? (map.cameraForBounds(frame.home, { padding: room() })?.zoom ?? 5) : 5), [map, frame]);
  useEffect(() => {
    if (map) set(map, "stations", features(standings, words, selected, whole));
  }, [map, standings, words, selected, whole]);

  useEffect(() => {
    const position = scene?.stations.find((each) => each.code === focus?.code)?.position;
    if (map && position) map.easeTo({ center: position, zoom: Math.max(map.getZoom(), whole + 0.6), duration: calm() ? 0 : 500 });
  }, [map, scene, focus, whole]);

  useEffect(() => (map ? listenTo(map) : undefined), [map]);

  if (failed) return <div className="map map-failed" role="img" aria-label={words.t.map.label}>{words.t.map.noMap}</div>;
  return (
    <div className="map" role="region" aria-label={words.t.map.label}>
      <div className="map-canvas" ref={holder} />
      {map && <Tooltip map={map} />}
      {map && frame && <MapButtons map={map} home={frame.home} whole={frame.whole} />}
      <Legend />
      <p className="map-credit" tabIndex={0}>{scene && creditOf(scene, words)}</p>
    </div>
  );
}

/** Whom the values and each layer of the map are owed to. */
const creditOf = (scene: Scene, words: Words): string =>
  [words.say({ zh: scene.attribution_zh, en: scene.attribution }), ...new Set(scene.layers.map((each) => [each.source, each.licence].filter(Boolean).join(", ")))].filter(Boolean).join(" · ");

const calm = (): boolean => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Clicks choose a station, the pointer names the one below it. */
function listenTo(map: MapLibre): () => void {
  const below = (point: { x: number; y: number }): string | null => {
    const found = map.queryRenderedFeatures([[point.x - HIT, point.y - HIT], [point.x + HIT, point.y + HIT]], { layers: ["stations", "stations-minor"] });
    const nearest = found.sort((a, b) => a.properties.sort - b.properties.sort)[0];
    return nearest ? String(nearest.properties.code) : null;
  };
  const click = (event: MapMouseEvent): void => {
    const code = below(event.point);
    if (code) select(code);
  };
  const move = (event: MapMouseEvent): void => {
    const code = below(event.point);
    map.getCanvas().style.cursor = code ? "pointer" : "";
    if (store.get().hovered !== code) store.set({ hovered: code });
  };
  const leave = (): void => store.set({ hovered: null });
  map.on("click", click);
  map.on("mousemove", move);
  map.on("mouseout", leave);
  return () => {
    map.off("click", click);
    map.off("mousemove", move);
    map.off("mouseout", leave);
  };
}

