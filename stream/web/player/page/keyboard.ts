// The keyboard: physical keys, text where there are none, and the keys of the page itself.

import { keyCode } from "../core/keys.ts";
import type { Sender } from "./sender.ts";

/** What the page does by Ctrl+Alt+Shift and a letter. */
export const SHORTCUTS = [
  ["S", "statistics", "shows and hides the statistics"],
  ["F", "screen", "full screen and back"],
  ["M", "sound", "sound on and off"],
  ["H", "help", "shows and hides these keys"],
  ["Q", "leave", "leaves the game"],
] as const;

export type Shortcut = (typeof SHORTCUTS)[number][1];

export interface KeyboardEvents {
  /** Whether keys are the game's and not the page's own: also a viewer's, and while the server is looked for. */
  isPlaying(): boolean;
  shortcut(what: Shortcut): void;
  /** Any key: a gesture, on which browsers allow what they otherwise do not. */
  gesture(): void;
  /** The player wants to paste; calls `then` once the clipboard went out. */
  isPaste(event: KeyboardEvent): boolean;
}

const MAC = /mac|iphone|ipad/i.test(navigator.platform);

export class Keyboard {
  readonly #sender: Sender;
  readonly #events: KeyboardEvents;
  readonly #pressed = new Set<number>();

  constructor(sender: Sender, typed: HTMLTextAreaElement, events: KeyboardEvents) {
    this.#sender = sender;
    this.#events = events;
    addEventListener("keydown", (event) => this.#down(event), { capture: true });
    addEventListener("keyup", (event) => this.#up(event), { capture: true });
    // Keyboards on a screen write into a field; what they wrote is sent as text.
    typed.addEventListener("input", (event) => this.#typed(typed, event as InputEvent));
    typed.addEventListener("compositionend", () => this.#flush(typed));
  }

  /** Forgets what is pressed; whoever calls this tells the server to release everything. */
  release(): void {
    this.#pressed.clear();
  }

  #down(event: KeyboardEvent): void {
    if (!this.#events.isPlaying()) return;
    const shortcut = shortcutOf(event);
    if (shortcut) {
      event.preventDefault();
      if (!event.repeat) this.#events.shortcut(shortcut);
      return;
    }
    this.#events.gesture();
    // An input method takes what is typed and gives it as text.
    if (event.isComposing || event.key === "Process") return;
    const code = keyCode(event.code);
    if (code === undefined) {
      this.#text(event);
      return;
    }
    if (!this.#events.isPaste(event)) event.preventDefault();
    if (!this.#sender.on) return;
    // The game's own system repeats keys, at the rate that the game asks for.
    if (event.repeat || this.#pressed.has(code)) return;
    this.#pressed.add(code);
    this.#sender.send({ kind: "key", code, pressed: true }, event.timeStamp);
  }

  #up(event: KeyboardEvent): void {
    const code = keyCode(event.code);
    if (code === undefined || !this.#pressed.delete(code)) return;
    event.preventDefault();
    this.#sender.send({ kind: "key", code, pressed: false }, event.timeStamp);
    // macOS tells of no key let go while Command is down.
    if (MAC && event.key === "Meta") {
      for (const other of this.#pressed) this.#sender.send({ kind: "key", code: other, pressed: false }, event.timeStamp);
      this.#pressed.clear();
    }
  }

  /** Presses and lets go, for keys that the browser keeps to itself. */
  tap(code: string): void {
    const key = keyCode(code);
    if (key === undefined) return;
    this.#sender.send({ kind: "key", code: key, pressed: true });
    this.#sender.send({ kind: "key", code: key, pressed: false });
  }

  #text(event: KeyboardEvent): void {
    if (event.target instanceof HTMLTextAreaElement) {
      // The field's own event brings the text. Backspace in it has no key and no text.
      if (event.key === "Backspace" || event.key === "Enter") this.tap(event.key);
      return;
    }
    if ([...event.key].length !== 1) return;
    event.preventDefault();
    this.#sender.send({ kind: "text", text: event.key }, event.timeStamp);
  }

  #typed(field: HTMLTextAreaElement, event: InputEvent): void {
    if (event.isComposing) return;
    if (event.inputType === "deleteContentBackward") this.tap("Backspace");
    else if (event.inputType === "insertLineBreak") this.tap("Enter");
    this.#flush(field);
  }

  #flush(field: HTMLTextAreaElement): void {
    const text = field.value.replaceAll("\n", "");
    field.value = "";
    if (text !== "") this.#sender.send({ kind: "text", text });
  }
}

/** By the letter that is printed on the key; where Alt and Shift make another sign of it, by the key's place. */
function shortcutOf(event: KeyboardEvent): Shortcut | undefined {
  if (!event.ctrlKey || !event.altKey || !event.shiftKey) return undefined;
  const letter = /^[a-z]$/i.test(event.key) ? event.key.toUpperCase() : event.code.replace(/^Key/, "");
  return SHORTCUTS.find(([key]) => key === letter)?.[1];
}
