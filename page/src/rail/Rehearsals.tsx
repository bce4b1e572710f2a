/** What-if runs: peaks without and with the change, station by station. */

import type { RehearsalBody, RehearsalRow, TwinEvent } from "../api/types";
import { useWords } from "../language";
import { measured, signed, unitText } from "../domain/number";
import { seconds, showTime } from "../domain/time";
import { select } from "../state/actions";
import { useApp } from "../state/app";
import { useZone } from "../state/derived";
import { Fold, Section } from "../ui/controls";
import { Steps } from "./Steps";

export function Rehearsals({ rehearsals }: { rehearsals: TwinEvent<RehearsalBody>[] }) {
  const { t, say } = useWords();
  const [newest, ...older] = [...rehearsals].sort((a, b) => b.time.localeCompare(a.time) || b.seq - a.seq);
  return (
    <Section title={t.rehearse.title} count={rehearsals.length}>
      {newest ? <Run run={newest} /> : <p className="empty">{t.rehearse.empty}</p>}
      {older.slice(0, 12).map((each) => <Fold key={each.id} title={say(each.body.name)}><Run run={each} untitled /></Fold>)}
    </Section>
  );
}

function Run({ run, untitled = false }: { run: TwinEvent<RehearsalBody>; untitled?: boolean }) {
  const { t, say, language } = useWords();
  const zone = useZone();
  const { body } = run;
  return (
    <div className="rehearsal" data-rehearsal={run.id}>
      {!untitled && <p className="proposal-title">{say(body.name)}</p>}
      <p className="quiet fine">{t.rehearse.basedOn(showTime(seconds(body.issued), "dayTime", language, zone))}</p>
      {Object.entries(body.releases).map(([reservoir, flow]) => <Steps key={reservoir} flow={flow} label={t.rehearse.released} />)}
      {body.results.length > 0 && <Peaks rows={body.results} />}
      {body.binding.length > 0 && <><h4>{t.rehearse.binding}</h4><ul className="sentences">{body.binding.map((each, row) => <li key={row}>{say(each)}</li>)}</ul></>}
    </div>
  );
}

function Peaks({ rows }: { rows: RehearsalRow[] }) {
  const { t, named, language } = useWords();
  const zone = useZone();
  const scene = useApp((state) => state.scene)!;
  const when = (iso: string): string => showTime(seconds(iso), "dayTime", language, zone);
  return (
    <div className="scroll">
      <table className="peaks">
        <thead><tr><th scope="col">{t.rehearse.peak} <span className="unit">{unitText(rows[0]?.unit ?? "")}</span></th><th scope="col">{t.rehearse.without}</th><th scope="col">{t.rehearse.with}</th><th scope="col">{t.rehearse.change}</th></tr></thead>
        <tbody>
          {rows.map((row) => {
            const station = scene.stations.find((each) => each.code === row.station);
            return (
              <tr key={row.station}>
                <th scope="row"><button type="button" className="link-plain" onClick={() => select(row.station)}>{station ? named(station) : row.station}</button></th>
                <td className="figure" title={when(row.peak_time_without)}>{measured(row.peak_without, row.unit)}</td>
                <td className="figure" title={when(row.peak_time_with)}>{measured(row.peak_with, row.unit)}</td>
                <td className={`figure ${Math.abs(row.peak_change) < 0.005 ? "quiet" : row.peak_change < 0 ? "lower" : "higher"}`}>{signed(row.peak_change, 2)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
