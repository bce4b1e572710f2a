/** What the pointer points at: name, state, value and the margin to the nearest line. */

import type { Map as MapLibre } from "maplibre-gl";
import { useEffect, useState } from "react";

import { useWords } from "../language";
import { measured, unitText } from "../domain/number";
import { showTime } from "../domain/time";
import { useApp } from "../state/app";
import { useStanding, useZone } from "../state/derived";
import { LevelMark } from "../ui/LevelMark";
import { MarginText, leadingMargin } from "../ui/MarginText";

export function Tooltip({ map }: { map: MapLibre }) {
  const { t, language, named } = useWords();
  const zone = useZone();
  const standing = useStanding(useApp((state) => state.hovered));
  const position = standing?.station.position ?? null;
  const [, moved] = useState(0);
  useEffect(() => {
    const again = (): void => moved((count) => count + 1);
    map.on("move", again);
    return () => void map.off("move", again);
  }, [map]);
  if (!standing || !position) return null;
  const { x, y } = map.project(position);
  const margin = leadingMargin(standing);
  const right = x > map.getCanvas().clientWidth - 240;
  const below = y < 130;
  return (
    <div className={`tip ${right ? "tip-right" : ""} ${below ? "tip-below" : ""}`} style={{ left: x, top: y }} role="tooltip">
      <div className="tip-head"><LevelMark level={standing.level} pool={standing.station.kind === "RR"} /><b>{named(standing.station)}</b></div>
      {standing.sample && (
        <div className="tip-value">
          <span className="figure">{measured(standing.sample.value, standing.unit)}</span> <span className="unit">{unitText(standing.unit)}</span>
          {standing.trend && <span className="quiet"> {t.trend[standing.trend]}</span>}
        </div>
      )}
      <div className="tip-line">{margin ? <MarginText margin={margin} unit={standing.unit} /> : t.levelLong[standing.level]}</div>
      {standing.sample && <div className="tip-line quiet">{showTime(standing.sample.time, "dayTime", language, zone)}</div>}
    </div>
  );
}
