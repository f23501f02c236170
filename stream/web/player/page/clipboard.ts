// Text between the player's clipboard and the game's, each way only on a gesture of the player.

import type { Sender } from "./sender.ts";

/** What the clipboard gets ahead of the key that pastes it, ms. */
const HEAD_START = 60;

export class Clipboard {
  readonly #sender: Sender;
  #allowed = false;
  /** What the game copied and no gesture took yet. */
  #waiting: string | undefined;

  constructor(sender: Sender) {
    this.#sender = sender;
    // The browser tells what is pasted without asking the player, because the player pressed the keys for it.
    addEventListener("paste", (event) => this.#pasted(event));
  }

  /** The host can forbid it. */
  set allowed(allowed: boolean) {
    this.#allowed = allowed;
  }

  /** The game copied something. */
  offer(text: string): void {
    this.#waiting = text;
    if (navigator.userActivation?.isActive) this.gesture();
  }

  /** The player did something: now a browser lets the page write. */
  gesture(): void {
    const text = this.#waiting;
    if (text === undefined || !this.#allowed) return;
    this.#waiting = undefined;
    navigator.clipboard.writeText(text).catch(() => {
      // Not in front, or forbidden: the next gesture may do.
      this.#waiting ??= text;
    });
  }

  /** Whether these keys paste, so that the browser must see them. */
  isPaste(event: KeyboardEvent): boolean {
    if (!this.#allowed || event.altKey) return false;
    const byLetter = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "v";
    const byInsert = event.shiftKey && !event.ctrlKey && event.key === "Insert";
    if (!byLetter && !byInsert) return false;
    if (!event.repeat) this.#sender.hold(HEAD_START);
    return true;
  }

  #pasted(event: ClipboardEvent): void {
    if (!this.#sender.on || !this.#allowed) return;
    event.preventDefault();
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (text !== "") this.#sender.sendClipboard(text);
  }
}
