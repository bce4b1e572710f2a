/** The whole period as one strip: hydrograph, alerts, numbered floods, forecast issues, the present and the cursor. */

import { type KeyboardEvent, type PointerEvent, useEffect, useMemo, useRef, useState } from "react";

import type { Severity, Station } from "../api/types";
import { useWords } from "../language";
import { DAY, HOUR, midnights, seconds, showTime } from "../domain/time";
import { lookAt, lookNow, step } from "../state/actions";
import { useApp } from "../state/app";
import { useMoment, useZone } from "../state/derived";
import { type Scale, pathOf, toTime, toX } from "./scale";
import { BIN, type Bar, useMarks, useOverview } from "./useTrack";

const HEIGHT = 64;
const CURVE: [number, number] = [16, 46];
const AXIS = 47;
const NONE: Station[] = [];
const ORDER: Severity[] = ["blue", "yellow", "orange", "red"];

export function Track() {
  const { t, language } = useWords();
  const zone = useZone();
  const clock = useApp((state) => state.clock)!;
  const view = useApp((state) => state.view);
  const horizon = useApp((state) => state.run?.body.horizon_h ?? 168);
  const issued = useApp((state) => state.run?.body.issued ?? "");
  const moment = useMoment();
  const holder = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(600);
  const [pointed, setPointed] = useState<number | null>(null);
  const dragging = useRef(false);
  useEffect(() => {
    const watcher = new ResizeObserver(([entry]) => setWidth(Math.max(120, entry?.contentRect.width ?? 600)));
    if (holder.current) watcher.observe(holder.current);
    return () => watcher.disconnect();
  }, []);

  const now = seconds(clock.now);
  const scale = useMemo<Scale>(
    () => ({ start: seconds(clock.start), end: seconds(clock.end) + horizon * HOUR, width }),
    [clock.start, clock.end, horizon, width],
  );
  const ahead = issued ? Math.max(now, Math.min(seconds(issued) + horizon * HOUR, scale.end)) : now;

  const timeOf = (event: PointerEvent): number => toTime(scale, event.clientX - (holder.current?.getBoundingClientRect().left ?? 0));
  const seek = (at: number): void => (Math.abs(toX(scale, at) - toX(scale, now)) < 5 ? lookNow() : lookAt(Math.min(at, ahead)));
  const keys = (event: KeyboardEvent): void => {
    const moves: Record<string, () => void> = {
      ArrowLeft: () => step(event.shiftKey ? -6 : -1), ArrowRight: () => step(event.shiftKey ? 6 : 1),
      PageUp: () => step(-24), PageDown: () => step(24), Home: () => lookAt(scale.start), End: lookNow,
    };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    event.stopPropagation();
    move();
  };
  return (
    <div
      ref={holder} className={`track track-${view.kind}`} role="slider" tabIndex={0} aria-label={t.clock.scrub}
      aria-valuemin={scale.start} aria-valuemax={scale.end} aria-valuenow={moment} aria-valuetext={showTime(moment, "full", language, zone)}
      onKeyDown={keys}
      onPointerDown={(event) => {
        if (event.button) return;
        dragging.current = true;
        event.currentTarget.setPointerCapture(event.pointerId);
        seek(timeOf(event));
      }}
      onPointerMove={(event) => {
        const at = timeOf(event);
        setPointed(at);
        if (dragging.current) seek(at);
      }}
      onPointerUp={() => { dragging.current = false; }}
      onPointerCancel={() => { dragging.current = false; }}
      onPointerLeave={() => setPointed(null)}
    >
      <svg width={width} height={HEIGHT} aria-hidden="true">
        <defs>
          <pattern id="unknown-time" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0 0v5" className="hatch" /></pattern>
        </defs>
        <rect className="track-ahead" x={toX(scale, now)} y={CURVE[0] - 4} width={Math.max(0, toX(scale, ahead) - toX(scale, now))} height={AXIS - CURVE[0] + 4} />
        <rect x={toX(scale, ahead)} y={CURVE[0] - 4} width={Math.max(0, width - toX(scale, ahead))} height={AXIS - CURVE[0] + 4} fill="url(#unknown-time)" />
        <Marks scale={scale} />
        <Days scale={scale} zone={zone} />
        <line className="track-now" x1={toX(scale, now)} x2={toX(scale, now)} y1={8} y2={AXIS} />
        <path className="track-now-head" d={`M${toX(scale, now) - 4.5} 4h9l-4.5 6.5z`} />
        {view.kind !== "live" && (
          <g className="track-cursor" transform={`translate(${toX(scale, view.at)} 0)`}>
            <line y1={6} y2={AXIS + 2} /><circle cy={AXIS + 2} r={4.5} />
          </g>
        )}
        {pointed !== null && <line className="track-pointed" x1={toX(scale, pointed)} x2={toX(scale, pointed)} y1={10} y2={AXIS} />}
      </svg>
      {pointed !== null && (
        <output className="track-tip" style={{ left: Math.min(Math.max(toX(scale, pointed), 46), width - 46) }}>{showTime(pointed, "dayTime", language, zone)}</output>
      )}
    </div>
  );
}

