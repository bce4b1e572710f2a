/** The station's value against every line in force, as a scale one can read at a glance. */

import { useWords } from "../language";
import { measured, signed, unitText } from "../domain/number";
import { SEVERE_KINDS, type Standing } from "../domain/standing";

export function Margins({ standing }: { standing: Standing }) {
  const { t } = useWords();
  const { margins, unit } = standing;
  if (!margins.length) return <p className="empty">{t.station.noThresholds}</p>;
  return (
    <table className="lines" aria-label={t.station.margins}>
      <thead className="unseen"><tr><th>{t.station.margins}</th><th>{unitText(unit)}</th><th>±</th></tr></thead>
      <tbody>
        {margins.map(({ threshold, margin }) => (
          <tr key={`${threshold.kind} ${threshold.value}`} title={threshold.source}>
            <th scope="row"><i className={`line-sign line-${SEVERE_KINDS[threshold.kind] ?? "plain"}`} />{t.threshold[threshold.kind] ?? threshold.kind}</th>
            <td className="figure">{measured(threshold.value, unit)}</td>
            <td className={`figure ${margin >= 0 ? "passed" : "quiet"}`}>{Number.isFinite(margin) ? signed(margin, unit === "m" ? 2 : 0) : "—"}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
