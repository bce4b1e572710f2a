/** What a forecast rests on: the waters that drive it, what was missing, and assumptions in the twin's own words. */

import type { ForecastView, Text } from "../api/types";
import { useWords } from "../language";
import { measured, percent } from "../domain/number";
import { select } from "../state/actions";
import { useApp } from "../state/app";

/** A node that feeds the station, or what comes in between (`from_outside`); discharges in m3/s. */
interface Input {
  station: string;
  discharge?: number;
  travel_h?: number;
  share?: number;
  from_outside?: number;
}

interface Missing {
  station: string;
  quantity: string;
  hours: number;
}

function isText(value: unknown): value is Text {
  return typeof value === "object" && value !== null && ("zh" in value || "en" in value);
}

/** Every text in both languages among the drivers, alone or in lists. */
function sentences(drivers: Record<string, unknown>): Text[] {
  return Object.values(drivers).flatMap((value): Text[] => (Array.isArray(value) ? value.filter(isText) : isText(value) ? [value] : []));
}

export function Assumptions({ forecast }: { forecast: ForecastView }) {
  const { t, say, named } = useWords();
  const scene = useApp((state) => state.scene)!;
  const name = (code: string): string => {
    const station = scene.stations.find((each) => each.code === code);
    return station ? named(station) : code;
  };
  const told = sentences(forecast.drivers);
  const inputs = Array.isArray(forecast.drivers.inputs) ? (forecast.drivers.inputs as Input[]) : [];
  const missing = Array.isArray(forecast.drivers.missing) ? (forecast.drivers.missing as Missing[]) : [];
  const flows = inputs.filter((each) => Number.isFinite(each.discharge ?? each.from_outside));
  if (!told.length && !flows.length) return null;
  const above = flows.filter((each) => each.discharge !== undefined);
  const local = flows.find((each) => each.from_outside !== undefined)?.from_outside;
  const arriving = above.reduce((sum, each) => sum + (each.discharge ?? 0) * (each.share ?? 1), 0);
  const words = above.length
    ? t.station.inWords(
        above.map((each) => t.station.upstream(name(each.station), measured(each.discharge!, "m3/s"), String(Math.round(each.travel_h ?? 0)))).join(t.listed),
        local === undefined ? "" : t.station.local(measured(Math.abs(local), "m3/s"), local < 0, arriving + local > 0 ? percent(Math.abs(local) / (arriving + Math.abs(local))) : ""),
      )
    : local === undefined ? "" : t.station.inWords("", t.station.local(measured(Math.abs(local), "m3/s"), local < 0, ""));
  return (
    <div className="block">
      <div className="block-head"><h3>{t.station.assumptions}</h3></div>
      {words && <p className="in-words">{words}</p>}
      {flows.length > 0 && (
        <table className="drivers">
          <thead className="unseen"><tr><th>{t.station.drives}</th><th>m³/s</th><th>h</th></tr></thead>
          <tbody>
            {flows.map((each, row) => (
              <tr key={row}>
                <th scope="row">{each.discharge === undefined ? t.station.outside : <button type="button" className="link-plain" onClick={() => select(each.station, true)}>{name(each.station)}</button>}</th>
                <td className="figure">{measured(each.discharge ?? each.from_outside ?? 0, "m3/s")} <span className="unit">m³/s</span></td>
                <td className="figure quiet">{each.travel_h === undefined ? "" : t.station.travel(String(Math.round(each.travel_h)))}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <ul className="sentences">
        {told.map((each, row) => <li key={row}>{say(each)}</li>)}
        {missing.slice(0, 6).map((each) => <li key={`${each.station} ${each.quantity}`}>{t.station.missing(name(each.station), t.quantity[each.quantity] ?? each.quantity, t.duration(each.hours))}</li>)}
      </ul>
    </div>
  );
}
