/** The rail: what matters now, what is being done, what could be done, and every station. */

import { useWords } from "../language";
import { openTab } from "../state/actions";
import { type Tab, useApp } from "../state/app";
import { useBoard } from "../state/derived";
import { SyntheticTag } from "../ui/SyntheticTag";
import { waits } from "./Alerts";
import { Response } from "./Response";
import { Situation } from "./Situation";
import { StationList } from "./StationList";
import { WhatIf } from "./WhatIf";

export const TABS: Tab[] = ["situation", "response", "rehearse", "stations"];

/** What waits for someone under each tab. */
export function useCounts(): Record<Tab, number> {
  const board = useBoard();
  const stations = useApp((state) => state.scene?.stations.length ?? 0);
  if (!board) return { situation: 0, response: 0, rehearse: 0, stations };
  return {
    situation: board.alerts.filter((each) => waits(each) && !each.body.inhibited_by).length,
    response: [...board.tasks.filter((each) => each.state === "assigned" || each.state === "overdue"), ...board.dispatches.filter((each) => each.state === "drafted")].length,
    rehearse: board.proposals.filter((each) => each.state === "proposed").length,
    stations,
  };
}

export function TabContent({ tab }: { tab: Tab }) {
  if (tab === "response") return <Response />;
  if (tab === "rehearse") return <WhatIf />;
  if (tab === "stations") return <StationList />;
  return <Situation />;
}

export function Rail() {
  const { t } = useWords();
  const tab = useApp((state) => state.tab);
  const counts = useCounts();
  return (
    <aside className="panel rail" id="rail" aria-label={t.tabs.situation}>
      <nav className="tabs" role="tablist">
        {TABS.map((each) => (
          <button key={each} type="button" role="tab" id={`tab-${each}`} aria-selected={each === tab} aria-controls="rail-body" onClick={() => openTab(each)}>
            {t.tabs[each]}
            {each !== "stations" && counts[each] > 0 && <span className="count">{counts[each]}</span>}
          </button>
        ))}
      </nav>
      <SyntheticTag />
      <div className="rail-body" id="rail-body" role="tabpanel" aria-labelledby={`tab-${tab}`} tabIndex={-1}><TabContent tab={tab} /></div>
    </aside>
  );
}
