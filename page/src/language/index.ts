/** Words in the reader's language: interface texts from the dictionaries, texts of the twin from its own pairs. */

import type { Language, Place, Text } from "../api/types";
import { useApp } from "../state/app";
import { en } from "./en";
import { type Dictionary, zh } from "./zh";

const DICTIONARIES: Record<Language, Dictionary> = { zh, en };

export const dictionary = (language: Language): Dictionary => DICTIONARIES[language];

export interface Words {
  language: Language;
  t: Dictionary;
  /** A text that the twin wrote in both languages. */
  say: (text: Text | string | null | undefined) => string;
  named: (place: Pick<Place, "name" | "name_en" | "code">) => string;
}

export function wordsOf(language: Language): Words {
  const other: Language = language === "zh" ? "en" : "zh";
  return {
    language,
    t: DICTIONARIES[language],
    say: (text) => (typeof text === "string" ? text : (text?.[language] ?? text?.[other] ?? "")),
    named: (place) => (language === "zh" ? place.name : place.name_en || place.name) || place.code,
  };
}

const words: Record<Language, Words> = { zh: wordsOf("zh"), en: wordsOf("en") };

export function useWords(): Words {
  return words[useApp((state) => state.language)];
}
