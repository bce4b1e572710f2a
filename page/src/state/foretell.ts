/** The picture of a future moment: medians of the newest forecasts, laid over nothing. */

import { api } from "../api/client";
import type { ForecastView } from "../api/types";
import { leading } from "../domain/standing";
import { type Sample, type Table, key } from "../domain/table";
import { HOUR } from "../domain/time";
import { type Picture, store } from "./app";

/** Forecasts of all stations of the newest run, fetched once per issue. */
async function newestForecasts(): Promise<Map<string, ForecastView>> {
  const { run, scene, forecasts } = store.get();
  if (!run || !scene) return new Map();
  if (forecasts?.issued === run.body.issued) return forecasts.of;
  const codes = [...new Set(run.body.stations.map((each) => each.split("/")[0] ?? each))];
  const wanted = scene.stations.filter((each) => codes.includes(each.code));
  const found = await Promise.all(wanted.map((each) => api.forecast(each.code, leading(scene, each))));
  const of = new Map(found.filter((each): each is ForecastView => each !== null).map((each) => [`${each.station} ${each.quantity}`, each]));
  store.set({ forecasts: { issued: run.body.issued, of } });
  return of;
}

/** The median at a moment, straight between the forecast's steps; null outside its horizon. */
export function medianAt(forecast: ForecastView, at: number): number | null {
  const { time } = forecast;
  const median = forecast.quantiles["0.5"];
  if (!median || !time.length || at < time[0]! - HOUR || at > time[time.length - 1]!) return null;
  const after = time.findIndex((each) => each >= at);
  if (after <= 0) return median[0] ?? null;
  const share = (at - time[after - 1]!) / (time[after]! - time[after - 1]!);
  return median[after - 1]! + share * (median[after]! - median[after - 1]!);
}

function tableAt(forecasts: Map<string, ForecastView>, at: number): Table {
  const { scene } = store.get();
  const table = new Map<number, Sample>();
  if (!scene) return table;
  const numbers = new Map(scene.quantities.map((each) => [each.name, each.number]));
  scene.stations.forEach((station, place) => {
    const quantity = leading(scene, station);
    const forecast = forecasts.get(`${station.code} ${quantity}`);
    const value = forecast ? medianAt(forecast, at) : null;
    if (value !== null) table.set(key(place, numbers.get(quantity) ?? 0), { time: at, value, flag: 1 });
  });
  return table;
}

export async function foretell(at: number): Promise<Picture> {
  const forecasts = await newestForecasts();
  const board = store.get().live?.board;
  if (!board) throw new Error("no board yet");
  return { values: tableAt(forecasts, at), earlier: tableAt(forecasts, at - 6 * HOUR), board };
}
