// Full screen, with the keys that browsers otherwise keep; and the wish for a size of the game.

import { keyboardApi } from "./layout.ts";
import { wantedSize } from "./place.ts";
import type { Sender } from "./sender.ts";

/** A window's edge that is dragged makes many sizes; the last counts. */
const SETTLE = 150;

export async function toggleFullScreen(stage: HTMLElement): Promise<void> {
  try {
    if (document.fullscreenElement) await document.exitFullscreen();
    else await enterFullScreen(stage);
  } catch {
    // Forbidden, as in a frame of another page.
  }
}

export async function enterFullScreen(stage: HTMLElement): Promise<void> {
  await stage.requestFullscreen({ navigationUI: "hide" });
  // Esc, Alt+Tab, the key with the logo: with the lock they are the game's. Esc held long still leaves.
  await keyboardApi().lock?.().catch(() => undefined);
}

document.addEventListener("fullscreenchange", () => {
  if (!document.fullscreenElement) keyboardApi().unlock?.();
});

/** Asks for a game of the window's size, now and whenever that changes. */
export class Follow {
  readonly #stage: HTMLElement;
  readonly #sender: Sender;
  #on = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(stage: HTMLElement, sender: Sender) {
    this.#stage = stage;
    this.#sender = sender;
    new ResizeObserver(() => {
      clearTimeout(this.#timer);
      if (this.#on) this.#timer = setTimeout(() => this.#ask(), SETTLE);
    }).observe(stage);
  }

  /** A new connection must be told again. */
  begin(on: boolean): void {
    this.#on = on;
    if (on) this.#ask();
  }

  #ask(): void {
    const { clientWidth, clientHeight } = this.#stage;
    if (clientWidth === 0 || clientHeight === 0) return;
    const { width, height } = wantedSize(clientWidth, clientHeight, devicePixelRatio);
    this.#sender.sendResize(width, height);
  }
}
