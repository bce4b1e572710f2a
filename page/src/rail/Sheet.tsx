/** The phone's sheet below the map: situation, response, what-if, stations and the chosen station. */

import { useWords } from "../language";
import { openTab } from "../state/actions";
import { type Sheet as Name, store, useApp } from "../state/app";
import { StationPanel } from "../station/StationPanel";
import { Icon } from "../ui/Icon";
import { SyntheticTag } from "../ui/SyntheticTag";
import { TABS, TabContent, useCounts } from "./Rail";

export function Sheet() {
  const { t } = useWords();
  const sheet = useApp((state) => state.sheet);
  const selected = useApp((state) => state.selected);
  const counts = useCounts();
  const tall = useApp((state) => state.tall);
  const names: Name[] = selected ? [...TABS, "station"] : TABS;
  const open = (name: Name): void => (name === "station" ? store.set({ sheet: "station" }) : openTab(name));
  return (
    <aside className="panel sheet" id="rail" aria-label={t.tabs[sheet]}>
      <nav className="tabs" role="tablist">
        {names.map((each) => (
          <button key={each} type="button" role="tab" id={`tab-${each}`} aria-selected={each === sheet} aria-controls="rail-body" onClick={() => open(each)}>
            {t.tabs[each]}
            {each !== "station" && each !== "stations" && counts[each] > 0 && <span className="count">{counts[each]}</span>}
          </button>
        ))}
        <button type="button" className="ghost sheet-grow" aria-label={tall ? t.map.show : t.map.hide} aria-pressed={tall} onClick={() => store.set({ tall: !tall })}><Icon name={tall ? "fold" : "unfold"} /></button>
      </nav>
      <div className="rail-body" id="rail-body" role="tabpanel" aria-labelledby={`tab-${sheet}`}>
        {sheet === "station" ? <StationPanel /> : <><SyntheticTag /><TabContent tab={sheet} /></>}
      </div>
    </aside>
  );
}
