/** Small controls used all over: a choice of few, a switch, a fold, an empty place. */

import { type ReactNode, useId } from "react";

import { Icon } from "./Icon";

interface Choice<T> {
  value: T;
  label: string;
  title?: string;
}

export function Segmented<T extends string | number>({ label, value, options, onChange, disabled = false }: { label: string; value: T; options: Choice<T>[]; onChange: (value: T) => void; disabled?: boolean }) {
  return (
    <div className="segmented" role="radiogroup" aria-label={label}>
      {options.map((each) => (
        <button key={each.value} type="button" role="radio" aria-checked={each.value === value} disabled={disabled} title={each.title} onClick={() => onChange(each.value)}>
          {each.label}
        </button>
      ))}
    </div>
  );
}

export function Switch({ label, on, onChange }: { label: string; on: boolean; onChange: (on: boolean) => void }) {
  return (
    <button type="button" className="switch" role="switch" aria-checked={on} onClick={() => onChange(!on)}>
      <i aria-hidden="true" />{label}
    </button>
  );
}

export function Fold({ title, count, children, open = false }: { title: string; count?: number; children: ReactNode; open?: boolean }) {
  return (
    <details className="fold" open={open}>
      <summary><Icon name="chevron" size={14} /><span>{title}</span>{count !== undefined && <span className="count">{count}</span>}</summary>
      <div className="fold-body">{children}</div>
    </details>
  );
}

export function Section({ title, count, aside, children }: { title: string; count?: number; aside?: ReactNode; children: ReactNode }) {
  const id = useId();
  return (
    <section className="section" aria-labelledby={id}>
      <header className="section-head"><h2 id={id}>{title}{count !== undefined && count > 0 && <span className="count">{count}</span>}</h2>{aside}</header>
      {children}
    </section>
  );
}
