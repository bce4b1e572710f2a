/** The forecast of this station as a bulletin, as it was issued. */

import { api } from "../api/client";
import { useWords } from "../language";
import { Icon } from "../ui/Icon";

export function Bulletin({ station, issued }: { station: string; issued: string }) {
  const { t, language } = useWords();
  return (
    <div className="report bulletin">
      <Icon name="document" />
      <span>{t.reports.forecast}</span>
      <a className="button" href={api.bulletin("html", language, issued, station)} target="_blank" rel="noreferrer">{t.reports.html}</a>
      <a className="button" href={api.bulletin("pdf", language, issued, station)} target="_blank" rel="noreferrer">{t.reports.pdf}</a>
    </div>
  );
}
