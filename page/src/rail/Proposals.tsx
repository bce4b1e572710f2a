/** The release that the twin proposes, beside what else was tried; a person accepts or rejects it. */

import { useState } from "react";

import { api } from "../api/client";
import type { ProposalBody, TwinEvent } from "../api/types";
import { useWords } from "../language";
import { fixed } from "../domain/number";
import { seconds, showTime } from "../domain/time";
import { attemptEvent } from "../state/actions";
import { useApp } from "../state/app";
import { useMayWrite, useZone } from "../state/derived";
import { Fold, Section } from "../ui/controls";
import { Dispatches } from "./Dispatches";
import { NoteForm } from "./NoteForm";
import { Steps } from "./Steps";

const AT_FIRST = 4;

type Proposal = TwinEvent<ProposalBody>;

export function Proposals({ proposals }: { proposals: Proposal[] }) {
  const { t, say } = useWords();
  const [newest, ...older] = [...proposals].sort((a, b) => Number(b.state === "proposed") - Number(a.state === "proposed") || b.body.issued.localeCompare(a.body.issued));
  return (
    <Section title={t.proposal.title} aside={newest && <span className={`tag tag-${newest.state}`}>{t.proposal.states[newest.state] ?? newest.state}</span>}>
      {newest ? <Card proposal={newest} /> : <p className="empty">{t.proposal.empty}</p>}
      {older.map((each) => <Fold key={each.id} title={`${say(each.body.title)} · ${t.proposal.states[each.state] ?? each.state}`}><Card proposal={each} /></Fold>)}
    </Section>
  );
}

function Card({ proposal }: { proposal: Proposal }) {
  const { t, say, language } = useWords();
  const zone = useZone();
  const may = useMayWrite();
  const live = useApp((state) => state.view.kind === "live");
  const { body, id, state } = proposal;
  const decide = (accept: boolean) => (note: string) => attemptEvent(() => api.decide(id, accept, note), t.proposal.saved);
  return (
    <div className="proposal" data-proposal={id} data-state={state}>
      <p className="proposal-title">{say(body.title)}</p>
      <p className="quiet fine">{t.rehearse.basedOn(showTime(seconds(body.issued), "dayTime", language, zone))}</p>
      <p>{say(body.reason)}</p>
      {Object.entries(body.releases).map(([reservoir, flow]) => <Steps key={reservoir} flow={flow} label={t.proposal.plan} />)}
      <Compared body={body} />
      {body.binding.length > 0 && <><h4>{t.proposal.binding}</h4><ul className="sentences">{body.binding.map((each, row) => <li key={row}>{say(each)}</li>)}</ul></>}
      {body.decided_by && <p className="note">{t.proposal.decidedBy(body.decided_by)}{body.note && `: ${body.note}`}</p>}
      {state === "proposed" && live && (may ? (
        <NoteForm label={t.proposal.note} actions={[{ name: t.proposal.accept, run: decide(true) }, { name: t.proposal.reject, run: decide(false), quiet: true }]} />
      ) : <p className="quiet fine">{t.session.readOnly}</p>)}
      {state === "proposed" && <p className="quiet fine">{t.proposal.caution}</p>}
      <Dispatches proposal={id} />
    </div>
  );
}

/** The alternatives in rows, the proposed one on top; peaks of the stations in which they differ most. */
function Compared({ body }: { body: ProposalBody }) {
  const { t, say, named } = useWords();
  const scene = useApp((state) => state.scene)!;
  const codes = Object.keys(body.compared[0]?.peaks ?? {});
  const spread = (code: string): number => {
    const peaks = body.compared.map((each) => each.peaks[code] ?? 0);
    return Math.max(...peaks) - Math.min(...peaks);
  };
  const shown = codes.sort((a, b) => spread(b) - spread(a)).slice(0, 1);
  const [all, setAll] = useState(false);
  if (!body.compared.length) return null;
  return (
    <div className="scroll">
      <table className="compared">
        <caption className="unseen">{t.proposal.compared}</caption>
        <thead>
          <tr>
            <th scope="col">{t.proposal.compared}</th>
            <th scope="col">{t.proposal.columns.exceedance} <span className="unit">{t.proposal.columns.exceedanceUnit}</span></th>
            <th scope="col">{t.proposal.columns.highest}</th>
            {shown.map((code) => <th key={code} scope="col">{t.proposal.peakAt(named(scene.stations.find((each) => each.code === code) ?? { code, name: code, name_en: code }))}</th>)}
          </tr>
        </thead>
        <tbody>
          {body.compared.slice(0, all ? undefined : AT_FIRST).map((each, row) => (
            <tr key={row} className={row ? "" : "chosen"}>
              <th scope="row">{say(each.name)}<span className="quiet figure-inline"> {fixed(each.least_release, 0)}–{fixed(each.most_release, 0)}</span></th>
              <td className="figure">{fixed(each.exceedance_m_h, 1)}</td>
              <td className="figure">{fixed(each.highest_level, 2)}</td>
              {shown.map((code) => <td key={code} className="figure">{fixed(each.peaks[code] ?? Number.NaN, 2)}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
      {body.compared.length > AT_FIRST && <button type="button" className="more" onClick={() => setAll(!all)}>{all ? t.alerts.fewer : t.proposal.more(body.compared.length - AT_FIRST)}</button>}
    </div>
  );
}
