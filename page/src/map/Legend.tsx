/** What the symbols say; folded on small screens. */

import { LEVELS, type Level } from "../domain/standing";
import { useWords } from "../language";
import { LevelMark } from "../ui/LevelMark";

const SHOWN: Level[] = [...LEVELS].filter((level) => level !== "limit").reverse();

export function Legend() {
  const { t } = useWords();
  return (
    <details className="legend" open={matchMedia("(min-width: 900px)").matches}>
      <summary>{t.map.legend}</summary>
      <ul>
        {SHOWN.map((level) => <li key={level}><LevelMark level={level} />{t.level[level]}</li>)}
        <li><LevelMark level="normal" pool />{t.map.reservoir}</li>
        <li><LevelMark level="limit" pool />{t.level.limit}</li>
        <li><svg className="dam" viewBox="-9.5 -9.5 19 19" width="15" height="15" aria-hidden="true"><path d="M-5-3.5h10L2.6 4h-5.2z" /></svg>{t.map.dam}</li>
      </ul>
      <p className="quiet">{t.map.datumNote}</p>
    </details>
  );
}
