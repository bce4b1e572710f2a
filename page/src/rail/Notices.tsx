/** Warnings ahead of time: what may be reached, how likely, when and how high. */

import type { NoticeBody, TwinEvent } from "../api/types";
import { useWords } from "../language";
import { measured, percent, unitText } from "../domain/number";
import { SEVERITY_LEVEL } from "../domain/standing";
import { seconds, showTime } from "../domain/time";
import { select } from "../state/actions";
import { useApp } from "../state/app";
import { useBoard, useZone } from "../state/derived";
import { LevelMark } from "../ui/LevelMark";
import { Fold, Section } from "../ui/controls";

const WEIGHT = { red: 3, orange: 2, yellow: 1, blue: 0 } as const;

export function Notices() {
  const { t } = useWords();
  const notices = useBoard()?.notices ?? [];
  const open = notices.filter((each) => each.state === "issued" || each.state === "updated").sort((a, b) => WEIGHT[b.body.severity] - WEIGHT[a.body.severity] || b.body.chance - a.body.chance);
  const over = notices.filter((each) => each.state !== "issued" && each.state !== "updated");
  return (
    <Section title={t.notices.title} count={open.length}>
      {!open.length && <p className="empty">{t.notices.empty}</p>}
      <ul className="notices">{open.map((each) => <Row key={each.id} notice={each} />)}</ul>
      {over.length > 0 && <Fold title={t.notices.ended(over.length)}><ul className="notices notices-over">{over.slice(0, 30).map((each) => <Row key={each.id} notice={each} />)}</ul></Fold>}
    </Section>
  );
}

function Row({ notice }: { notice: TwinEvent<NoticeBody> }) {
  const { t, say, language } = useWords();
  const zone = useZone();
  const { body } = notice;
  const unit = useApp((state) => state.scene?.quantities.find((each) => each.name === body.quantity)?.unit ?? "");
  const when = (iso: string): string => showTime(seconds(iso), "dayTime", language, zone);
  return (
    <li>
      <button type="button" className={`notice notice-${body.severity}`} onClick={() => select(body.station, true)}>
        <LevelMark level={SEVERITY_LEVEL[body.severity]} told />
        <span className="notice-title">{say(body.title)}</span>
        <span className="notice-chance figure" title={t.notices.chance}>{percent(body.chance)}<i style={{ width: `${body.chance * 100}%` }} /></span>
        <span className="notice-meta quiet">
          {body.crossing && <span title={body.crossing_from && body.crossing_to ? t.notices.crossingRange(when(body.crossing_from), when(body.crossing_to)) : undefined}>{t.notices.crossing(when(body.crossing))}</span>}
          <span>{t.notices.peak} <span className="figure-inline">{measured(body.peak, unit)} {unitText(unit)}</span></span>
          <span className="tag">{t.notices.states[notice.state] ?? notice.state}</span>
        </span>
      </button>
    </li>
  );
}
