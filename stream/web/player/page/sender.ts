// Numbers what the player does and passes it to the worker.

import { encodeInput, type InputEvent } from "../core/input.ts";
import type { ToWorker } from "../core/port.ts";

export class Sender {
  readonly #worker: Worker;
  #id = 0;
  #on = false;
  /** Inputs that wait for a clipboard to get ahead of them. */
  #held: (() => void)[] | undefined;

  constructor(worker: Worker) {
    this.#worker = worker;
  }

  /** Inputs go out only while somebody plays: a viewer's would be refused. */
  set on(on: boolean) {
    this.#on = on;
    if (!on) this.#held = undefined;
  }

  get on(): boolean {
    return this.#on;
  }

  /** `time` is when it happened, the page's clock, ms: an event's `timeStamp`. */
  send(event: InputEvent, time = performance.now()): void {
    if (!this.#on) return;
    const post = () => {
      this.#id += 1;
      const bytes = encodeInput(this.#id, time, event);
      this.#post({ kind: "input", id: this.#id, time, bytes }, [bytes.buffer]);
    };
    if (this.#held) this.#held.push(post);
    else post();
  }

  sendClipboard(text: string): void {
    if (this.#on) this.#post({ kind: "clipboard", text });
  }

  sendResize(width: number, height: number): void {
    if (this.#on) this.#post({ kind: "resize", width, height });
  }

  /** Keeps inputs back for so many ms: they go another way than the clipboard and could overtake it. */
  hold(ms: number): void {
    if (this.#held) return;
    this.#held = [];
    setTimeout(() => {
      const held = this.#held ?? [];
      this.#held = undefined;
      for (const post of held) post();
    }, ms);
  }

  #post(message: ToWorker, transfer: Transferable[] = []): void {
    this.#worker.postMessage(message, transfer);
  }
}
