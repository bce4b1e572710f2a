/** Keeps a fault in one panel from taking the whole page with it. */

import { Component, type ReactNode } from "react";

import { dictionary } from "../language";
import { store } from "../state/app";

interface State {
  fault: Error | null;
}

export class Guard extends Component<{ children: ReactNode; of: string }, State> {
  override state: State = { fault: null };

  static getDerivedStateFromError(fault: Error): State {
    return { fault };
  }

  /** What is shown next may work again: another station, another tab. */
  override componentDidUpdate(before: { of: string }): void {
    if (before.of !== this.props.of && this.state.fault) this.setState({ fault: null });
  }

  override render(): ReactNode {
    const { fault } = this.state;
    if (!fault) return this.props.children;
    const t = dictionary(store.get().language);
    return (
      <div className="guard" role="alert">
        <p>{t.broken}</p>
        <p className="quiet fine">{fault.message}</p>
        <button type="button" className="button" onClick={() => this.setState({ fault: null })}>{t.retry}</button>
      </div>
    );
  }
}
