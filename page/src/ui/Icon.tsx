/** Line icons on a 20 px grid, drawn here. */

const PATHS = {
  play: "M6.5 4.2v11.6L15.8 10z",
  pause: "M6 4.5h2.6v11H6zM11.4 4.5H14v11h-2.6z",
  end: "M4.5 4.5v11L11 10zM11 4.5v11l6.2-5.5",
  plus: "M10 4v12M4 10h12",
  minus: "M4 10h12",
  frame: "M3.5 7.5v-4h4M12.5 3.5h4v4M16.5 12.5v4h-4M7.5 16.5h-4v-4",
  search: "M9 3.8a5.2 5.2 0 1 0 0 10.4A5.2 5.2 0 0 0 9 3.8zM12.8 12.8l3.7 3.7",
  close: "M5 5l10 10M15 5 5 15",
  chevron: "M7.5 5l5 5-5 5",
  sun: "M10 6.7a3.3 3.3 0 1 0 0 6.6 3.3 3.3 0 0 0 0-6.6zM10 2v2M10 16v2M2 10h2M16 10h2M4.4 4.4l1.4 1.4M14.2 14.2l1.4 1.4M15.6 4.4l-1.4 1.4M5.8 14.2l-1.4 1.4",
  moon: "M15.8 12.2A6.6 6.6 0 0 1 7.8 4.2a6.6 6.6 0 1 0 8 8z",
  person: "M10 3.5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM4 16.5c.6-3.2 3-4.8 6-4.8s5.4 1.6 6 4.8",
  check: "M4.5 10.5l3.6 3.6 7.4-8",
  document: "M5.5 2.8h6l3.5 3.5v10.9h-9.5zM11.3 3v3.6H15M7.7 10h5M7.7 13h5",
  back: "M10.5 5 5.5 10l5 5M5.5 10h10",
  unfold: "M4.5 11.5 10 6l5.5 5.5",
  fold: "M4.5 8.5 10 14l5.5-5.5",
  up: "M10 15.5v-11M5.5 9 10 4.5 14.5 9",
  down: "M10 4.5v11M5.5 11l4.5 4.5 4.5-4.5",
  steady: "M4.5 10h11M11 5.5l4.5 4.5-4.5 4.5",
} as const;

export type IconName = keyof typeof PATHS;
const FILLED = new Set<IconName>(["play", "pause"]);

export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  return (
    <svg className={FILLED.has(name) ? "icon icon-filled" : "icon"} viewBox="0 0 20 20" width={size} height={size} aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
