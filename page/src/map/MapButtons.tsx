import type { Map as MapLibre } from "maplibre-gl";

import { useWords } from "../language";
import { Icon } from "../ui/Icon";
import type { Box } from "./shapes";

export function MapButtons({ map, home, whole }: { map: MapLibre; home: Box; whole: Box }) {
  const { t } = useWords();
  const fit = (): void => {
    const seen = map.getBounds();
    const all = seen.getWest() <= whole[0] + 0.5 && seen.getEast() >= whole[2] - 0.5;
    map.fitBounds(all ? home : whole, { padding: 28, duration: 400 });
  };
  return (
    <div className="map-buttons">
      <button type="button" aria-label={t.map.zoomIn} title={t.map.zoomIn} onClick={() => map.zoomIn()}><Icon name="plus" /></button>
      <button type="button" aria-label={t.map.zoomOut} title={t.map.zoomOut} onClick={() => map.zoomOut()}><Icon name="minus" /></button>
      <button type="button" aria-label={t.map.whole} title={t.map.whole} onClick={fit}><Icon name="frame" /></button>
    </div>
  );
}