function Days({ scale, zone }: { scale: Scale; zone: string }) {
  const { language } = useWords();
  const days = useMemo(() => midnights(scale.start, scale.end, zone), [scale.start, scale.end, zone]);
  const every = [1, 2, 3, 5, 7, 10, 14, 30, 60, 90].find((count) => (days.length / count) * (language === "zh" ? 38 : 46) <= scale.width) ?? 180;
  return (
    <g className="track-days">
      <line x1={0} x2={scale.width} y1={AXIS} y2={AXIS} />
      {days.map((day, row) => (
        <g key={day} transform={`translate(${toX(scale, day)} 0)`}>
          {(every <= 7 || row % every === 0) && <line y1={AXIS} y2={AXIS + (row % every ? 2.5 : 5)} />}
          {row % every === 0 && toX(scale, day) < scale.width - 14 && <text y={AXIS + 15} x={3}>{showTime(day + DAY / 2, language === "zh" ? "short" : "day", language, zone)}</text>}
        </g>
      ))}
    </g>
  );
}

function Marks({ scale }: { scale: Scale }) {
  const { t, language, named } = useWords();
  const stations = useApp((state) => state.scene?.stations ?? NONE);
  const { bars, floods, issues } = useMarks();
  const overview = useOverview();
  const most = Math.max(4, ...bars.map((bar) => ORDER.reduce((sum, each) => sum + bar.counts[each], 0)));
  const curve = overview && overview.time.length ? pathOf(scale, overview.time, overview.value, overview.low, overview.high, CURVE[0], CURVE[1] - 3) : "";
  const whose = stations.find((each) => each.code === overview?.station);
  const last = overview?.time[overview.time.length - 1];
  const first = overview?.time[0];
  return (
    <>
      {curve && first !== undefined && last !== undefined && <path className="track-area" d={`${curve}L${toX(scale, last)} ${AXIS}L${toX(scale, first)} ${AXIS}Z`} />}
      {curve && <path className="track-curve" d={curve} />}
      {curve && overview && whose && <text className="track-whose" y={10}>{scale.width < 500 ? named(whose) : `${named(whose)} ${t.quantity[overview.quantity] ?? overview.quantity}`}</text>}
      {bars.map((bar) => <Alerts key={bar.time} bar={bar} scale={scale} most={most} />)}
      {issues.map((at) => <line key={at} className="track-issue" x1={toX(scale, at)} x2={toX(scale, at)} y1={AXIS} y2={AXIS + 3} />)}
      {floods.map((flood) => (
        <g key={flood.id} className="track-flood" transform={`translate(${toX(scale, seconds(flood.body.time))} 0)`}>
          <title>{`${language === "zh" ? flood.body.name : flood.body.name_en}`}</title>
          <line y1={12} y2={AXIS} />
          <path d="M0 2h17l-3.5 5 3.5 5H0z" />
          <text x={3.5} y={10.4}>{t.floods.number(flood.body.number).replace(/\D/g, "")}</text>
        </g>
      ))}
    </>
  );
}

/** Alerts of six hours as one stacked bar that stands on the axis. */
function Alerts({ bar, scale, most }: { bar: Bar; scale: Scale; most: number }) {
  const x = Math.max(0, toX(scale, bar.time));
  const width = Math.max(2, toX(scale, bar.time + BIN) - x - 1);
  const total = ORDER.reduce((sum, each) => sum + bar.counts[each], 0);
  const whole = 24 * Math.sqrt(total / most); // the root, so that one alert is seen beside twenty
  let bottom = AXIS;
  return (
    <g>
      {ORDER.map((severity) => {
        const height = (bar.counts[severity] / total) * whole;
        if (!height) return null;
        bottom -= height;
        return <rect key={severity} className={`fill-${severity}`} x={x} width={width} y={bottom} height={Math.max(1, height - 0.5)} />;
      })}
    </g>
  );
}
