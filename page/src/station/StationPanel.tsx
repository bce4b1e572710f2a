/** One station: its value and margins, its hydrograph with the forecast, chances, skill and season. */

import { useEffect, useMemo, useState } from "react";

import { Hydrograph } from "../chart/Hydrograph";
import { useContent } from "../chart/useContent";
import { useWords } from "../language";
import { measured, signed, unitText } from "../domain/number";
import type { Standing } from "../domain/standing";
import { seconds, showTime } from "../domain/time";
import { select } from "../state/actions";
import { useApp } from "../state/app";
import { useStanding, useZone } from "../state/derived";
import { Icon } from "../ui/Icon";
import { LevelMark } from "../ui/LevelMark";
import { Segmented, Switch } from "../ui/controls";
import { SyntheticTag } from "../ui/SyntheticTag";
import { Assumptions } from "./Assumptions";
import { Bulletin } from "./Bulletin";
import { Chances } from "./Chances";
import { Issues } from "./Issues";
import { Margins } from "./Margins";
import { Models, comparedOf } from "./Models";
import { Orders } from "./Orders";
import { SeasonStatistics } from "./SeasonStatistics";
import { Skill } from "./Skill";

const RANGES = [3, 7, 14, 30];

export function StationPanel() {
  const { t } = useWords();
  const selected = useApp((state) => state.selected);
  const standing = useStanding(selected);
  if (!standing) return <section className="panel station station-none" aria-label={t.station.panel}><p className="empty">{t.station.choose}</p></section>;
  return <Chosen key={standing.station.code} standing={standing} />;
}

function Chosen({ standing }: { standing: Standing }) {
  const { t, named } = useWords();
  const scene = useApp((state) => state.scene)!;
  const { station } = standing;
  const [quantity, setQuantity] = useState(standing.quantity);
  const [days, setDays] = useState(7);
  const [earlier, setEarlier] = useState(false);
  const [compare, setCompare] = useState(false);
  const [issue, setIssue] = useState<number | null>(null);
  const unitOf = useMemo(() => new Map(scene.quantities.map((each) => [each.name, each.unit])), [scene]);
  const offered = station.quantities.filter((each) => unitOf.has(each));
  const others = offered
    .filter((each) => each !== quantity && (quantity === "water_level" ? unitOf.get(each) === "m3/s" : each === "water_level"))
    .slice(0, 2)
    .map((each) => ({ quantity: each, unit: unitOf.get(each) ?? "" }));
  const [second, setSecond] = useState(station.kind === "RR");
  const content = useContent({
    station: station.code, quantity, unit: unitOf.get(quantity) ?? "", others: second ? others : [], days, earlier, issue: earlier ? issue : null,
  });
  const shown = useMemo(() => content && {
    ...content,
    issues: issue === null ? content.issues : [],
    marked: earlier && issue !== null && content.forecast ? seconds(content.forecast.issued) : null,
    compared: compare ? comparedOf(content, t) : [],
  }, [content, compare, earlier, issue, t]);
  useEffect(() => setQuantity(standing.quantity), [standing.quantity]);
  useEffect(() => setIssue(null), [quantity, days]);
  return (
    <section className="panel station" aria-label={`${t.station.panel} ${named(station)}`} data-station={station.code}>
      <Head standing={standing} />
      <div className="station-body">
        <Reading standing={standing} />
        <Margins standing={standing} />
        <div className="block">
          <div className="block-head">
            <h3>{t.station.hydrograph}</h3>
            <Segmented label={t.station.hydrograph} value={days} onChange={setDays} options={RANGES.map((each) => ({ value: each, label: t.station.range(each) }))} />
          </div>
          {offered.length > 1 && (
            <div className="chart-tools">
              <Segmented label={t.station.quantity} value={quantity} onChange={setQuantity} options={offered.slice(0, 4).map((each) => ({ value: each, label: quantityName(t, each, station.kind) }))} />
            </div>
          )}
          {shown ? <Hydrograph station={station.code} content={shown} days={days} /> : <div className="hydrograph-wait" aria-hidden="true" />}
          <div className="chart-tools">
            {others.length > 0 && <Switch label={others.map((each) => t.quantity[each.quantity] ?? each.quantity).join(" · ")} on={second} onChange={setSecond} />}
            <Switch label={t.station.earlier} on={earlier} onChange={setEarlier} />
            {content?.forecast && <Switch label={t.station.models} on={compare} onChange={setCompare} />}
          </div>
          {earlier && content && <Issues issues={content.issues} issue={issue} onChange={setIssue} />}
        </div>
        {content?.forecast ? (
          <>
            <Chances forecast={content.forecast} unit={content.unit} />
            <Models content={content} />
            <Assumptions forecast={content.forecast} />
            <Skill forecast={content.forecast} unit={content.unit} />
            <Bulletin station={station.code} issued={content.forecast.issued} />
          </>
        ) : (
          content && <p className="empty">{t.station.noForecast}</p>
        )}
        <Orders station={station.code} />
        <SeasonStatistics station={station.code} quantity={quantity} unit={unitOf.get(quantity) ?? ""} />
        <Facts standing={standing} />
      </div>
    </section>
  );
}

