/** What the twin sends, as it sends it: names and units follow the nouns in `liuyu.basin`. Times are ISO 8601 UTC. */

export type Language = "zh" | "en";
export type Text = Partial<Record<Language, string>>;
export type Severity = "blue" | "yellow" | "orange" | "red";
export type Position = [number, number];

export interface Place {
  code: string;
  name: string;
  name_en: string;
  position: Position | null;
}

export interface Station extends Place {
  river: string;
  kind: string;
  quantities: string[];
  datum: string;
  interval: number;
  rank: number;
  chainage_km: number | null;
  source: string;
}

/** A part of every year, from and to a month and day. */
export interface YearPart {
  start: [number, number];
  end: [number, number];
}

export interface Threshold {
  station: string;
  quantity: string;
  kind: string;
  value: number;
  datum: string;
  side: "above" | "below";
  season: YearPart | null;
  source: string;
}

export interface Reservoir extends Place {
  station: string;
  release_range: [number, number];
  release_ramp: number;
  downstream: string;
}

export interface Quantity {
  number: number;
  name: string;
  name_zh: string;
  unit: string;
  decimals: number;
  meaning: string;
}

export interface LayerLink {
  kind: string;
  url: string;
  source: string;
  licence: string;
}

export interface TileJson {
  minzoom?: number;
  maxzoom?: number;
  bounds?: number[];
}

export interface Scene {
  code: string;
  name: string;
  name_en: string;
  time_zone: string;
  synthetic: boolean;
  attribution: string;
  attribution_zh: string;
  stations: Station[];
  thresholds: Threshold[];
  reservoirs: Reservoir[];
  quantities: Quantity[];
  threshold_kinds: Record<string, [string, string]>;
  layers: LayerLink[];
}

export interface ClockState {
  now: string;
  start: string;
  end: string;
  speed: number;
  phase: "running" | "paused" | "ended";
}

/** Observations in columns; `station` is the place in the scene's list, `quantity` the number in its table. */
export interface Columns {
  station: number[];
  quantity: number[];
  time: number[];
  value: number[];
  flag: number[];
}

export interface SeriesColumns {
  time: number[];
  value: (number | null)[];
  flag: number[];
}

export interface RollupColumns {
  time: number[];
  count: number[];
  minimum: number[];
  maximum: number[];
  mean: number[];
}

/** How forecasts of one lead time have been: RMSE beside that of no change, and the share within the 80 % range. */
export interface Skill {
  lead_h: number;
  n?: number;
  rmse: number;
  rmse_persistence?: number;
  coverage_80?: number;
  dc?: number;
  qr?: number;
  grade?: string;
}

/** A time with the range in which 80 % of the members concerned lie. */
export interface When {
  start: string;
  median: string;
  end: string;
}

/** The chance above which a notice of a rule goes out. */
export interface Limit {
  rule: string;
  severity: Severity;
  limit: number;
  horizon_h: number;
  action: Text;
}

/** How likely a line is crossed by each time and lead [h], and when; `limits` of the rules on it. */
export interface Chance {
  threshold: string;
  value: number;
  side: "above" | "below";
  chance: number[];
  leads: Record<string, number>;
  crossing: When | null;
  limits: Limit[];
}

/** The highest value with its 80 % range; `open` is the share of members whose peak is yet to come. */
export interface Peak {
  low: number;
  median: number;
  high: number;
  time: When;
  open: number;
}

export interface ForecastView {
  station: string;
  quantity: string;
  issued: string;
  model: string;
  time: number[];
  quantiles: Record<string, number[]>;
  chances: Chance[];
  peak: Peak;
  at_issue: { time: string; value: number } | null;
  others: ForecastIssue[];
  drivers: Record<string, unknown>;
  provenance: Record<string, unknown>;
}

export interface ForecastIssue {
  issued: string;
  model: string;
  time: number[];
  median: number[];
}

export interface TwinEvent<Body = Record<string, unknown>> {
  kind: string;
  time: string;
  id: string;
  state: string;
  subject: string;
  body: Body;
  seq: number;
}

export interface AlertBody {
  rule: string;
  subject: string;
  quantity: string;
  severity: Severity;
  title: Text;
  since: string;
  value: number;
  threshold: string;
  threshold_value: number | null;
  margin: number | null;
  unit: string;
  why: Text[];
  group: string;
  inhibited_by: string;
  acknowledged_by: string;
  note: string;
}

export interface FloodBody {
  name: string;
  name_en: string;
  year: number;
  number: number;
  section: string;
  station: string;
  quantity: string;
  value: number;
  threshold_value: number;
  time: string;
  why: Text[];
}

export interface NoticeBody {
  station: string;
  quantity: string;
  threshold: string;
  threshold_value: number;
  severity: Severity;
  issued: string;
  chance: number;
  crossing: string | null;
  crossing_from: string | null;
  crossing_to: string | null;
  peak: number;
  peak_time: string;
  title: Text;
  model: string;
  near: number;
  outcome: string;
  lead_h: number | null;
  limit: number | null;
  action: Text;
}

