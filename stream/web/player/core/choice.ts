// Which of two ways of doing the same is quicker here.

/** How often each way is tried, the first tries of each aside, which warm up. */
const TRIES = 15;
const WARM_UP = 3;

/** Tries both ways in turn, then stays with the one of the smaller median. */
export class Choice {
  readonly #took: [number[], number[]] = [[], []];
  #chosen: 0 | 1 | undefined;

  /** The way to go next. */
  get next(): 0 | 1 {
    if (this.#chosen !== undefined) return this.#chosen;
    const [first, second] = this.#took;
    return first.length <= second.length ? 0 : 1;
  }

  /** `way` took so long. */
  took(way: 0 | 1, ms: number): void {
    if (this.#chosen !== undefined) return;
    this.#took[way].push(ms);
    const [first, second] = this.#took;
    if (Math.min(first.length, second.length) < WARM_UP + TRIES) return;
    this.#chosen = median(first) <= median(second) ? 0 : 1;
  }

  /** `way` cannot be gone here. */
  rule(out: 0 | 1): void {
    this.#chosen = out === 0 ? 1 : 0;
  }

  /** The way that was chosen, once it is. */
  get chosen(): 0 | 1 | undefined {
    return this.#chosen;
  }
}

function median(took: readonly number[]): number {
  const sorted = took.slice(WARM_UP).sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}
