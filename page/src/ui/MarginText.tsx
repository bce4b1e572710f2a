/** "超警戒 1.23 m": the margin that matters most, in words. */

import type { Margin, Standing } from "../domain/standing";
import { useWords } from "../language";
import { measured, unitText } from "../domain/number";

const CARED = new Set(["warning", "guarantee", "historical_maximum", "flood_limit"]);

/** The gravest line that is passed, else the nearest one ahead. */
export function leadingMargin(standing: Standing): Margin | null {
  const rated = standing.margins.filter((each) => CARED.has(each.threshold.kind) && Number.isFinite(each.margin));
  const passed = rated.filter((each) => each.margin >= 0).sort((a, b) => a.margin - b.margin)[0];
  return passed ?? rated.sort((a, b) => b.margin - a.margin)[0] ?? null;
}

export function MarginText({ margin, unit }: { margin: Margin; unit: string }) {
  const { t } = useWords();
  const name = t.thresholdShort[margin.threshold.kind] ?? margin.threshold.kind;
  const amount = `${measured(Math.abs(margin.margin), unit)} ${unitText(unit)}`;
  return <span className="figure-inline">{margin.margin >= 0 ? t.alerts.above(name, amount) : t.alerts.below(name, amount)}</span>;
}
