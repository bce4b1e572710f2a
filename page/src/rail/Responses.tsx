/** Emergency responses under contingency plans: what the twin proposes and why, and a person's word on it. */

import { api } from "../api/client";
import type { ResponseBody, TwinEvent } from "../api/types";
import { useWords } from "../language";
import { seconds, showTime } from "../domain/time";
import { attemptEvent } from "../state/actions";
import { useApp } from "../state/app";
import { useBoard, useMayWrite, useZone } from "../state/derived";
import { Section } from "../ui/controls";
import { NoteForm } from "./NoteForm";

type Plan = TwinEvent<ResponseBody>;

/** Whether a response is in force or waits for a decision. */
export const isOpen = (response: Plan): boolean => response.body.level !== "" || response.state === "proposed";

export function Responses() {
  const { t } = useWords();
  const open = (useBoard()?.responses ?? []).filter(isOpen);
  if (!open.length) return null;
  return (
    <Section title={t.responses.title} count={open.filter((each) => each.state === "proposed").length}>
      {open.map((each) => <Card key={each.id} response={each} />)}
    </Section>
  );
}

function Card({ response }: { response: Plan }) {
  const { t, say, language } = useWords();
  const zone = useZone();
  const may = useMayWrite();
  const live = useApp((state) => state.view.kind === "live");
  const { body, id, state } = response;
  const decide = (approve: boolean) => (note: string) => attemptEvent(() => api.decideResponse(id, approve, note), t.responses.saved);
  return (
    <div className="proposal" data-response={id} data-state={state}>
      <p className="proposal-title">{say(body.title)}</p>
      <p className="quiet fine">{body.level ? t.responses.inForce(body.level) : t.responses.notInForce} · {showTime(seconds(response.time), "dayTime", language, zone)}</p>
      {body.why.length > 0 && <ul className="sentences">{body.why.map((each, row) => <li key={row}>{say(each)}</li>)}</ul>}
      {body.approved_by && <p className="note">{t.proposal.decidedBy(body.approved_by)}{body.note && `: ${body.note}`}</p>}
      {state === "proposed" && live && (may ? (
        <NoteForm label={t.proposal.note} actions={[{ name: t.responses.approve, run: decide(true) }, { name: t.responses.decline, run: decide(false), quiet: true }]} />
      ) : <p className="quiet fine">{t.session.readOnly}</p>)}
    </div>
  );
}
