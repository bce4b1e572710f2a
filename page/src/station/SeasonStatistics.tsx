/** The flood season so far, in numbers: highest, lowest, mean, and the hours beyond each line. */

import { useEffect, useState } from "react";

import { api } from "../api/client";
import type { Season } from "../api/types";
import { useWords } from "../language";
import { measured, percent, unitText } from "../domain/number";
import { DAY, iso, seconds, showTime } from "../domain/time";
import { useApp } from "../state/app";
import { momentOf, useZone } from "../state/derived";
import { Fold } from "../ui/controls";

export function SeasonStatistics({ station, quantity, unit }: { station: string; quantity: string; unit: string }) {
  const { t } = useWords();
  const day = useApp((state) => Math.floor(momentOf(state) / DAY));
  const past = useApp((state) => state.view.kind === "past");
  const [season, setSeason] = useState<Season | null>(null);
  useEffect(() => {
    const mine = new AbortController();
    api.statistics(station, quantity, past ? iso((day + 1) * DAY) : undefined, mine.signal).then(setSeason).catch(() => undefined);
    return () => mine.abort();
  }, [station, quantity, day, past]);
  if (!season) return null;
  return <Fold title={`${t.station.season} ${season.year}`}><Table season={season} unit={unit} /></Fold>;
}

function Table({ season, unit }: { season: Season; unit: string }) {
  const { t, language } = useWords();
  const zone = useZone();
  const when = (time: string): string => showTime(seconds(time), "dayTime", language, zone);
  const value = (number: number): string => `${measured(number, unit)} ${unitText(unit)}`;
  const rows: [string, string, string][] = [
    [t.season.maximum, value(season.maximum), when(season.maximum_time)],
    [t.season.minimum, value(season.minimum), when(season.minimum_time)],
    [t.season.mean, value(season.mean), ""],
    [t.season.coverage, percent(season.coverage), t.season.since(when(season.start))],
  ];
  const beyond = season.exceedances.filter((each) => each.hours > 0);
  return (
    <table className="season">
      <tbody>
        {rows.map(([name, text, note]) => <tr key={name}><th scope="row">{name}</th><td className="figure">{text}</td><td className="figure quiet">{note}</td></tr>)}
        {beyond.map((each) => (
          <tr key={`${each.kind} ${each.value}`}>
            <th scope="row">{t.season.beyond(t.thresholdShort[each.kind] ?? each.kind)}</th>
            <td className="figure">{t.duration(each.hours)}</td>
            <td className="figure quiet">{t.season.spells(each.count)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
