import { api } from "../api/client";
import { useWords } from "../language";
import { iso, showTime } from "../domain/time";
import { useApp } from "../state/app";
import { useBoard, useRecordMoment, useZone } from "../state/derived";
import { Icon } from "../ui/Icon";
import { Section } from "../ui/controls";

/** The report and the bulletins as of the moment in view, in the reader's language. */
export function Reports() {
  const { t, language } = useWords();
  const zone = useZone();
  const live = useApp((state) => state.view.kind !== "past");
  const underWay = useBoard()?.incidents.some((each) => each.state !== "closed") ?? false;
  const moment = useRecordMoment();
  const at = live ? undefined : iso(moment);
  const kinds = underWay ? (["daily", "flood", "forecast"] as const) : (["daily", "forecast"] as const);
  return (
    <Section title={t.reports.title}>
      <Forms kind="report" name={t.reports.current} about={t.reports.asOf(showTime(moment, "dayTime", language, zone))} of={(form) => api.report(form, language, at)} />
      {kinds.map((kind) => (
        <Forms key={kind} kind={kind} name={t.reports[kind]} about={kind === "forecast" ? t.reports.allStations : ""} of={(form) => api.bulletin(form, language, at, undefined, kind)} />
      ))}
    </Section>
  );
}

function Forms({ kind, name, about, of }: { kind: string; name: string; about: string; of: (form: "html" | "pdf" | "docx") => string }) {
  const { t } = useWords();
  return (
    <div className={`report report-${kind}`}>
      <Icon name="document" />
      <span>{name}<span className="quiet"> {about}</span></span>
      <a className="button" href={of("html")} target="_blank" rel="noreferrer">{t.reports.html}</a>
      <a className="button" href={of("pdf")} target="_blank" rel="noreferrer">{t.reports.pdf}</a>
      <a className="button" href={of("docx")} download>{t.reports.docx}</a>
    </div>
  );
}
