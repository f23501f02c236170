// Plays what the worker decoded, in the thread of the sound card.

import { JitterBuffer } from "../core/jitter.ts";
import type { FromWorklet, ToWorklet } from "../core/speaker.ts";

const RATE = 48000;
/** Samples between two reports to the worker: a quarter of a second. */
const REPORT_GAP = RATE / 4;

class Speaker extends AudioWorkletProcessor {
  readonly #buffer = new JitterBuffer();
  /** When the last sample that was pushed was captured, the page's clock, ms. */
  #newest: number | undefined;
  #worker: WorkletPort | undefined;
  #sinceReport = 0;

  constructor() {
    super();
    // The page passes the worker's end of a channel on, and is in no sample's way any more.
    this.port.onmessage = ({ ports: [worker] }) => {
      if (!worker) return;
      this.#worker = worker;
      worker.onmessage = ({ data }) => this.#push(data as ToWorklet);
      // With the first report the worker begins to send.
      this.#report();
    };
  }

  process(_inputs: Float32Array[][], [output]: Float32Array[][]): boolean {
    const left = output?.[0];
    if (!left) return true;
    const right = output[1] ?? new Float32Array(left.length);
    this.#buffer.pull(left, right);
    this.#sinceReport += left.length;
    if (this.#sinceReport >= REPORT_GAP) this.#report();
    return true;
  }

  #push({ left, right, continuous, captured }: ToWorklet): void {
    this.#buffer.push(left, right, continuous);
    this.#newest = captured === undefined ? undefined : captured + (left.length / RATE) * 1000;
  }

  #report(): void {
    this.#sinceReport = 0;
    const { held, underruns, skipped } = this.#buffer;
    const captured = this.#newest === undefined || held < 2 ? undefined : this.#newest - (held / RATE) * 1000;
    const report: FromWorklet = { held, underruns, skipped, captured };
    this.#worker?.postMessage(report);
  }
}

registerProcessor("stratus-speaker", Speaker);