export interface ForecastBody {
  issued: string;
  model: string;
  stations: string[];
  horizon_h: number;
  members: number;
}

export interface IncidentBody {
  title: Text;
  level: Severity;
  opened: string;
  stations: string[];
  alerts: string[];
  floods: string[];
  summary: Text;
  entry: Text;
}

export interface TaskBody {
  incident: string;
  title: Text;
  owner: string;
  due: string;
  owner_name: Text;
  escalated_to: Text;
  rule: string;
  done_by: string;
  note: string;
}

export interface RehearsalBody {
  name: Text;
  issued: string;
  releases: Record<string, number[]>;
  results: RehearsalRow[];
  binding: Text[];
}

/** One station with and without the change: its median peak, when, and the hours above warning to be expected. */
export interface RehearsalRow {
  station: string;
  quantity: string;
  unit: string;
  peak_without: number;
  peak_with: number;
  peak_time_without: string;
  peak_time_with: string;
  peak_change: number;
  hours_above_warning_without?: number;
  hours_above_warning_with?: number;
  warning?: number;
}

/** One release schedule that was tried, the best first. */
export interface Alternative {
  name: Text;
  loss: number;
  exceedance_m_h: number;
  highest_level: number;
  end_level: number;
  least_release: number;
  most_release: number;
  peaks: Record<string, number>;
}

export interface ProposalBody {
  issued: string;
  reservoir: string;
  title: Text;
  releases: Record<string, number[]>;
  compared: Alternative[];
  reason: Text;
  binding: Text[];
  decided_by: string;
  note: string;
}

export interface ResponseBody {
  plan: string;
  version: string;
  incident: string;
  title: Text;
  level: string;
  proposed_level: string;
  proposed_by: string;
  approved_by: string;
  why: Text[];
  note: string;
}

export interface DispatchBody {
  form: "order" | "notification";
  number: Text;
  title: Text;
  wording: Text;
  recipients: { code: string; name: Text }[];
  proposal: string;
  signed: string | null;
  signed_by: string;
  receipts: { recipient: string; what: "acknowledged" | "reported"; at: string; by: string }[];
  exercise: boolean;
}

export interface QualityBody {
  station: string;
  quantity: string;
  test: string;
  value: number;
  title: Text;
}

export interface SourceBody {
  station: string;
  last: string;
  title: Text;
}

export interface ReportBody {
  kind: string;
  title: Text;
  files: string[];
}

/** A season against one threshold. */
export interface Exceedance {
  kind: string;
  value: number;
  hours: number;
  first: string | null;
  last: string | null;
  count: number;
}

export interface Season {
  year: number;
  start: string;
  end: string;
  count: number;
  coverage: number;
  maximum: number;
  maximum_time: string;
  minimum: number;
  minimum_time: string;
  mean: number;
  rank: number;
  exceedances: Exceedance[];
}

/** How the notices of a line stood the test: pod, far and csi as shares, lead times as least, median, longest [h]. */
/** How good recent forecasts of a model were at a lead, in the unit of the quantity; `qr` in per cent. */
export interface ModelScore {
  model: string;
  lead_h: number;
  n: number;
  rmse: number;
  bias: number;
  rmse_persistence: number;
  qr: number;
  dc: number | null;
  grade: string;
}

export interface Tally {
  station: string;
  quantity: string;
  threshold: string;
  near: number;
  hits: number;
  misses: number;
  false_alarms: number;
  pod: number | null;
  far: number | null;
  csi: number | null;
  lead_h: [number, number, number] | null;
}

/** What was set aside; `size` in bytes. */
export interface Letter {
  id: number;
  source: string;
  reason: string;
  received: string;
  state: "waiting" | "replayed" | "refused";
  size: number;
  note: string;
}

/** An order to a station, and its answer once there is one. */
export interface StationOrder {
  id: string;
  station: string;
  order: string;
  code: string;
  name: Text;
  by: string;
  at: string;
  deadline: string;
  state: "queued" | "sent" | "answered" | "refused" | "expired";
  ended: string | null;
  reason: string;
  answer: Record<string, unknown> | null;
}

/** The newest event of every id as of a time, gathered by kind, newest first. */
export interface Board {
  alerts: TwinEvent<AlertBody>[];
  notices: TwinEvent<NoticeBody>[];
  floods: TwinEvent<FloodBody>[];
  incidents: TwinEvent<IncidentBody>[];
  tasks: TwinEvent<TaskBody>[];
  responses: TwinEvent<ResponseBody>[];
  dispatches: TwinEvent<DispatchBody>[];
  rehearsals: TwinEvent<RehearsalBody>[];
  proposals: TwinEvent<ProposalBody>[];
  reports: TwinEvent<ReportBody>[];
  quality: TwinEvent<QualityBody>[];
  sources: TwinEvent<SourceBody>[];
}

export interface User {
  name: string;
  role: "viewer" | "duty_officer" | "administrator";
}
