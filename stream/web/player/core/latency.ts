// What each stage of a frame's way took, over the newest frames.

/** The stages in order; the last is the whole way. */
export const STAGES = [
  ["capture", "commit → handed"],
  ["wait", "handed → conversion"],
  ["convert", "conversion"],
  ["encode", "encode"],
  ["send", "encoded → sent"],
  ["network", "sent → received"],
  ["order", "received → decoder"],
  ["decode", "decode"],
  ["draw", "decoded → drawn"],
  ["total", "commit → drawn"],
] as const;

export type Stage = (typeof STAGES)[number][0];

/** All on the page's clock, ms; undefined where not known. */
export interface FrameTimes {
  readonly read: number | undefined;
  readonly handed: number | undefined;
  readonly convertStart: number | undefined;
  readonly convertEnd: number | undefined;
  readonly encoded: number | undefined;
  readonly sent: number | undefined;
  /** The last byte arrived. */
  readonly received: number;
  /** The decoder was given it. */
  readonly submitted: number;
  readonly decoded: number;
  readonly drawn: number;
}

export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
}

/** Frames that count: five seconds of 60 a second. */
const KEPT = 300;

/** The newest values of something, and their percentiles (nearest rank). */
export class Window {
  #values: number[] = [];
  readonly #kept: number;

  constructor(kept = KEPT) {
    this.#kept = kept;
  }

  push(value: number): void {
    if (this.#values.length === this.#kept) this.#values.shift();
    this.#values.push(value);
  }

  percentiles(): Percentiles | undefined {
    if (this.#values.length === 0) return undefined;
    const sorted = [...this.#values].sort((a, b) => a - b);
    const rank = (p: number) => sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)] ?? 0;
    return { p50: rank(0.5), p95: rank(0.95) };
  }
}

export class Latency {
  readonly #windows = new Map<Stage, Window>(STAGES.map(([stage]) => [stage, new Window()]));

  record(t: FrameTimes): void {
    this.#add("capture", t.read, t.handed);
    this.#add("wait", t.handed, t.convertStart);
    this.#add("convert", t.convertStart, t.convertEnd);
    this.#add("encode", t.convertEnd, t.encoded);
    this.#add("send", t.encoded, t.sent);
    this.#add("network", t.sent, t.received);
    this.#add("order", t.received, t.submitted);
    this.#add("decode", t.submitted, t.decoded);
    this.#add("draw", t.decoded, t.drawn);
    this.#add("total", t.read, t.drawn);
  }

  /** Percentiles of each stage, ms. */
  rows(): [Stage, Percentiles][] {
    const rows: [Stage, Percentiles][] = [];
    for (const [stage, window] of this.#windows) {
      const p = window.percentiles();
      if (p) rows.push([stage, p]);
    }
    return rows;
  }

  #add(stage: Stage, from: number | undefined, to: number | undefined): void {
    if (from !== undefined && to !== undefined) this.#windows.get(stage)?.push(to - from);
  }
}
