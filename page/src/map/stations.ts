/** Stations as map features: symbol by state, label with value and tendency, rank decides what is told first. */

import type { Words } from "../language";
import { measured } from "../domain/number";
import { type Standing, gravity } from "../domain/standing";
import { iconName } from "./icons";

const ARROWS = { rising: "↑", falling: "↓", steady: "→" } as const;

export function reading(standing: Standing): string {
  if (!standing.sample) return "";
  const arrow = standing.trend ? ` ${ARROWS[standing.trend]}` : "";
  return measured(standing.sample.value, standing.unit) + arrow;
}

const urgent = (standing: Standing): boolean => gravity(standing.level) >= gravity("limit");

/** From which zoom on a station is labelled: control stations and those above a line at once, the rest later. */
function labelledFrom(standing: Standing, whole: number): number {
  if (standing.station.rank <= 1 || urgent(standing)) return 0;
  return Math.ceil(whole + (standing.station.rank === 2 ? 0.6 : 1.6));
}

export function features(standings: Standing[], words: Words, selected: string | null, whole: number): GeoJSON.FeatureCollection {
  return {
    type: "FeatureCollection",
    features: standings.flatMap((each): GeoJSON.Feature[] => {
      const { station } = each;
      if (!station.position) return [];
      const chosen = station.code === selected;
      return [{
        type: "Feature",
        geometry: { type: "Point", coordinates: station.position },
        properties: {
          code: station.code,
          name: words.named(station),
          reading: reading(each),
          icon: iconName(station.kind === "RR" ? "pool" : "gauge", each.level),
          chosen,
          major: chosen || station.rank <= 1 || urgent(each),
          sort: chosen ? -100 : station.rank * 10 - gravity(each.level) * 4,
          from: chosen ? 0 : labelledFrom(each, whole),
        },
      }];
    }),
  };
}
