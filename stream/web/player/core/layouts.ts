// Keyboard layouts: those to choose from, and a guess from what the browser tells.
//
// A key is sent by its place, so the server has to know what the player's layout prints there.

export interface Layout {
  /** As XKB names it. */
  readonly xkb: string;
  readonly name: string;
  /** What some keys give, unshifted: enough to tell the layouts apart. */
  readonly keys: Readonly<Record<string, string>>;
}

/** The first of those that fit best is the guess. */
export const LAYOUTS: readonly Layout[] = [
  { xkb: "us", name: "English (US)", keys: { KeyQ: "q", KeyY: "y", Semicolon: ";", BracketLeft: "[", Quote: "'", Backslash: "\\", Minus: "-" } },
  { xkb: "gb", name: "English (UK)", keys: { KeyQ: "q", KeyY: "y", Semicolon: ";", BracketLeft: "[", Quote: "'", Backslash: "#", IntlBackslash: "\\" } },
  { xkb: "us(dvorak)", name: "English (Dvorak)", keys: { KeyQ: "'", KeyY: "f", Semicolon: "s", BracketLeft: "/", Quote: "-" } },
  { xkb: "us(colemak)", name: "English (Colemak)", keys: { KeyE: "f", KeyY: "j", Semicolon: "o", BracketLeft: "[", Quote: "'" } },
  { xkb: "us(intl)", name: "English (US, international)", keys: { KeyQ: "q", KeyY: "y", Semicolon: ";", Quote: "´", Backquote: "`" } },
  { xkb: "de", name: "German", keys: { KeyQ: "q", KeyY: "z", KeyZ: "y", Semicolon: "ö", BracketLeft: "ü", Quote: "ä", Minus: "ß" } },
  { xkb: "ch", name: "German (Switzerland)", keys: { KeyY: "z", KeyZ: "y", Semicolon: "ö", BracketLeft: "ü", Quote: "ä", Minus: "'", Backslash: "$" } },
  { xkb: "ch(fr)", name: "French (Switzerland)", keys: { KeyY: "z", KeyZ: "y", Semicolon: "é", BracketLeft: "è", Quote: "à", Minus: "'" } },
  { xkb: "fr", name: "French", keys: { KeyQ: "a", KeyA: "q", KeyW: "z", Semicolon: "m", Digit2: "é", Minus: ")" } },
  { xkb: "be", name: "Belgian", keys: { KeyQ: "a", KeyA: "q", KeyW: "z", Semicolon: "m", Digit6: "§", Equal: "-" } },
  { xkb: "ca", name: "French (Canada)", keys: { KeyQ: "q", Semicolon: ";", Slash: "é", Backquote: "#", Backslash: "<" } },
  { xkb: "es", name: "Spanish", keys: { KeyQ: "q", Semicolon: "ñ", Minus: "'", Equal: "¡", Backquote: "º" } },
  { xkb: "latam", name: "Spanish (Latin America)", keys: { KeyQ: "q", Semicolon: "ñ", Minus: "'", Equal: "¿", Quote: "{" } },
  { xkb: "pt", name: "Portuguese", keys: { KeyQ: "q", Semicolon: "ç", Equal: "«", Quote: "º" } },
  { xkb: "br", name: "Portuguese (Brazil)", keys: { KeyQ: "q", Semicolon: "ç", BracketRight: "[", Slash: ";", Backquote: "'" } },
  { xkb: "it", name: "Italian", keys: { KeyQ: "q", Semicolon: "ò", BracketLeft: "è", Quote: "à", Equal: "ì" } },
  { xkb: "se", name: "Swedish", keys: { KeyQ: "q", Semicolon: "ö", BracketLeft: "å", Quote: "ä", Backquote: "§" } },
  { xkb: "fi", name: "Finnish", keys: { KeyQ: "q", Semicolon: "ö", BracketLeft: "å", Quote: "ä", Backquote: "§" } },
  { xkb: "no", name: "Norwegian", keys: { KeyQ: "q", Semicolon: "ø", BracketLeft: "å", Quote: "æ", Backquote: "|" } },
  { xkb: "dk", name: "Danish", keys: { KeyQ: "q", Semicolon: "æ", BracketLeft: "å", Quote: "ø", Backquote: "½" } },
  { xkb: "pl", name: "Polish", keys: {} },
  { xkb: "cz", name: "Czech", keys: { KeyY: "z", KeyZ: "y", Semicolon: "ů", BracketLeft: "ú", Digit2: "ě" } },
  { xkb: "sk", name: "Slovak", keys: { KeyY: "z", KeyZ: "y", Semicolon: "ô", BracketLeft: "ú", Digit2: "ľ" } },
  { xkb: "hu", name: "Hungarian", keys: { KeyY: "z", KeyZ: "y", Semicolon: "é", BracketLeft: "ő", Quote: "á" } },
  { xkb: "tr", name: "Turkish", keys: { KeyQ: "q", KeyI: "ı", Semicolon: "ş", BracketLeft: "ğ" } },
  { xkb: "ru", name: "Russian", keys: { KeyQ: "й", KeyY: "н", Semicolon: "ж" } },
  { xkb: "ua", name: "Ukrainian", keys: { KeyQ: "й", KeyS: "і", Semicolon: "ж" } },
  { xkb: "gr", name: "Greek", keys: { KeyQ: ";", KeyA: "α", KeyS: "σ" } },
  { xkb: "jp", name: "Japanese", keys: { KeyQ: "q", BracketLeft: "@", Quote: ":", IntlYen: "¥" } },
  { xkb: "kr", name: "Korean", keys: {} },
];

/** Where the browser does not say what keys print: the first layout of the language. */
const BY_LANGUAGE: Readonly<Record<string, string>> = {
  "en-gb": "gb", "de-ch": "ch", "fr-ch": "ch(fr)", "fr-be": "be", "nl-be": "be", "fr-ca": "ca", "pt-br": "br",
  en: "us", de: "de", fr: "fr", es: "es", "es-419": "latam", "es-mx": "latam", "es-ar": "latam", pt: "pt", it: "it",
  sv: "se", fi: "fi", no: "no", nb: "no", nn: "no", da: "dk", pl: "pl", cs: "cz", sk: "sk", hu: "hu", tr: "tr",
  ru: "ru", uk: "ua", el: "gr", ja: "jp", ko: "kr",
};

export function guessByLanguage(language: string): string {
  const tag = language.toLowerCase();
  return BY_LANGUAGE[tag] ?? BY_LANGUAGE[tag.split("-")[0] ?? ""] ?? "us";
}

/** The layout that contradicts least what keys print; the language decides between equals. */
export function guessByKeys(prints: ReadonlyMap<string, string> | { get(code: string): string | undefined }, language: string): string {
  const preferred = guessByLanguage(language);
  let best = { xkb: preferred, score: 0 };
  for (const layout of LAYOUTS) {
    const keys = Object.entries(layout.keys);
    if (keys.length === 0) continue;
    let score = 0;
    for (const [code, char] of keys) {
      const printed = prints.get(code)?.toLowerCase();
      if (printed !== undefined) score += printed === char ? 1 : -1;
    }
    const better = score > best.score || (score === best.score && layout.xkb === preferred);
    if (score > 0 && better) best = { xkb: layout.xkb, score };
  }
  return best.xkb;
}
