import { api } from "../api/client";
import { useWords } from "../language";
import { iso, showTime } from "../domain/time";
import { useApp } from "../state/app";
import { useRecordMoment, useZone } from "../state/derived";
import { Icon } from "../ui/Icon";
import { Section } from "../ui/controls";

/** The bulletin as of the moment in view, in the reader's language. */
export function Reports() {
  const { t, language } = useWords();
  const zone = useZone();
  const live = useApp((state) => state.view.kind !== "past");
  const moment = useRecordMoment();
  const at = live ? undefined : iso(moment);
  return (
    <Section title={t.reports.title}>
      <div className="report">
        <Icon name="document" />
        <span>{t.reports.current}<span className="quiet"> {t.reports.asOf(showTime(moment, "dayTime", language, zone))}</span></span>
        <a className="button" href={api.report("html", language, at)} target="_blank" rel="noreferrer">{t.reports.html}</a>
        <a className="button" href={api.report("pdf", language, at)} target="_blank" rel="noreferrer">{t.reports.pdf}</a>
        <a className="button" href={api.report("docx", language, at)} download>{t.reports.docx}</a>
      </div>
      <div className="report report-forecast">
        <Icon name="document" />
        <span>{t.reports.bulletin}<span className="quiet"> {t.reports.allStations}</span></span>
        <a className="button" href={api.bulletin("html", language, at)} target="_blank" rel="noreferrer">{t.reports.html}</a>
        <a className="button" href={api.bulletin("pdf", language, at)} target="_blank" rel="noreferrer">{t.reports.pdf}</a>
        <a className="button" href={api.bulletin("docx", language, at)} download>{t.reports.docx}</a>
      </div>
    </Section>
  );
}
