/** How good such forecasts have been: their error beside that of assuming no change. */

import type { ForecastView, Skill as Row } from "../api/types";
import { useWords } from "../language";
import { fixed, percent, unitText } from "../domain/number";

export function Skill({ forecast, unit }: { forecast: ForecastView; unit: string }) {
  const { t } = useWords();
  const rows = Array.isArray(forecast.drivers.skill) ? (forecast.drivers.skill as Row[]).filter((row) => Number.isFinite(row.rmse)) : [];
  if (!rows.length) return null;
  const decimals = unit === "m" ? 2 : 0;
  const largest = Math.max(...rows.map((row) => Math.max(row.rmse, row.rmse_persistence ?? 0)));
  const width = (value: number): { width: string } => ({ width: `${(100 * value) / largest}%` });
  const counted = rows[0]?.n;
  return (
    <div className="block">
      <div className="block-head"><h3>{t.station.skill}</h3>{counted !== undefined && <span className="quiet fine">{t.station.cases(fixed(counted, 0))}</span>}</div>
      <table className="skill">
        <thead><tr><th>{t.station.lead}</th><th>{t.station.rmse} <span className="unit">{unitText(unit)}</span></th><th>{t.station.persistence}</th><th /><th>{t.station.gain}</th><th title={t.station.coverageHint}>{t.station.coverage}</th></tr></thead>
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
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
