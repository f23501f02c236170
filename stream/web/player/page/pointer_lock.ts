// The browser's pointer lock follows the game's.
//
// A browser locks the pointer only after a click or key of the player, and lets Esc free it at any time. So there are
// moments in which the game has the pointer and the browser does not; then a hint says what to do.

import { hint } from "./view.ts";

const CLICK = "Click the picture to give the game the mouse";
const LOCKED = "The game has the mouse. Esc frees it.";
const LOCKED_WHOLE = "The game has the mouse. Hold Esc to leave full screen.";
const HINT_MS = 4000;

type Lockable = HTMLCanvasElement & {
  requestPointerLock(options?: { unadjustedMovement?: boolean }): Promise<void> | undefined;
};

export class PointerLock {
  readonly #canvas: Lockable;
  readonly #escaped: () => void;
  /** What the game wants. */
  #wanted = false;
  /** We let go ourselves: not the player's Esc. */
  #ours = false;
  #asking = false;

  /** `escaped` is called when the player pressed Esc, which the browser keeps to itself then. */
  constructor(canvas: HTMLCanvasElement, escaped: () => void) {
    this.#canvas = canvas;
    this.#escaped = escaped;
    document.addEventListener("pointerlockchange", () => this.#changed());
  }

  /** The game takes the pointer as motion alone. */
  get isGames(): boolean {
    return this.#wanted;
  }

  /** The game says whether its pointer is locked. */
  follow(wanted: boolean): void {
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    if (wanted) void this.#ask();
    else this.free();
  }

  /** A click is what a browser wants to see first. */
  handleClick(): void {
    if (this.#wanted && !this.isHeld) void this.#ask();
  }

  /** Gives the player's pointer back. */
  free(): void {
    hint("");
    if (!this.isHeld) return;
    this.#ours = true;
    document.exitPointerLock();
  }

  /** The browser gave it to the page. */
  get isHeld(): boolean {
    return document.pointerLockElement === this.#canvas;
  }

  async #ask(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    try {
      // Raw motion, without the acceleration of this computer; not every system offers it.
      await this.#canvas.requestPointerLock({ unadjustedMovement: true });
    } catch (error) {
      try {
        if (error instanceof DOMException && error.name === "NotSupportedError") await this.#canvas.requestPointerLock();
        else throw error;
      } catch {
        if (this.#wanted) hint(CLICK);
      }
    } finally {
      this.#asking = false;
    }
  }

  #changed(): void {
    if (this.isHeld) {
      if (!this.#wanted) this.free();
      else hint(document.fullscreenElement ? LOCKED_WHOLE : LOCKED, HINT_MS);
      return;
    }
    const ours = this.#ours;
    this.#ours = false;
    if (ours || !this.#wanted) return;
    hint(CLICK);
    // Switching to another window frees the pointer as well, but takes the focus with it.
    if (document.hasFocus()) this.#escaped();
  }
}
