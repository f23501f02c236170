// What the server's stamps mean on this page's clock.
//
// As in NTP (RFC 5905 section 8), the four times of a ping and its pong give an offset whose error is at most half of
// the round trip. Queues only lengthen round trips, so the shortest recent one is believed.

/** Pings that count. */
const WINDOW = 16;

interface Sample {
  /** Server minus page, ns. */
  readonly offset: bigint;
  readonly roundTrip: bigint;
}

/** A time of the page, ms as `performance.now()` gives it, as the protocol's nanoseconds; never 0, which is "not set". */
export function toNanos(ms: number): bigint {
  return BigInt(Math.max(1, Math.round(ms * 1e6)));
}

export class Clock {
  #samples: Sample[] = [];

  /** All four in ns: `ping` and `arrived` are the page's, the others the server's. */
  handlePong(ping: bigint, received: bigint, sent: bigint, arrived: bigint): void {
    // A peer can lie about its own clock only; what is impossible is ignored.
    if (arrived < ping || sent < received) return;
    const elapsed = arrived - ping - (sent - received);
    const offset = (received - ping + (sent - arrived)) / 2n;
    if (this.#samples.length === WINDOW) this.#samples.shift();
    this.#samples.push({ offset, roundTrip: elapsed < 0n ? 0n : elapsed });
  }

  get isKnown(): boolean {
    return this.#samples.length > 0;
  }

  /** The shortest recent round trip, ms; half of it bounds the error. */
  get roundTrip(): number | undefined {
    const best = this.#best();
    return best && Number(best.roundTrip) / 1e6;
  }

  /** A stamp of the server on the page's clock, ms; undefined if it is not set or nothing is known yet. */
  toPage(stamp: bigint): number | undefined {
    const best = this.#best();
    return stamp === 0n || !best ? undefined : Number(stamp - best.offset) / 1e6;
  }

  #best(): Sample | undefined {
    let best: Sample | undefined;
    for (const s of this.#samples) if (!best || s.roundTrip < best.roundTrip) best = s;
    return best;
  }
}
