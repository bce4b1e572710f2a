/** A release schedule as a small step line with its ends in numbers. */

import { useWords } from "../language";
import { fixed } from "../domain/number";

const WIDTH = 288;
const HEIGHT = 40;

export function Steps({ flow, label }: { flow: number[]; label: string }) {
  const { t } = useWords();
  if (!flow.length) return null;
  const low = Math.min(...flow);
  const high = Math.max(...flow);
  const room = (high - low) * 0.15 || high * 0.1 || 1;
  const y = (value: number): number => HEIGHT - ((value - low + room) / (high - low + 2 * room)) * HEIGHT;
  const step = WIDTH / flow.length;
  const path = flow.map((value, row) => `${row ? "V" : "M0 "}${y(value).toFixed(1)}H${((row + 1) * step).toFixed(1)}`).join("");
  return (
    <figure className="steps">
      <figcaption>
        <span>{label}</span>
        <span className="quiet figure-inline">{fixed(low, 0)}–{fixed(high, 0)} m³/s · {t.duration(flow.length)}</span>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true"><path className="steps-area" d={`${path}V${HEIGHT}H0Z`} /><path className="steps-line" d={path} /></svg>
    </figure>
  );
}
