/** Orders to a station that reports by telemetry, and what it answered; only where the twin is live and the user may. */

import { useCallback, useEffect, useState } from "react";

import { api } from "../api/client";
import type { StationOrder } from "../api/types";
import { useWords } from "../language";
import { seconds, showTime } from "../domain/time";
import { attempt } from "../state/actions";
import { useMayWrite, useZone } from "../state/derived";
import { Fold } from "../ui/controls";

const OFFERED = ["query", "clock", "read-clock", "state"] as const;
const UNDER_WAY = new Set(["queued", "sent"]);

/** A value in a station's answer, as `lines` of its protocol give it. */
interface Element {
  id: string;
  name?: string;
  quantity?: string | null;
  value: unknown;
  unit?: string;
}

export function Orders({ station }: { station: string }) {
  const { t } = useWords();
  const may = useMayWrite();
  const [orders, setOrders] = useState<StationOrder[] | null>(null);
  const [busy, setBusy] = useState(false);
  const read = useCallback(async (signal?: AbortSignal) => setOrders(await api.orders(station, signal).catch(() => null)), [station]);
  useEffect(() => {
    if (!may) return;
    const mine = new AbortController();
    void read(mine.signal);
    return () => mine.abort();
  }, [may, read]);
  const waiting = orders?.some((each) => UNDER_WAY.has(each.state)) ?? false;
  useEffect(() => {
    if (!waiting) return;
    const timer = window.setInterval(() => void read(), 3000);
    return () => window.clearInterval(timer);
  }, [waiting, read]);
  if (!may || orders === null) return null;
  const send = async (order: string): Promise<void> => {
    setBusy(true);
    await attempt(() => api.order(station, order), t.orders.sent);
    await read();
    setBusy(false);
  };
  return (
    <Fold title={t.orders.title} count={orders.length || undefined}>
      <div className="orders-offered">{OFFERED.map((each) => <button key={each} type="button" className="button" disabled={busy} onClick={() => void send(each)}>{t.orders.names[each]}</button>)}</div>
      <ul className="orders">{orders.map((each) => <Row key={each.id} order={each} />)}</ul>
    </Fold>
  );
}

function Row({ order }: { order: StationOrder }) {
  const { t, say, language } = useWords();
  const zone = useZone();
  return (
    <li data-order={order.id}>
      <div className="order-head">
        <b>{say(order.name) || order.order}</b> <span className={`tag${UNDER_WAY.has(order.state) ? " tag-strong" : ""}`}>{t.orders.states[order.state]}</span>
        <span className="quiet fine">{showTime(seconds(order.at), "dayTime", language, zone)} · {order.by}</span>
      </div>
      {order.reason && order.state !== "answered" && <p className="quiet fine">{order.reason}</p>}
      {order.answer && <Answer answer={order.answer} />}
    </li>
  );
}

/** The elements of an answer by name; of an answer without any, the station's clock. */
function Answer({ answer }: { answer: Record<string, unknown> }) {
  const { t, language } = useWords();
  const elements = Array.isArray(answer.elements) ? (answer.elements as Element[]) : [];
  const pairs: [string, string][] = elements.length
    ? elements.map((each) => [(language === "zh" ? each.name : t.quantity[each.quantity ?? ""]) || each.name || each.id, `${plain(each.value)}${each.unit ? ` ${each.unit}` : ""}`])
    : [[t.orders.stationTime, plain(answer.send_time ?? answer.time)]];
  return <dl className="pairs order-answer">{pairs.slice(0, 24).map(([key, value], row) => <div key={`${key} ${row}`}><dt>{key}</dt><dd className="figure-inline">{value}</dd></div>)}</dl>;
}

const plain = (value: unknown): string => (typeof value === "object" && value !== null ? JSON.stringify(value) : String(value ?? "—"));
