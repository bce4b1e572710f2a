/** Who is signed in, and the dialog for name and password. */

import { type FormEvent, useEffect, useRef, useState } from "react";

import { Refused, api } from "../api/client";
import { useWords } from "../language";
import { attempt, tell } from "../state/actions";
import { store, useApp } from "../state/app";
import { Icon } from "../ui/Icon";

export function SessionButton() {
  const { t } = useWords();
  const session = useApp((state) => state.session);
  const leave = (): void => void attempt(async () => {
    await api.signOut();
    store.set({ session: null });
  });
  if (!session) return <button type="button" className="bar-button bar-sign" title={t.session.readOnly} onClick={() => store.set({ signingIn: true })}><Icon name="person" /><span className="bar-words">{t.session.signIn}</span></button>;
  return (
    <button type="button" className="bar-button bar-user" title={t.session.signOut} aria-label={`${session.name}, ${t.session.roles[session.role]}. ${t.session.signOut}`} onClick={leave}>
      <Icon name="person" /><span className="bar-words">{session.name}<small>{t.session.roles[session.role]}</small></span>
    </button>
  );
}

export function SignInDialog() {
  const { t } = useWords();
  const open = useApp((state) => state.signingIn);
  const dialog = useRef<HTMLDialogElement>(null);
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [fault, setFault] = useState("");
  useEffect(() => {
    if (open && !dialog.current?.open) dialog.current?.showModal();
    if (!open) dialog.current?.close();
  }, [open]);
  const close = (): void => {
    setPassword("");
    setFault("");
    store.set({ signingIn: false });
  };
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    try {
      const session = await api.signIn({ name, password });
      store.set({ session });
      tell(t.session.welcome(session.name), "good");
      close();
    } catch (refusal) {
      setFault(refusal instanceof Refused && refusal.status === 401 ? t.session.refused : String((refusal as Error).message));
    }
  };
  return (
    <dialog ref={dialog} className="dialog" onClose={close} aria-labelledby="sign-in-title">
      <form onSubmit={(event) => void submit(event)}>
        <h2 id="sign-in-title">{t.session.title}</h2>
        <label>{t.session.name}<input autoComplete="username" required value={name} onChange={(event) => setName(event.target.value)} /></label>
        <label>{t.session.password}<input type="password" autoComplete="current-password" required value={password} onChange={(event) => setPassword(event.target.value)} /></label>
        {fault && <p className="fault" role="alert">{fault}</p>}
        <p className="quiet fine">{t.session.hint}</p>
        <div className="dialog-actions"><button type="button" className="button" onClick={close}>{t.cancel}</button><button type="submit" className="button button-strong">{t.session.submit}</button></div>
      </form>
    </dialog>
  );
}
