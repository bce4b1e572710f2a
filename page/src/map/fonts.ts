/** The faces that the page brings along are cut by Unicode range; a label needs the cuts of its own letters. */

const asked = new Set<string>();
const SIGNS = "0123456789.,−↑↓→ ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz()'-";

/** Resolves when the letters of these texts can be drawn; each letter is asked for once. */
export async function lettersOf(texts: Iterable<string>): Promise<void> {
  const letters = new Set<string>();
  for (const text of [SIGNS, ...texts]) for (const letter of text) if (!asked.has(letter)) letters.add(letter);
  if (!letters.size) return;
  const sample = [...letters].join("");
  await Promise.all(
    [500, 600].map((weight) => document.fonts.load(`${weight} 24px "IBM Plex Sans Variable", "Noto Sans SC Variable"`, sample)),
  );
  for (const letter of letters) asked.add(letter);
}
