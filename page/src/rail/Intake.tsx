/** What a live twin takes in: its sources, when something last came, and what was set aside as dead letters. */

import { useEffect, useState } from "react";

import { api } from "../api/client";
import type { Letter } from "../api/types";
import { useWords } from "../language";
import { HOUR, seconds, showTime } from "../domain/time";
import { useApp } from "../state/app";
import { useBoard, useMayWrite, useMoment, useZone } from "../state/derived";
import { LevelMark } from "../ui/LevelMark";
import { Fold, Section } from "../ui/controls";

const EVERY = 60_000;
const SHOWN = 40;

/** Dead letters, renewed every minute; null where the twin takes nothing in or the reader may not see them. */
function useLetters(): Letter[] | null {
  const may = useMayWrite();
  const [letters, setLetters] = useState<Letter[] | null>(null);
  useEffect(() => {
    if (!may) return setLetters(null);
    const mine = new AbortController();
    let timer = 0;
    const ask = (): void => void api.letters(mine.signal).then((found) => {
      setLetters(found);
      if (found) timer = window.setTimeout(ask, EVERY);
    }).catch(() => undefined);
    ask();
    return () => {
      window.clearTimeout(timer);
      mine.abort();
    };
  }, [may]);
  return letters;
}

export function Intake() {
  const { t, say, language } = useWords();
  const zone = useZone();
  const board = useBoard();
  const now = useMoment();
  const letters = useLetters();
  const stations = useApp((state) => state.scene?.stations.length ?? 0);
  const values = useApp((state) => state.live?.values);
  if (letters === null) return null;
  const heard = new Map<number, number>();
  for (const [place, sample] of values ?? []) heard.set(place >> 6, Math.max(heard.get(place >> 6) ?? 0, sample.time));
  const newest = Math.max(0, ...heard.values());
  const fresh = [...heard.values()].filter((time) => now - time <= 12 * HOUR).length;
  const sources = board?.sources.filter((each) => !each.body.station) ?? [];
  const show = (at: number): string => showTime(at, "dayTime", language, zone);
  return (
    <Section title={t.intake.title}>
      <table className="intake">
        <tbody>
          <tr><th scope="row">{t.intake.newest}</th><td className="figure">{newest ? show(newest) : "—"}</td></tr>
          <tr><th scope="row">{t.intake.reporting}</th><td className="figure">{t.intake.of(fresh, stations)}</td></tr>
          {sources.map((each) => (
            <tr key={each.id} title={say(each.body.title)}>
              <th scope="row">{each.state === "silent" && <LevelMark level="nodata" />}{each.id.replace(/^source:/, "")}</th>
              <td>{each.state === "silent" ? t.intake.silent : t.intake.heard} <span className="quiet figure-inline">{show(seconds(each.body.last))}</span></td>
            </tr>
          ))}
        </tbody>
      </table>
      <Fold title={t.intake.letters} count={letters.filter((each) => each.state === "waiting").length}>
        {!letters.length && <p className="empty">{t.intake.none}</p>}
        <ul className="letters">
          {letters.slice(0, SHOWN).map((each) => (
            <li key={each.id}>
              <span className="figure-inline quiet">{each.id}</span>
              <span>{each.reason}<small className="quiet">{each.source} · {show(seconds(each.received))} · {t.intake.bytes(each.size)}</small></span>
              <span className="tag">{t.intake.states[each.state]}</span>
            </li>
          ))}
        </ul>
      </Fold>
    </Section>
  );
}
