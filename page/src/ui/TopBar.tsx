/** Who and where: the mark, the basin, whether it is real, search, language, light, session. */

import { flushSync } from "react-dom";

import { useWords } from "../language";
import { light, openTab, speak } from "../state/actions";
import { useApp } from "../state/app";
import { SessionButton } from "../session/Session";
import { Icon } from "./Icon";
import { SyntheticTag } from "./SyntheticTag";

export function focusSearch(): void {
  flushSync(() => openTab("stations")); // the field must be there before the next key is struck
  document.getElementById("station-search")?.focus();
}

export function TopBar() {
  const { t, language } = useWords();
  const scene = useApp((state) => state.scene);
  const theme = useApp((state) => state.theme);
  const other = theme === "dark" ? "light" : "dark";
  return (
    <header className="bar">
      <a className="unseen-until-focus" href="#rail">{t.skip}</a>
      <h1 className="brand">
        <svg viewBox="0 0 32 32" width="24" height="24" aria-hidden="true"><path d="M6 5c1 7 10 6 10 14v9M26 5c-1 7-10 6-10 14M16 5v8" /></svg>
        <span className="brand-name">{t.product}</span>
        <span className="brand-basin">{scene ? (language === "zh" ? scene.name : scene.name_en || scene.name) : ""}</span>
        <span className="brand-line quiet">{t.tagline}</span>
      </h1>
      <SyntheticTag large />
      <span className="bar-space" />
      <button type="button" className="bar-button bar-search" onClick={focusSearch} title={t.stations.searchKey}><Icon name="search" /><span className="bar-words">{t.stations.search}</span><kbd>/</kbd></button>
      <button type="button" className="bar-button" lang={language === "zh" ? "en" : "zh-CN"} aria-label={t.switchLanguage} title={t.switchLanguage} data-action="language" onClick={() => speak(language === "zh" ? "en" : "zh")}>{t.languageName}</button>
      <button type="button" className="bar-button" aria-label={t.theme[other]} title={t.theme[other]} data-action="theme" onClick={() => light(other)}><Icon name={other === "dark" ? "moon" : "sun"} /></button>
      <SessionButton />
    </header>
  );
}
