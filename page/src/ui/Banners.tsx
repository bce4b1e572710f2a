/** What must not be overlooked: a broken connection, a view that is not the present, and short answers to actions. */

import { useEffect } from "react";

import { useWords } from "../language";
import { HOUR, seconds, showTime } from "../domain/time";
import { lookNow } from "../state/actions";
import { store, useApp } from "../state/app";
import { useZone } from "../state/derived";
import { Icon } from "./Icon";

export function LostBanner() {
  const { t, language } = useWords();
  const lost = useApp((state) => state.lostSince);
  if (lost === null) return null;
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return <p className="banner banner-lost" role="status">{t.connection.lost(showTime(lost / 1000, "time", language, here))}</p>;
}

export function ViewBanner() {
  const { t, language } = useWords();
  const zone = useZone();
  const view = useApp((state) => state.view);
  const clock = useApp((state) => state.clock);
  const run = useApp((state) => state.run);
  if (view.kind === "live" || !clock) return null;
  const distance = t.duration(Math.abs(view.at - seconds(clock.now)) / HOUR);
  const past = view.kind === "past";
  const issued = run ? t.clock.issuedAt(showTime(seconds(run.body.issued), "dayTime", language, zone)) : t.clock.noForecast;
  return (
    <div className={`view-banner view-${view.kind}`} role="status">
      <Icon name={past ? "back" : "steady"} size={16} />
      <span>
        <b>{past ? t.clock.viewingPast : t.clock.viewingFuture}</b>
        <span className="view-when">{showTime(view.at, "dayTime", language, zone)}</span>
        <span className="view-note">{past ? t.clock.behind(distance) : `${t.clock.ahead(distance)} · ${issued}`}</span>
      </span>
      <button type="button" className="button" onClick={lookNow}>{t.clock.back}<kbd>Esc</kbd></button>
    </div>
  );
}

const SHOWN = 5000;

export function Toast() {
  const notice = useApp((state) => state.notice);
  useEffect(() => {
    if (!notice) return;
    const timer = window.setTimeout(() => store.set({ notice: null }), notice.tone === "bad" ? SHOWN * 2 : SHOWN);
    return () => window.clearTimeout(timer);
  }, [notice]);
  return <div className="toasts" role="status" aria-live="polite">{notice && <p key={notice.wish} className={`toast toast-${notice.tone}`}>{notice.text}</p>}</div>;
}
