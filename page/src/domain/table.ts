/** The newest value of every series, by station and quantity. */

import type { Columns } from "../api/types";

export interface Sample {
  time: number;
  value: number;
  flag: number;
}

/** Keyed by place in the roster x 64 + quantity number; a table is never changed, a newer one replaces it. */
export type Table = ReadonlyMap<number, Sample>;

const WIDTH = 64;
export const key = (place: number, quantity: number): number => place * WIDTH + quantity;

export function tableOf(columns: Columns): Table {
  return merged(new Map(), columns);
}

/** The table with newer values laid over it; values older than those in it are passed by. Doubted ones too (flag >= 3). */
export function merged(table: Table, columns: Columns): Table {
  const next = new Map(table);
  for (let row = 0; row < columns.time.length; row++) {
    const time = columns.time[row]!;
    const value = columns.value[row];
    const flag = columns.flag[row] ?? 2;
    if (value === null || value === undefined || !Number.isFinite(value) || flag > 2) continue;
    const where = key(columns.station[row]!, columns.quantity[row]!);
    const older = next.get(where);
    if (!older || time >= older.time) next.set(where, { time, value, flag });
  }
  return next;
}
