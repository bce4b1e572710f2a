/** Past issues replayed: choose one, and the chart shows what was forecast then beside what came. */

import type { ForecastIssue } from "../api/types";
import { useWords } from "../language";
import { seconds, showTime } from "../domain/time";
import { useZone } from "../state/derived";
import { Icon } from "../ui/Icon";

interface Wish {
  issues: ForecastIssue[];
  issue: number | null;
  onChange: (issue: number | null) => void;
}

export function Issues({ issues, issue, onChange }: Wish) {
  const { t, language } = useWords();
  const zone = useZone();
  const times = [...new Set(issues.map((each) => seconds(each.issued)))].sort((a, b) => a - b);
  if (times.length < 2) return <p className="quiet fine">{t.station.noEarlier}</p>;
  const newest = times.length - 1;
  const row = issue === null ? newest : Math.max(0, times.findLastIndex((each) => each <= issue));
  const choose = (place: number): void => onChange(place >= newest ? null : times[Math.max(0, place)]!);
  const text = showTime(times[row]!, "dayTime", language, zone);
  return (
    <div className="issues">
      <button type="button" className="ghost" aria-label={t.station.issueBefore} disabled={row === 0} onClick={() => choose(row - 1)}><Icon name="chevron" size={14} /></button>
      <input type="range" min={0} max={newest} step={1} value={row} aria-label={t.station.chooseIssue} aria-valuetext={text} onChange={(event) => choose(event.target.valueAsNumber)} />
      <button type="button" className="ghost" aria-label={t.station.issueAfter} disabled={row === newest} onClick={() => choose(row + 1)}><Icon name="chevron" size={14} /></button>
      <output className="figure-inline">{t.station.issueOf(text)}{issue !== null && <button type="button" className="tag tag-button" onClick={() => onChange(null)}>{t.station.newest}</button>}</output>
    </div>
  );
}
