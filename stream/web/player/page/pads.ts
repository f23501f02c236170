// Gamepads: polled, because browsers tell of no change.

import type { PadState } from "../core/input.ts";
import type { Rumble } from "../core/message.ts";
import type { Sender } from "./sender.ts";
import { Shaker } from "./shaker.ts";

/** Time between two looks, ms: the pace at which browsers read pads themselves. */
const POLL = 4;
const PADS = 4;
const BUTTONS = 17;

/** The W3C's standard mapping: buttons 6 and 7 are the triggers. */
export function readPad(pad: Pick<Gamepad, "buttons" | "axes">): PadState {
  let buttons = 0;
  for (let i = 0; i < BUTTONS; i += 1) if (pad.buttons[i]?.pressed) buttons |= 1 << i;
  const axis = (i: number) => pad.axes[i] ?? 0;
  const trigger = (i: number) => pad.buttons[i]?.value ?? 0;
  return { buttons, axes: [axis(0), axis(1), axis(2), axis(3)], triggers: [trigger(6), trigger(7)] };
}

export class Pads {
  readonly #sender: Sender;
  /** What was sent last of each, as text to compare. */
  readonly #sent: string[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;
  readonly #shaker = new Shaker((rumble) => void shake(rumble));

  constructor(sender: Sender) {
    this.#sender = sender;
    addEventListener("gamepadconnected", () => this.#watch());
    addEventListener("gamepaddisconnected", () => this.#poll());
  }

  /** Tells the server of all pads: at the beginning of a connection it knows none. */
  begin(): void {
    this.#sent.length = 0;
    this.#watch();
  }

  /** The server was told to let go of everything; what is still held counts again when it changes. */
  release(): void {
    this.#sent.length = 0;
  }

  rumble(rumble: Rumble): void {
    this.#shaker.shake(rumble);
  }

  #watch(): void {
    this.#timer ??= setInterval(() => this.#poll(), POLL);
    this.#poll();
  }

  #poll(): void {
    const pads = navigator.getGamepads();
    let any = false;
    for (let i = 0; i < PADS; i += 1) {
      const pad = pads[i];
      if (pad?.connected) any = true;
      // A window that is not in front plays nothing; the browser goes on to read pads for it.
      if (document.hasFocus() && this.#sender.on) this.#look(i, pad?.connected ? pad : undefined);
    }
    if (any) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(index: number, pad: Gamepad | undefined): void {
    const state = pad ? readPad(pad) : undefined;
    const text = JSON.stringify(state ?? null);
    if (text === (this.#sent[index] ?? "null")) return;
    this.#sent[index] = text;
    this.#sender.send({ kind: "gamepad", pad: index, state });
  }
}

async function shake({ pad, strong, weak, durationMs }: Rumble): Promise<void> {
  const actuator = navigator.getGamepads()[pad]?.vibrationActuator;
  try {
    await actuator?.playEffect("dual-rumble", {
      duration: durationMs,
      strongMagnitude: strong / 65535,
      weakMagnitude: weak / 65535,
    });
  } catch {
    // This pad cannot shake.
  }
}