function quantityName(t: ReturnType<typeof useWords>["t"], quantity: string, kind: string): string {
  return quantity === "water_level" && kind === "RR" ? t.poolLevel : (t.quantity[quantity] ?? quantity);
}

function Head({ standing }: { standing: Standing }) {
  const { t, named, language } = useWords();
  const { station } = standing;
  const other = language === "zh" ? station.name_en : station.name;
  return (
    <header className="panel-head">
      <div className="station-name">
        <h2>{named(station)}</h2>
        <p className="quiet">{[other, station.river, t.kind[station.kind] ?? station.kind].filter(Boolean).join(" · ")}</p>
      </div>
      <SyntheticTag />
      <button type="button" className="ghost" aria-label={t.close} title={`${t.close} (Esc)`} onClick={() => select(null)}><Icon name="close" /></button>
    </header>
  );
}

const TREND_ICON = { rising: "up", falling: "down", steady: "steady" } as const;

function Reading({ standing }: { standing: Standing }) {
  const { t, language } = useWords();
  const zone = useZone();
  const { sample, unit, trend, rate, level, foretold, station } = standing;
  const name = standing.quantity === "water_level" && station.kind === "RR" ? t.poolLevel : (t.quantity[standing.quantity] ?? standing.quantity);
  return (
    <div className="reading">
      <div className="reading-value">
        <span className="reading-name">{name}</span>
        <span className="reading-figure">{sample ? measured(sample.value, unit) : "—"}</span>
        <span className="unit">{unitText(unit)}</span>
      </div>
      <div className="reading-side">
        <span className={`state state-${level}`}><LevelMark level={level} pool={station.kind === "RR"} />{t.level[level]}</span>
        {trend && rate !== null && (
          <span className="reading-trend"><Icon name={TREND_ICON[trend]} size={15} />{t.trend[trend]} <span className="figure-inline">{t.perHour(`${signed(unit === "m" ? rate * 100 : rate, unit === "m" ? 1 : 0)} ${unit === "m" ? "cm" : unitText(unit)}`)}</span></span>
        )}
        <span className="quiet">{sample ? (foretold ? t.station.forecastFor : t.station.observed)(showTime(sample.time, "dayTime", language, zone)) : t.station.noValue}</span>
      </div>
    </div>
  );
}

function Facts({ standing }: { standing: Standing }) {
  const { t } = useWords();
  const { station } = standing;
  return (
    <p className="facts quiet">
      {t.station.code} <span className="figure-inline">{station.code}</span>
      {" · "}
      {station.datum === "unknown" ? t.station.datumUnknown : t.station.datum(station.datum)}
      {station.source && <>{" · "}{t.station.source} {station.source}</>}
    </p>
  );
}
