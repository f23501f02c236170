// Effects that are longer than browsers play them.

import type { Rumble } from "../core/message.ts";

/** The longest effect that browsers play, ms: they do nothing for longer ones. Games ask for more and end it themselves. */
const LONGEST = 5000;

/** Plays effects piece by piece, until they end or another one of the same pad comes. */
export class Shaker {
  readonly #play: (rumble: Rumble) => void;
  readonly #next = new Map<number, ReturnType<typeof setTimeout>>();

  constructor(play: (rumble: Rumble) => void) {
    this.#play = play;
  }

  shake(rumble: Rumble): void {
    clearTimeout(this.#next.get(rumble.pad));
    const durationMs = Math.min(rumble.durationMs, LONGEST);
    const rest = rumble.durationMs - durationMs;
    if (rest > 0 && rumble.strong + rumble.weak > 0) {
      this.#next.set(rumble.pad, setTimeout(() => this.shake({ ...rumble, durationMs: rest }), durationMs));
    }
    this.#play({ ...rumble, durationMs });
  }
}
