/** Every station, gravest first, found by name, river or code; those without a position are reached here alone. */

import { useDeferredValue, useMemo, useState } from "react";

import { useWords } from "../language";
import { measured, unitText } from "../domain/number";
import { type Level, type Standing, gravity } from "../domain/standing";
import { select } from "../state/actions";
import { store, useApp } from "../state/app";
import { useStandings } from "../state/derived";
import { Icon } from "../ui/Icon";
import { LevelMark } from "../ui/LevelMark";
import { MarginText, leadingMargin } from "../ui/MarginText";

const MOST = 200;

function matches(standing: Standing, text: string): boolean {
  const { name, name_en, river, code } = standing.station;
  return [name, name_en, river, code].some((each) => each.toLowerCase().includes(text));
}

/** Those that match, gravest first, then by rank and down the river. */
function sought(standings: Standing[], filter: string | null, text: string): Standing[] {
  const wanted = text.trim().toLowerCase();
  const far = (each: Standing): number => each.station.chainage_km ?? Number.MAX_SAFE_INTEGER;
  return standings
    .filter((each) => (!filter || each.level === filter) && (!wanted || matches(each, wanted)))
    .sort((a, b) => gravity(b.level) - gravity(a.level) || a.station.rank - b.station.rank || far(a) - far(b) || a.place - b.place);
}

export function StationList() {
  const { t } = useWords();
  const standings = useStandings();
  const filter = useApp((state) => state.filter);
  const selected = useApp((state) => state.selected);
  const [text, setText] = useState("");
  const wanted = useDeferredValue(text);
  const found = useMemo(() => sought(standings, filter, wanted), [standings, filter, wanted]);
  const chooseFirst = (): void => {
    const first = sought(standings, filter, text)[0];
    if (first) select(first.station.code, true);
  };
  return (
    <div className="station-list">
      <label className="search">
        <Icon name="search" size={16} />
        <input id="station-search" type="search" value={text} placeholder={t.stations.search} aria-label={t.stations.search} onChange={(event) => setText(event.target.value)} onKeyDown={(event) => { if (event.key === "Enter") chooseFirst(); }} />
        <kbd>/</kbd>
      </label>
      <p className="list-count quiet">
        {t.stations.count(found.length)}
        {filter && <button type="button" className="tag tag-button" onClick={() => store.set({ filter: null })}><LevelMark level={filter as Level} />{t.level[filter as Level]}<Icon name="close" size={11} /><span className="unseen">{t.stations.clear}</span></button>}
      </p>
      {!found.length && <p className="empty">{t.stations.empty}</p>}
      <ul>{found.slice(0, MOST).map((each) => <Row key={each.station.code} standing={each} chosen={each.station.code === selected} />)}</ul>
    </div>
  );
}

const ARROWS = { rising: "up", falling: "down", steady: "steady" } as const;

function Row({ standing, chosen }: { standing: Standing; chosen: boolean }) {
  const { t, named } = useWords();
  const { station, sample, unit, level, trend } = standing;
  const margin = leadingMargin(standing);
  return (
    <li>
      <button type="button" className="station-row" aria-current={chosen} onClick={() => select(station.code, true)}>
        <LevelMark level={level} pool={station.kind === "RR"} told />
        <span className="station-row-name">{named(station)}<span className="quiet"> {station.river}{station.position ? "" : ` · ${t.stations.unplaced}`}</span></span>
        <span className="figure station-row-value">{sample ? measured(sample.value, unit) : "—"}<span className="unit"> {unitText(unit)}</span></span>
        <span className="quiet station-row-margin">{margin ? <MarginText margin={margin} unit={unit} /> : null}</span>
        <span className="station-row-trend" aria-label={trend ? t.trend[trend] : undefined}>{trend && <Icon name={ARROWS[trend]} size={13} />}</span>
      </button>
    </li>
  );
}
