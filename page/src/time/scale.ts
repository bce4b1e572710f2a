/** From time to pixels along the track, and the heights of its small hydrograph. */

export interface Scale {
  start: number;
  end: number;
  width: number;
}

export const toX = (scale: Scale, at: number): number => ((at - scale.start) / (scale.end - scale.start)) * scale.width;
export const toTime = (scale: Scale, x: number): number =>
  scale.start + (Math.min(Math.max(x, 0), scale.width) / scale.width) * (scale.end - scale.start);

/** An SVG path through values between two heights; broken where a value is missing. */
export function pathOf(scale: Scale, time: number[], value: (number | null)[], low: number, high: number, top: number, bottom: number): string {
  let path = "";
  let drawing = false;
  time.forEach((at, row) => {
    const here = value[row];
    if (here === null || here === undefined || !Number.isFinite(here)) {
      drawing = false;
      return;
    }
    const y = bottom - ((here - low) / (high - low || 1)) * (bottom - top);
    path += `${drawing ? "L" : "M"}${toX(scale, at).toFixed(1)} ${y.toFixed(1)}`;
    drawing = true;
  });
  return path;
}
