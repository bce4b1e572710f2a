/** Written orders to people: the draft and its text, the signature, and who has answered. */

import { api } from "../api/client";
import type { DispatchBody, TwinEvent } from "../api/types";
import { useWords } from "../language";
import { seconds, showTime } from "../domain/time";
import { attempt } from "../state/actions";
import { useApp } from "../state/app";
import { useBoard, useMayWrite, useZone } from "../state/derived";
import { Fold, Section } from "../ui/controls";
import { NoteForm } from "./NoteForm";

type Dispatch = TwinEvent<DispatchBody>;

/** The orders that are not over; of one proposal, all of its orders. */
export function Dispatches({ proposal }: { proposal?: string }) {
  const { t } = useWords();
  const board = useBoard()?.dispatches ?? [];
  const shown = board.filter((each) => (proposal ? each.body.proposal === proposal : each.state !== "reported" && each.state !== "cancelled"));
  if (!shown.length) return null;
  return (
    <Section title={t.dispatches.title} count={shown.filter((each) => each.state === "drafted").length}>
      {shown.map((each) => <Card key={each.id} dispatch={each} />)}
    </Section>
  );
}

function Card({ dispatch }: { dispatch: Dispatch }) {
  const { t, say, language } = useWords();
  const zone = useZone();
  const may = useMayWrite();
  const live = useApp((state) => state.view.kind === "live");
  const { body, id, state } = dispatch;
  const sign = (note: string) => attempt(() => api.signDispatch(id, note), t.dispatches.signed);
  return (
    <div className="proposal" data-dispatch={id} data-state={state}>
      <div className="task-head">
        <span className="task-title">{say(body.title)}</span>
        <span className={`tag tag-${state}`}>{t.dispatches.states[state] ?? state}</span>
      </div>
      <p className="quiet fine">
        {body.exercise && `${t.dispatches.exercise} · `}{say(body.number)}
        {body.signed && ` · ${t.dispatches.signedBy(body.signed_by, showTime(seconds(body.signed), "dayTime", language, zone))}`}
      </p>
      <Fold title={t.dispatches.wording} open={state === "drafted"}><p className="wording">{say(body.wording)}</p></Fold>
      <ul className="recipients">{body.recipients.map((each) => <Recipient key={each.code} dispatch={dispatch} code={each.code} name={say(each.name)} />)}</ul>
      {state === "drafted" && live && (may ? <NoteForm label={t.proposal.note} actions={[{ name: t.dispatches.sign, run: sign }]} /> : <p className="quiet fine">{t.session.readOnly}</p>)}
    </div>
  );
}

/** A recipient with what it has answered; an answer by telephone is noted here. */
function Recipient({ dispatch, code, name }: { dispatch: Dispatch; code: string; name: string }) {
  const { t, language } = useWords();
  const zone = useZone();
  const may = useMayWrite();
  const live = useApp((state) => state.view.kind === "live");
  const { body, id, state } = dispatch;
  const receipt = (what: string) => body.receipts.find((each) => each.recipient === code && each.what === what);
  const reported = receipt("reported");
  const got = reported ?? receipt("acknowledged");
  const next = reported ? null : got ? "reported" : "acknowledged";
  const note = () => attempt(() => api.noteReceipt(id, code, next!), t.dispatches.noted);
  return (
    <li>
      <span>{name}</span>
      <span className="quiet">{got ? `${t.dispatches.receipts[got.what]} ${showTime(seconds(got.at), "dayTime", language, zone)}` : state === "drafted" ? "" : t.dispatches.waiting}</span>
      {next && may && live && (state === "signed" || state === "acknowledged" || state === "overdue") && (
        <button type="button" className="button" onClick={() => void note()}>{t.dispatches.note[next]}</button>
      )}
    </li>
  );
}
