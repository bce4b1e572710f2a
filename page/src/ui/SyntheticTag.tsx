/** Says on every panel that the basin is made up, where it is. */

import { dictionary, useWords } from "../language";
import { useApp } from "../state/app";

export function SyntheticTag({ large = false }: { large?: boolean }) {
  const { t, language } = useWords();
  const synthetic = useApp((state) => state.scene?.synthetic ?? false);
  if (!synthetic) return null;
  const zh = dictionary("zh").synthetic;
  return <span className={large ? "synthetic synthetic-large" : "synthetic"} title={t.syntheticHint}>{large ? `${zh} SYNTHETIC` : language === "zh" ? zh : "SYNTHETIC"}</span>;
}
