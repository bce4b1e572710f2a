/** How good such forecasts have been: their error beside that of assuming no change, their grade, and the notices. */

import { useEffect, useState } from "react";

import { api } from "../api/client";
import type { ForecastView, Skill as Row, Tally } from "../api/types";
import { useWords } from "../language";
import { fixed, percent, unitText } from "../domain/number";
import { DAY, iso } from "../domain/time";
import { useApp } from "../state/app";
import { momentOf } from "../state/derived";

export function Skill({ forecast, unit }: { forecast: ForecastView; unit: string }) {
  const { t } = useWords();
  const rows = Array.isArray(forecast.drivers.skill) ? (forecast.drivers.skill as Row[]).filter((row) => Number.isFinite(row.rmse)) : [];
  const decimals = unit === "m" ? 2 : 0;
  const largest = Math.max(...rows.map((row) => Math.max(row.rmse, row.rmse_persistence ?? 0)));
  const width = (value: number): { width: string } => ({ width: `${(100 * value) / largest}%` });
  const counted = rows[0]?.n;
  const graded = rows.some((row) => row.grade);
  return (
    <div className="block">
      <div className="block-head"><h3>{t.station.skill}</h3>{counted !== undefined && <span className="quiet fine">{t.station.cases(fixed(counted, 0))}</span>}</div>
      {rows.length > 0 && (
        <div className="scroll">
          <table className="skill">
            <thead><tr><th>{t.station.lead}</th><th>{t.station.rmse} <span className="unit">{unitText(unit)}</span></th><th>{t.station.persistence}</th><th /><th>{t.station.gain}</th><th title={t.station.coverageHint}>{t.station.coverage}</th>{graded && <th title={t.station.gradeHint}>{t.station.grade}</th>}</tr></thead>
            <tbody>
              {rows.map((row) => (
                <tr key={row.lead_h}>
                  <th scope="row">{t.station.within(row.lead_h)}</th>
                  <td className="figure">{fixed(row.rmse, decimals)}</td>
                  <td className="figure quiet">{row.rmse_persistence === undefined ? "—" : fixed(row.rmse_persistence, decimals)}</td>
                  <td className="skill-bars" aria-hidden="true">
                    <i style={width(row.rmse)} />
                    {row.rmse_persistence !== undefined && <i className="skill-persistence" style={width(row.rmse_persistence)} />}
                  </td>
                  <td className="figure">{row.rmse_persistence ? percent(1 - row.rmse / row.rmse_persistence) : "—"}</td>
                  <td className="figure quiet">{row.coverage_80 === undefined ? "—" : percent(row.coverage_80)}</td>
                  {graded && <td className="figure" title={row.qr === undefined ? undefined : `QR ${fixed(row.qr, 1)}%${row.dc === undefined ? "" : ` · DC ${fixed(row.dc, 2)}`}`}>{row.grade ? t.station.grades[row.grade] ?? row.grade : "—"}</td>}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {!rows.length && <p className="empty">{t.station.noSkill}</p>}
      <Notices station={forecast.station} quantity={forecast.quantity} />
    </div>
  );
}

/** What became of the notices given for this series so far. */
function Notices({ station, quantity }: { station: string; quantity: string }) {
  const { t } = useWords();
  const day = useApp((state) => Math.floor(momentOf(state) / DAY));
  const past = useApp((state) => state.view.kind === "past");
  const [rows, setRows] = useState<Tally[]>([]);
  useEffect(() => {
    const mine = new AbortController();
    api.tally(station, past ? iso((day + 1) * DAY) : undefined, mine.signal).then((found) => setRows(found ?? [])).catch(() => undefined);
    return () => mine.abort();
  }, [station, day, past]);
  const shown = rows.filter((each) => each.quantity === quantity && each.near === 0);
  if (!shown.length) return null;
  return (
    <ul className="sentences tally-notices">
      {shown.map((each) => (
        <li key={each.threshold}>
          {t.station.tally(t.thresholdShort[each.threshold] ?? each.threshold, each.hits, each.misses, each.false_alarms)}
          {each.lead_h && t.station.tallyLead(fixed(each.lead_h[1], 0))}
        </li>
      ))}
    </ul>
  );
}
