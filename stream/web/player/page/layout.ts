// Which layout the player's keyboard has.

import { guessByKeys, guessByLanguage, LAYOUTS } from "../core/layouts.ts";

interface KeyboardApi {
  getLayoutMap?(): Promise<ReadonlyMap<string, string>>;
  lock?(codes?: string[]): Promise<void>;
  unlock?(): void;
}

/** The Keyboard API, which only browsers with Chromium have. */
export function keyboardApi(): KeyboardApi {
  return (navigator as { keyboard?: KeyboardApi }).keyboard ?? {};
}

export async function guessLayout(): Promise<string> {
  try {
    const prints = await keyboardApi().getLayoutMap?.();
    if (prints) return guessByKeys(prints, navigator.language);
  } catch {
    // Forbidden by a policy of the page around this one.
  }
  return guessByLanguage(navigator.language);
}

/** Fills the choice; the guess comes first. */
export function fillLayouts(select: HTMLSelectElement, guess: string, chosen: string): void {
  const name = (xkb: string) => LAYOUTS.find((layout) => layout.xkb === xkb)?.name ?? xkb;
  const options = [new Option(`${name(guess)} (found)`, "")];
  for (const layout of LAYOUTS) options.push(new Option(layout.name, layout.xkb));
  select.replaceChildren(...options);
  select.value = LAYOUTS.some((layout) => layout.xkb === chosen) ? chosen : "";
}
