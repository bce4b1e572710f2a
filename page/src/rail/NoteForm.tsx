/** A line for a note and the buttons that send it. */

import { type FormEvent, useState } from "react";

interface Action {
  name: string;
  run: (note: string) => Promise<boolean>;
  quiet?: boolean;
}

export function NoteForm({ label, actions }: { label: string; actions: Action[] }) {
  const [note, setNote] = useState("");
  const [busy, setBusy] = useState(false);
  const send = async (action: Action): Promise<void> => {
    setBusy(true);
    if (await action.run(note)) setNote("");
    setBusy(false);
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (actions[0]) void send(actions[0]);
  };
  return (
    <form className="note-form" onSubmit={submit}>
      <input type="text" value={note} placeholder={label} aria-label={label} maxLength={500} onChange={(event) => setNote(event.target.value)} />
      {actions.map((action, place) => (
        <button key={action.name} type={place ? "button" : "submit"} className={action.quiet ? "button" : "button button-strong"} disabled={busy} onClick={place ? () => void send(action) : undefined}>
          {action.name}
        </button>
      ))}
    </form>
  );
}
