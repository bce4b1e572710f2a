/** The chance of being above each line, by lead time, and the highest value that the forecast sees. */

import type { ForecastView } from "../api/types";
import { useWords } from "../language";
import { measured, percent, unitText } from "../domain/number";
import { HOUR, seconds, showTime } from "../domain/time";
import { useZone } from "../state/derived";

const LEADS = [12, 24, 48, 72, 120, 168];

export function Chances({ forecast, unit }: { forecast: ForecastView; unit: string }) {
  const { t, language } = useWords();
  const zone = useZone();
  const issued = seconds(forecast.issued);
  const last = forecast.time[forecast.time.length - 1] ?? issued;
  const leads = LEADS.filter((lead) => issued + lead * HOUR <= last + HOUR);
  const rows = [...forecast.chances].sort((a, b) => b.value - a.value);
  const chanceBy = (chance: number[], lead: number): number => {
    const row = forecast.time.findLastIndex((time) => time <= issued + lead * HOUR);
    return chance[row] ?? 0;
  };
  return (
    <div className="block">
      <div className="block-head"><h3 title={t.station.chanceHint}>{t.station.chances}</h3></div>
      {rows.length > 0 && (
        <table className="chances">
          <thead><tr><th />{leads.map((lead) => <th key={lead} scope="col">{t.station.within(lead)}</th>)}</tr></thead>
          <tbody>
            {rows.map((row) => (
              <tr key={`${row.threshold} ${row.value}`}>
                <th scope="row">{t.thresholdShort[row.threshold] ?? row.threshold} <span className="figure-inline quiet">{measured(row.value, unit)}</span></th>
                {leads.map((lead) => {
                  const chance = chanceBy(row.chance, lead);
                  return <td key={lead} className="figure" style={{ "--chance": chance } as React.CSSProperties} data-strong={chance >= 0.6}>{percent(chance)}</td>;
                })}
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <Peak forecast={forecast} unit={unit} say={(at) => showTime(at, "dayTime", language, zone)} />
      <p className="quiet fine">{t.station.issued(showTime(issued, "dayTime", language, zone), forecast.model)}</p>
    </div>
  );
}

function Peak({ forecast, unit, say }: { forecast: ForecastView; unit: string; say: (at: number) => string }) {
  const { t } = useWords();
  const median = forecast.quantiles["0.5"] ?? [];
  const row = median.reduce((best, value, place) => (value > (median[best] ?? Number.NEGATIVE_INFINITY) ? place : best), 0);
  const top = median[row];
  if (top === undefined) return null;
  const low = forecast.quantiles["0.1"]?.[row];
  const high = forecast.quantiles["0.9"]?.[row];
  return (
    <p className="peak">
      <span className="quiet">{t.station.peaks}</span> <b className="figure-inline">{measured(top, unit)}</b> {unitText(unit)}
      {low !== undefined && high !== undefined && <span className="quiet figure-inline"> ({measured(low, unit)}–{measured(high, unit)})</span>}
      <span className="quiet"> {say(forecast.time[row] ?? 0)}</span>
    </p>
  );
}
