/** The hydrograph: observed, forecast with its spread, thresholds, doubted values; a readout follows the pointer. */

import "uplot/dist/uPlot.min.css";

import { useEffect, useMemo, useRef, useState } from "react";
import uPlot from "uplot";

import { useWords } from "../language";
import { measured, unitText } from "../domain/number";
import { DAY, HOUR, showTime } from "../domain/time";
import { useApp } from "../state/app";
import { useZone } from "../state/derived";
import { type Content, QUANTILES, drawn } from "./data";
import { linesOf } from "./marks";
import { type Setting, coloursOf, options } from "./plot";

const MEDIAN = 1 + QUANTILES.indexOf("0.5");
const LATER = QUANTILES.length + 1;
const OBSERVED = QUANTILES.length + 2;

export function Hydrograph({ station, content, days, height = 250 }: { station: string; content: Content; days: number; height?: number }) {
  const { t, language } = useWords();
  const zone = useZone();
  const scene = useApp((state) => state.scene)!;
  const theme = useApp((state) => state.theme);
  const view = useApp((state) => state.view.kind);
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [width, setWidth] = useState(0);
  const [row, setRow] = useState<number | null>(null);
  const data = useMemo(() => drawn(content), [content]);
  const lines = useMemo(() => linesOf(scene, station, content.quantity, content.at), [scene, station, content.quantity, content.at]);
  const horizon = content.forecast?.time[content.forecast.time.length - 1] ?? 0;
  const setting: Omit<Setting, "colours"> = {
    content, data, lines, language, zone,
    span: [content.at - days * DAY, Math.max(horizon, content.at + 12 * HOUR)],
    momentText: view === "past" ? showTime(content.at, "dayTime", language, zone) : t.clock.now,
    issueText: t.station.issuedShort,
    thresholdName: (group) => `${group.map((each) => t.thresholdShort[each.kind] ?? each.kind).join(" · ")} ${measured(group[0]?.value ?? 0, content.unit)}`,
  };
  const shown = useRef(setting);
  shown.current = setting;

  useEffect(() => {
    const watcher = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)));
    if (holder.current) watcher.observe(holder.current);
    return () => watcher.disconnect();
  }, []);

  const form = [content.quantity, ...content.seconds.map((each) => each.quantity), width, height, theme].join(" ");
  useEffect(() => {
    if (!holder.current || width < 80) return;
    const colours = coloursOf(holder.current);
    const made = new uPlot(options(() => ({ ...shown.current, colours }), { width, height }, setRow), shown.current.data.columns, holder.current);
    plot.current = made;
    return () => {
      plot.current = null;
      made.destroy();
    };
  }, [form, width, height]);

  useEffect(() => plot.current?.setData(data.columns), [data, lines, days, language, view]);

  return (
    <figure className="hydrograph" aria-label={t.station.hydrograph}>
      <Readout content={content} columns={data.columns} row={row} />
      <div className="hydrograph-plot" ref={holder} />
      <Key content={content} doubted={data.doubted.length > 0} />
    </figure>
  );
}

function Readout({ content, columns, row }: { content: Content; columns: uPlot.AlignedData; row: number | null }) {
  const { t, language } = useWords();
  const zone = useZone();
  const at = row === null ? null : columns[0][row];
  const value = (column: number): number | null => (row === null ? null : (columns[column]?.[row] ?? null));
  const observed = value(OBSERVED) ?? value(LATER);
  const median = value(MEDIAN);
  const name = t.quantity[content.quantity] ?? content.quantity;
  if (at === null || at === undefined) return <figcaption className="readout"><span className="quiet">{name} {unitText(content.unit)}</span></figcaption>;
  return (
    <figcaption className="readout">
      <span>{showTime(at, "dayTime", language, zone)}</span>
      {observed !== null && <span><i className="swatch swatch-observed" />{measured(observed, content.unit)}</span>}
      {median !== null && (
        <span>
          <i className="swatch swatch-median" />{measured(median, content.unit)}
          <span className="quiet"> {measured(value(MEDIAN + 3) ?? median, content.unit)}–{measured(value(MEDIAN - 3) ?? median, content.unit)}</span>
        </span>
      )}
      {content.seconds.map((each, place) => {
        const second = value(OBSERVED + 1 + place);
        return second === null ? null : <span key={each.quantity}><i className={`swatch swatch-second-${place % 2}`} />{measured(second, each.unit)}</span>;
      })}
    </figcaption>
  );
}

function Key({ content, doubted }: { content: Content; doubted: boolean }) {
  const { t } = useWords();
  return (
    <ul className="key">
      <li><i className="swatch swatch-observed" />{t.station.observedShort}</li>
      {content.forecast && <li><i className="swatch swatch-median" />{t.station.median}</li>}
      {content.forecast && <li><i className="swatch swatch-bands" />{t.station.bands}</li>}
      {content.seconds.map((each, place) => <li key={each.quantity}><i className={`swatch swatch-second-${place % 2}`} />{t.quantity[each.quantity] ?? each.quantity}</li>)}
      {doubted && <li><i className="swatch swatch-suspect" />{t.station.suspect}</li>}
      {doubted && <li><i className="swatch swatch-bad" />{t.station.bad}</li>}
    </ul>
  );
}
