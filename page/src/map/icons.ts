/** Station symbols, drawn once per theme. Each state has a shape of its own, so that colour is never the only sign. */

import { LEVELS, type Level } from "../domain/standing";
import type { Palette } from "./palette";

export const SIZE = 19;
const SCALE = 3;

export type Form = "gauge" | "pool";
export const iconName = (form: Form, level: Level): string => `${form}-${level}`;

type Pen = CanvasRenderingContext2D;

function polygon(pen: Pen, points: [number, number][]): void {
  pen.beginPath();
  points.forEach(([x, y], index) => (index ? pen.lineTo(x, y) : pen.moveTo(x, y)));
  pen.closePath();
}

function circle(pen: Pen, radius: number): void {
  pen.beginPath();
  pen.arc(0, 0, radius, 0, Math.PI * 2);
}

/** The outline of a level's shape, centred on the origin. */
function trace(pen: Pen, form: Form, level: Level): void {
  if (form === "pool") return polygon(pen, [[-7, -5.5], [7, -5.5], [3.6, 6], [-3.6, 6]]);
  switch (level) {
    case "record": {
      const a = 7.2, b = 3;
      return polygon(pen, [[-b, -a], [b, -a], [a, -b], [a, b], [b, a], [-b, a], [-a, b], [-a, -b]]);
    }
    case "guarantee": return polygon(pen, [[0, -8], [8, 0], [0, 8], [-8, 0]]);
    case "warning":
    case "limit": return polygon(pen, [[0, -7.6], [7.8, 6], [-7.8, 6]]);
    case "near": return circle(pen, 5.6);
    case "unrated": return circle(pen, 2.6);
    default: return circle(pen, 4.4);
  }
}

function mark(pen: Pen, level: Level, palette: Palette): void {
  pen.fillStyle = level === "record" ? "#ffffff" : level === "suspect" ? palette.ink : palette.outline;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  if (level === "record") {
    pen.font = "700 10px 'IBM Plex Sans Variable'";
    pen.fillText("!", 0, 0.8);
  }
  if (level === "suspect") {
    pen.font = "700 8px 'IBM Plex Sans Variable'";
    pen.fillText("?", 0, 0.6);
  }
  if (level === "limit" || level === "guarantee") {
    pen.beginPath();
    pen.arc(0, level === "limit" ? 1.4 : 0, 1.7, 0, Math.PI * 2);
    pen.fill();
  }
}

function draw(form: Form, level: Level, palette: Palette, scale = SCALE): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIZE * scale;
  const pen = canvas.getContext("2d")!;
  pen.scale(scale, scale);
  pen.translate(SIZE / 2, SIZE / 2);
  pen.lineJoin = "round";
  const hollow = level === "normal" || level === "nodata" || level === "suspect";
  trace(pen, form, level);
  pen.strokeStyle = palette.halo;
  pen.lineWidth = 3.4;
  pen.stroke();
  trace(pen, form, level);
  pen.fillStyle = palette.level[level];
  pen.fill();
  if (level === "nodata") pen.setLineDash([2, 1.8]);
  pen.strokeStyle = level === "nodata" ? palette.faint : hollow ? palette.ink : palette.outline;
  if (level === "unrated" && form === "gauge") pen.strokeStyle = palette.halo;
  pen.lineWidth = hollow ? 1.5 : 1;
  pen.stroke();
  pen.setLineDash([]);
  mark(pen, level, palette);
  return canvas;
}

/** Every icon of a theme, by name. */
export function icons(palette: Palette): Map<string, ImageData> {
  const all = new Map<string, ImageData>();
  for (const form of ["gauge", "pool"] as const) {
    for (const level of LEVELS) {
      const canvas = draw(form, level, palette);
      all.set(iconName(form, level), canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height));
    }
  }
  const dam = document.createElement("canvas");
  dam.width = dam.height = 10 * SCALE;
  const pen = dam.getContext("2d")!;
  pen.scale(SCALE, SCALE);
  pen.translate(5, 5);
  polygon(pen, [[-3, -2.2], [3, -2.2], [1.4, 2.4], [-1.4, 2.4]]);
  pen.strokeStyle = palette.faint;
  pen.lineWidth = 1;
  pen.stroke();
  all.set("dam", pen.getImageData(0, 0, dam.width, dam.height));
  return all;
}

export const PIXEL_RATIO = SCALE;
