/** The time control: play, speed and run-to-end on the left, the track of the whole period on the right. */

import { useWords } from "../language";
import { HOUR, seconds, showTime, zoneName } from "../domain/time";
import { changeClock, lookNow } from "../state/actions";
import { useApp } from "../state/app";
import { useMayWrite, useMoment, useZone } from "../state/derived";
import { Icon } from "../ui/Icon";
import { Segmented } from "../ui/controls";
import { Track } from "./Track";

/** Twin seconds in a second of ours. */
const SPEEDS = [
  { value: 600, amount: 10, unit: "minute" },
  { value: 3600, amount: 1, unit: "hour" },
  { value: 21600, amount: 6, unit: "hour" },
  { value: 86400, amount: 1, unit: "day" },
] as const;

export function Timeline() {
  const { t } = useWords();
  const clock = useApp((state) => state.clock);
  const may = useMayWrite();
  if (!clock) return <footer className="time" aria-label={t.clock.label} />;
  const running = clock.phase === "running";
  const hint = may ? "" : t.clock.needsSignIn;
  return (
    <footer className="time" aria-label={t.clock.label}>
      <div className="time-controls">
        <button
          type="button" className="play" disabled={!may || clock.phase === "ended"} onClick={() => void changeClock({ phase: running ? "paused" : "running" })}
          aria-label={running ? t.clock.pause : t.clock.play} title={hint || (running ? t.clock.pause : t.clock.play)} aria-pressed={running}
        >
          <Icon name={running ? "pause" : "play"} size={20} />
        </button>
        <span className="speed" title={hint}>
          <span className="quiet">{t.clock.everySecond}</span>
          <Segmented
            label={t.clock.speed} value={clock.speed} disabled={!may} onChange={(speed) => void changeClock({ speed })}
            options={SPEEDS.map((each) => ({ value: each.value as number, label: `${each.amount} ${t.clock.speeds[each.unit]}`, title: t.clock.perSecond(each.amount, each.unit) }))}
          />
        </span>
        <button type="button" className="ghost run-end" disabled={!may || clock.phase === "ended"} title={hint || t.clock.runToEnd} aria-label={t.clock.runToEnd} onClick={() => void changeClock({ run_to: clock.end })}>
          <Icon name="end" />
        </button>
      </div>
      <Reading />
      <Track />
    </footer>
  );
}

function Reading() {
  const { t, language } = useWords();
  const zone = useZone();
  const clock = useApp((state) => state.clock)!;
  const view = useApp((state) => state.view);
  const moment = useMoment();
  const distance = Math.abs(moment - seconds(clock.now)) / HOUR;
  return (
    <div className={`time-reading time-${view.kind}`} aria-live="off">
      <div className="time-date">
        <span className="time-day">{showTime(moment, "day", language, zone)}</span>
        <span className="time-hour">{showTime(moment, "time", language, zone)}</span>
      </div>
      <div className="time-phase">
        {view.kind === "live" ? (
          <><i className={`dot dot-${clock.phase}`} aria-hidden="true" />{t.clock.phase[clock.phase]}<span className="quiet">{showTime(moment, "year", language, zone)} · {zoneName(moment, zone)}</span></>
        ) : (
          <><span>{view.kind === "past" ? t.clock.behind(t.duration(distance)) : t.clock.ahead(t.duration(distance))}</span><button type="button" className="link" onClick={lookNow}>{t.clock.back}</button></>
        )}
      </div>
    </div>
  );
}
