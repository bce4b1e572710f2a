/** Numbers as the field writes them: levels to the centimetre, discharges without decimals. */

const MINUS = "−";
const formats = new Map<number, Intl.NumberFormat>();

export function fixed(value: number, decimals: number): string {
  let format = formats.get(decimals);
  if (!format) {
    format = new Intl.NumberFormat("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
    formats.set(decimals, format);
  }
  return format.format(value).replace("-", MINUS);
}

export function signed(value: number, decimals: number): string {
  const text = fixed(Math.abs(value), decimals);
  return Number(value.toFixed(decimals)) === 0 ? text : (value > 0 ? "+" : MINUS) + text;
}

const DECIMALS: Record<string, number> = {
  m: 2, "m3/s": 0, m3: 0, mm: 1, degC: 1, "m/s": 2, "%": 0, V: 1,
};
const UNITS: Record<string, string> = { "m3/s": "m³/s", m3: "m³", degC: "°C" };

/** The unit as the table of quantities writes it, whichever way it was written. */
const plain = (unit: string): string => unit.replace("³", "3").replace("²", "2");
export const decimalsOf = (unit: string): number => DECIMALS[plain(unit)] ?? 2;
export const unitText = (unit: string): string => UNITS[unit] ?? unit;

/** A value in its unit: small discharges keep a decimal, so that a brook is not shown as nothing. */
export function measured(value: number, unit: string): string {
  if (plain(unit) === "m3/s" && Math.abs(value) < 100) return fixed(value, 1);
  return fixed(value, decimalsOf(unit));
}

export const percent = (share: number): string => {
  const hundred = share * 100;
  if (hundred > 0 && hundred < 1) return "<1%";
  if (hundred > 99 && hundred < 100) return ">99%";
  return `${Math.round(hundred)}%`.replace("-", MINUS);
};
