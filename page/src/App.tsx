/** The page: bar, rail, map, station, time. On a phone the rail and the station share a sheet below the map. */

import { Suspense, lazy, useEffect } from "react";

import { useWords } from "./language";
import { SignInDialog } from "./session/Session";
import { Rail } from "./rail/Rail";
import { Sheet } from "./rail/Sheet";
import { changeClock, load, lookNow, select, step } from "./state/actions";
import { store, useApp } from "./state/app";
import { StationPanel } from "./station/StationPanel";
import { Timeline } from "./time/Timeline";
import { LostBanner, Toast, ViewBanner } from "./ui/Banners";
import { Guard } from "./ui/Guard";
import { TopBar, focusSearch } from "./ui/TopBar";
import { useNarrow } from "./ui/useNarrow";

const MapView = lazy(() => import("./map/MapView"));

function onKey(event: KeyboardEvent): void {
  const target = event.target as HTMLElement;
  if (event.key === "Escape") {
    if (target instanceof HTMLInputElement) return target.blur();
    if (document.querySelector("dialog[open]")) return;
    if (store.get().view.kind !== "live") return lookNow();
    return select(null);
  }
  if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input, select, textarea, dialog")) return;
  if (event.key === "/") {
    event.preventDefault();
    focusSearch();
  }
  if (event.key === " " && !target.closest("button, summary, a")) {
    event.preventDefault();
    const { clock, session } = store.get();
    if (clock && session && session.role !== "viewer" && clock.phase !== "ended") void changeClock({ phase: clock.phase === "running" ? "paused" : "running" });
  }
  if ((event.key === "ArrowLeft" || event.key === "ArrowRight") && !target.closest("[role=radiogroup]")) {
    event.preventDefault();
    step((event.key === "ArrowLeft" ? -1 : 1) * (event.shiftKey ? 6 : 1));
  }
}

export function App() {
  const { t, language, named } = useWords();
  const scene = useApp((state) => state.scene);
  const fault = useApp((state) => state.fault);
  const theme = useApp((state) => state.theme);
  const selected = useApp((state) => state.selected);
  const tab = useApp((state) => state.tab);
  const sheet = useApp((state) => state.sheet);
  const narrow = useNarrow();
  const tall = useApp((state) => state.tall);
  useEffect(() => {
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  useEffect(() => {
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
    document.documentElement.dataset.theme = theme;
    if (scene) document.title = `${named(scene)}${scene.synthetic ? ` (${t.synthetic})` : ""} · 流域 liuyu`;
  }, [language, theme, scene, named, t]);
  if (fault) return <main className="whole"><p>{t.failed}</p><p className="quiet">{fault}</p><button type="button" className="button" onClick={() => void load()}>{t.retry}</button></main>;
  if (!scene) return <main className="whole"><p className="quiet">{t.loading}</p></main>;
  return (
    <div className={`page${selected ? " has-station" : ""}${scene.synthetic ? " is-synthetic" : ""}${tall ? " is-tall" : ""}`}>
      <TopBar />
      <LostBanner />
      {!narrow && <Guard of={tab}><Rail /></Guard>}
      <main className="stage">
        <Guard of="map"><Suspense fallback={<div className="map" />}><MapView /></Suspense></Guard>
        <ViewBanner />
      </main>
      {narrow ? <Guard of={`${sheet} ${selected}`}><Sheet /></Guard> : selected && <Guard of={selected}><StationPanel /></Guard>}
      <Guard of="time"><Timeline /></Guard>
      <SignInDialog />
      <Toast />
    </div>
  );
}
