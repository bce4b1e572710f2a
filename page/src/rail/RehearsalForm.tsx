/** A new what-if: hold a release for some hours, and multiply the inflow. */

import { type FormEvent, useState } from "react";

import { api } from "../api/client";
import { useWords } from "../language";
import { fixed } from "../domain/number";
import { attemptEvent } from "../state/actions";
import { useApp } from "../state/app";
import { useMayWrite } from "../state/derived";
import { Fold } from "../ui/controls";

/** A round release in the reservoir's range from which to start. */
function usual([low, high]: [number, number]): number {
  const middle = low + (Math.min(high, 1e5) - low) * 0.35;
  const grain = 10 ** Math.max(0, Math.floor(Math.log10(middle || 1)) - 1) * 5;
  return Math.max(low, Math.round(middle / grain) * grain);
}

export function RehearsalForm() {
  const { t, named } = useWords();
  const may = useMayWrite();
  const reservoirs = useApp((state) => state.scene?.reservoirs ?? []);
  const [code, setCode] = useState(reservoirs[0]?.code ?? "");
  const chosen = reservoirs.find((each) => each.code === code) ?? reservoirs[0];
  const [flow, setFlow] = useState(chosen ? usual(chosen.release_range) : 0);
  const [hours, setHours] = useState(72);
  const [factor, setFactor] = useState(1);
  const [name, setName] = useState("");
  const [busy, setBusy] = useState(false);
  if (!chosen) return <p className="empty">{t.rehearse.needsReservoir}</p>;
  const title = name || t.rehearse.defaultName(named(chosen), fixed(flow, 0), hours);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    await attemptEvent(() => api.rehearse({ name: title, releases: { [chosen.code]: Array<number>(hours).fill(flow) }, inflow_factor: factor }), t.rehearse.finished);
    setBusy(false);
  };
  return (
    <Fold title={t.rehearse.form}>
      <form className="what-if" onSubmit={(event) => void submit(event)}>
        <label>{t.rehearse.reservoir}
          <select value={chosen.code} onChange={(event) => setCode(event.target.value)}>{reservoirs.map((each) => <option key={each.code} value={each.code}>{named(each)}</option>)}</select>
        </label>
        <label>{t.rehearse.hold}<span className="with-unit"><input type="number" required min={chosen.release_range[0]} max={chosen.release_range[1]} step="any" value={flow} onChange={(event) => setFlow(event.target.valueAsNumber)} /><i>m³/s</i></span></label>
        <label>{t.rehearse.hours}<span className="with-unit"><input type="number" required min={1} max={168} value={hours} onChange={(event) => setHours(event.target.valueAsNumber)} /><i>h</i></span></label>
        <label title={t.rehearse.inflowHint}>{t.rehearse.inflow}<span className="with-unit"><input type="range" min={0.5} max={1.5} step={0.05} value={factor} onChange={(event) => setFactor(event.target.valueAsNumber)} /><i className="figure-inline">×{fixed(factor, 2)}</i></span></label>
        <label className="wide">{t.rehearse.name}<input type="text" maxLength={80} value={name} placeholder={title} onChange={(event) => setName(event.target.value)} /></label>
        <button type="submit" className="button button-strong wide" disabled={!may || busy} title={may ? undefined : t.session.readOnly}>{busy ? t.rehearse.running : t.rehearse.run}</button>
        {!may && <p className="quiet fine wide">{t.session.readOnly}</p>}
      </form>
    </Fold>
  );
}
