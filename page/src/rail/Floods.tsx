import { useWords } from "../language";
import { measured, unitText } from "../domain/number";
import { seconds, showTime } from "../domain/time";
import { lookAt, select } from "../state/actions";
import { useApp } from "../state/app";
import { useBoard, useZone } from "../state/derived";
import { Section } from "../ui/controls";

/** The numbered floods of the year, newest first; a click looks back at the hour at which each got its number. */
export function Floods() {
  const { t, language, named } = useWords();
  const zone = useZone();
  const scene = useApp((state) => state.scene)!;
  const floods = useBoard()?.floods ?? [];
  return (
    <Section title={t.floods.title} count={floods.length}>
      {!floods.length && <p className="empty">{t.floods.empty}</p>}
      <ul className="floods">
        {floods.map(({ id, body }) => {
          const station = scene.stations.find((each) => each.code === body.station);
          const unit = scene.quantities.find((each) => each.name === body.quantity)?.unit ?? "";
          return (
            <li key={id}>
              <button type="button" className="flood" onClick={() => { lookAt(seconds(body.time)); select(body.station); }}>
                <span className="flood-number">{body.number}</span>
                <span className="flood-name">{language === "zh" ? body.name : body.name_en}</span>
                <span className="quiet flood-by">{t.floods.by(station ? named(station) : body.section, `${measured(body.value, unit)} ${unitText(unit)}`)}</span>
                <span className="quiet flood-time">{showTime(seconds(body.time), "dayTime", language, zone)}</span>
              </button>
            </li>
          );
        })}
      </ul>
    </Section>
  );
}
