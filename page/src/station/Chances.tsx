/** The chance of crossing each line by each lead as a heat strip, and the times of crossing and of the peak. */

import type { Chance, ForecastView, When } from "../api/types";
import { useWords } from "../language";
import { measured, percent, unitText } from "../domain/number";
import { HOUR, seconds, showTime } from "../domain/time";
import { useZone } from "../state/derived";

const LEADS = [12, 24, 48, 72, 96, 120, 168, 240];

/** The chance above which the first notice on a line goes out, and how far ahead it looks. */
const firstLimit = (row: Chance) => [...row.limits].sort((a, b) => a.limit - b.limit)[0];

export function Chances({ forecast, unit }: { forecast: ForecastView; unit: string }) {
  const { t, language } = useWords();
  const zone = useZone();
  const issued = seconds(forecast.issued);
  const leads = LEADS.filter((lead) => String(lead) in (forecast.chances[0]?.leads ?? {}));
  const rows = [...forecast.chances].sort((a, b) => b.value - a.value);
  const limited = rows.flatMap((row) => {
    const limit = firstLimit(row);
    return limit ? [`${t.thresholdShort[row.threshold] ?? row.threshold} >${percent(limit.limit)}`] : [];
  });
  return (
    <div className="block">
      <div className="block-head"><h3 title={t.station.chanceHint}>{t.station.chances}</h3></div>
      {rows.length > 0 && (
        <table className="chances">
          <thead><tr><th />{leads.map((lead) => <th key={lead} scope="col">{t.station.within(lead)}</th>)}</tr></thead>
          <tbody>{rows.map((row) => <Strip key={`${row.threshold} ${row.value}`} row={row} leads={leads} unit={unit} />)}</tbody>
        </table>
      )}
      {limited.length > 0 && <p className="quiet fine chances-limits">{t.station.limits(limited.join(t.listed))}</p>}
      <Times forecast={forecast} unit={unit} rows={rows} />
      <p className="quiet fine">{t.station.issued(showTime(issued, "dayTime", language, zone), forecast.model)}</p>
    </div>
  );
}

function Strip({ row, leads, unit }: { row: Chance; leads: number[]; unit: string }) {
  const { t, say } = useWords();
  const limit = firstLimit(row);
  return (
    <tr>
      <th scope="row" title={limit ? t.station.limit(percent(limit.limit), say(limit.action)) : undefined}>
        {t.thresholdShort[row.threshold] ?? row.threshold} <span className="figure-inline quiet">{measured(row.value, unit)}</span>
      </th>
      {leads.map((lead) => {
        const chance = row.leads[lead] ?? 0;
        const acts = limit !== undefined && lead <= limit.horizon_h && chance > limit.limit ? limit.severity : undefined;
        return <td key={lead} className="figure" style={{ "--chance": chance } as React.CSSProperties} data-strong={chance >= 0.6} data-acts={acts}>{percent(chance)}</td>;
      })}
    </tr>
  );
}

function Times({ forecast, unit, rows }: { forecast: ForecastView; unit: string; rows: Chance[] }) {
  const { t, say } = useWords();
  const { peak } = forecast;
  const steady = peak.high - peak.low < (unit === "m" ? 0.005 : 1) && peak.open === 0;
  return (
    <table className="times" aria-label={t.station.times}>
      <thead><tr><th>{t.station.times}</th><th>{t.station.expected}</th><th>{t.station.interval}</th></tr></thead>
      <tbody>
        <tr>
          <th scope="row">{t.station.peaks}</th>
          <td className="figure"><b>{measured(peak.median, unit)}</b> {unitText(unit)}</td>
          <td className="figure quiet">{measured(peak.low, unit)}–{measured(peak.high, unit)}</td>
        </tr>
        {!steady && <Moment name={t.station.peakTime} when={peak.time} note={peak.open >= 0.1 ? t.station.stillRising(percent(peak.open)) : ""} />}
        {rows.filter((row) => row.crossing).map((row) => {
          const held = forecast.at_issue?.value;
          if (held !== undefined && (row.side === "below" ? held <= row.value : held >= row.value)) return <Already key={`${row.threshold} ${row.value}`} row={row} />;
          const limit = firstLimit(row);
          const chance = row.chance[row.chance.length - 1] ?? 0;
          return (
            <Moment
              key={`${row.threshold} ${row.value}`} when={row.crossing!}
              name={(row.side === "below" ? t.station.fallsBelow : t.station.rises)(t.thresholdShort[row.threshold] ?? row.threshold)}
              note={limit && chance > limit.limit && say(limit.action) ? t.station.acts(t.severity[limit.severity], say(limit.action)) : t.station.ofMembers(percent(chance))}
            />
          );
        })}
      </tbody>
    </table>
  );
}

/** A line that was passed before the forecast was issued. */
function Already({ row }: { row: Chance }) {
  const { t } = useWords();
  const name = t.thresholdShort[row.threshold] ?? row.threshold;
  return <tr><th scope="row">{(row.side === "below" ? t.station.fallsBelow : t.station.rises)(name)}</th><td className="figure quiet">{t.station.already}</td><td /></tr>;
}

function Moment({ name, when, note }: { name: string; when: When; note: string }) {
  const { language } = useWords();
  const zone = useZone();
  const show = (iso: string): string => showTime(seconds(iso), "dayTime", language, zone);
  const sharp = seconds(when.end) - seconds(when.start) < HOUR;
  return (
    <tr>
      <th scope="row">{name}{note && <small className="quiet">{note}</small>}</th>
      <td className="figure">{show(when.median)}</td>
      <td className="figure quiet">{sharp ? "" : <>{show(when.start)} –<br />{show(when.end)}</>}</td>
    </tr>
  );
}
