/** The symbol of a state, as on the map. */

import type { Level } from "../domain/standing";
import { useWords } from "../language";

const SHAPES: Record<Level, string> = {
  record: "M-3-7.2h6l4.2 4.2v6L3 7.2h-6L-7.2 3v-6z",
  guarantee: "M0-8 8 0 0 8-8 0z",
  warning: "M0-7.6 7.8 6H-7.8z",
  limit: "M0-7.6 7.8 6H-7.8z",
  near: "M5.6 0A5.6 5.6 0 1 1-5.6 0 5.6 5.6 0 0 1 5.6 0z",
  normal: "M4.4 0A4.4 4.4 0 1 1-4.4 0 4.4 4.4 0 0 1 4.4 0z",
  unrated: "M2.8 0A2.8 2.8 0 1 1-2.8 0 2.8 2.8 0 0 1 2.8 0z",
  suspect: "M4.4 0A4.4 4.4 0 1 1-4.4 0 4.4 4.4 0 0 1 4.4 0z",
  nodata: "M4.4 0A4.4 4.4 0 1 1-4.4 0 4.4 4.4 0 0 1 4.4 0z",
};
const POOL = "M-7-5.5H7L3.6 6H-3.6z";

export function LevelMark({ level, pool = false, told = false }: { level: Level; pool?: boolean; told?: boolean }) {
  const { t } = useWords();
  const dot = level === "limit" ? 1.4 : 0;
  return (
    <svg className={`mark mark-${level}`} viewBox="-9.5 -9.5 19 19" width="15" height="15" aria-hidden={!told} role={told ? "img" : undefined} aria-label={told ? t.level[level] : undefined}>
      <path d={pool ? POOL : SHAPES[level]} />
      {level === "record" && <text y="3.6" textAnchor="middle" className="mark-sign mark-sign-light">!</text>}
      {level === "suspect" && <text y="3" textAnchor="middle" className="mark-sign mark-sign-small">?</text>}
      {(level === "guarantee" || level === "limit") && <circle cy={dot} r="1.7" className="mark-dot" />}
    </svg>
  );
}
