/** How many stations stand how high, alerts, numbered floods, warnings ahead, and sources that are in doubt. */

import type { Level } from "../domain/standing";
import { useWords } from "../language";
import { showTime, seconds } from "../domain/time";
import { openTab, select } from "../state/actions";
import { store, useApp } from "../state/app";
import { useBoard, useStandings, useZone } from "../state/derived";
import { Fold } from "../ui/controls";
import { LevelMark } from "../ui/LevelMark";
import { Alerts } from "./Alerts";
import { Floods } from "./Floods";
import { Intake } from "./Intake";
import { Notices } from "./Notices";
import { Reports } from "./Reports";

const COUNTED: Level[] = ["record", "guarantee", "warning", "limit", "near"];

export function Situation() {
  const { t } = useWords();
  return (
    <>
      <Tally />
      <Alerts />
      <Floods />
      <Notices />
      <Sources />
      <Intake />
      <Reports />
      <p className="keys quiet">{t.keys.list}</p>
    </>
  );
}

export function Tally() {
  const { t } = useWords();
  const standings = useStandings();
  const filter = useApp((state) => state.filter);
  return (
    <div className="tally">
      {COUNTED.map((level) => {
        const count = standings.filter((each) => each.level === level).length;
        return (
          <button
            key={level} type="button" className={count ? `tally-item tally-${level}` : "tally-item tally-none"} aria-pressed={filter === level} title={t.levelLong[level]}
            onClick={() => {
              store.set({ filter: filter === level ? null : level });
              openTab("stations");
            }}
          >
            <span className="tally-count">{count}</span>
            <span className="tally-name"><LevelMark level={level} pool={level === "limit"} />{t.tally[level]}</span>
          </button>
        );
      })}
    </div>
  );
}

function Sources() {
  const { t, say, language } = useWords();
  const zone = useZone();
  const board = useBoard();
  const silent = board?.sources.filter((each) => each.state === "silent") ?? [];
  const doubted = board?.quality.filter((each) => each.state === "doubted") ?? [];
  if (!silent.length && !doubted.length) return null;
  return (
    <Fold title={t.sources.title} count={silent.length + doubted.length}>
      <ul className="sources">
        {[...doubted, ...silent].slice(0, 60).map((each) => (
          <li key={`${each.kind} ${each.id}`}>
            <button type="button" className="row-link" onClick={() => select(each.body.station, true)}>
              <LevelMark level={each.kind === "quality" ? "suspect" : "nodata"} />
              <span>{say(each.body.title)}</span>
              <span className="quiet">{showTime(seconds(each.time), "dayTime", language, zone)}</span>
            </button>
          </li>
        ))}
      </ul>
    </Fold>
  );
}
