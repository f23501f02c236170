// Puts frames that arrive on streams of their own into the order in which they are decoded.
//
// Streams do not wait for each other, so frames overtake. They are numbered without gaps for each viewer: a missing
// number is on its way, or lost. The rules are those of docs/protocol.md, "Order". Times are milliseconds.

/** Whole frames that wait for an earlier one, and their bytes. */
const MAX_PENDING = 32;
const MAX_PENDING_BYTES = 64 * 1024 * 1024;
/** Yielded frames that others may depend on. */
const MEMORY = 16;
/** How long a whole keyframe lets a frame before it come, which may be just about to. */
const GRACE = 3;
/** How long frames wait for a missing one before a keyframe is asked for. */
const PATIENCE = 250;
/** The shortest time between two requests. */
const REQUEST_GAP = 500;

export interface Ordered {
  readonly sequence: number;
  readonly id: number;
  /** 0 for a keyframe. */
  readonly dependsOn: number;
  /** Bytes of the access unit. */
  readonly length: number;
}

interface Pending<T> {
  readonly frame: T;
  readonly arrived: number;
}

/** After each `handle…`, and at `timeout()`, call `poll` until it yields nothing, then `wantsKeyframe`. */
export class DecodeOrder<T extends Ordered> {
  #expected = 0;
  /** `null` is a frame that is known to be lost. */
  readonly #pending = new Map<number, Pending<T> | null>();
  #pendingBytes = 0;
  #has: number[] = [];
  #needsKeyframe = false;
  #requested: number | undefined;
  newest = 0;
  dropped = 0;
  missing = 0;

  handleFrame(now: number, frame: T): void {
    if (frame.sequence < this.#expected || this.#pending.get(frame.sequence)) {
      this.dropped += 1;
      return;
    }
    this.#pending.set(frame.sequence, { frame, arrived: now });
    this.#pendingBytes += frame.length;
  }

  /** The server took frame `sequence` back: it never arrives. */
  handleLost(sequence: number): void {
    // What lies further ahead than can wait is noticed as a gap instead.
    const ahead = sequence - this.#expected;
    if (ahead >= 0 && ahead < MAX_PENDING && !this.#pending.has(sequence)) this.#pending.set(sequence, null);
  }

  /** Nothing can be decoded before the next keyframe. */
  handleDecoderFailure(): void {
    this.#has = [];
    this.#needsKeyframe = true;
  }

  poll(now: number): T | undefined {
    for (;;) {
      const next = this.#pending.get(this.#expected);
      if (next === undefined) {
        const to = this.#skipTo(now);
        if (to === undefined) return undefined;
        this.#dropBefore(to);
        continue;
      }
      this.#pending.delete(this.#expected);
      this.#expected += 1;
      if (next === null) {
        this.missing += 1;
        continue;
      }
      this.#pendingBytes -= next.frame.length;
      if (this.#accept(next.frame)) return next.frame;
    }
  }

  /** Whether to ask the server for a keyframe now. */
  wantsKeyframe(now: number): boolean {
    const oldest = this.#oldestWait();
    const waited = oldest !== undefined && now >= oldest + PATIENCE;
    if (!this.#needsKeyframe && !waited) return false;
    if (this.#requested !== undefined && now < this.#requested + REQUEST_GAP) return false;
    this.#requested = now;
    return true;
  }

  /** When to poll again if nothing arrives. */
  timeout(): number | undefined {
    const due: number[] = [];
    const keyframe = this.#newestKeyframe();
    if (keyframe) due.push(keyframe.arrived + GRACE);
    const allowed = this.#requested === undefined ? 0 : this.#requested + REQUEST_GAP;
    const oldest = this.#oldestWait();
    if (this.#needsKeyframe) due.push(allowed);
    else if (oldest !== undefined) due.push(Math.max(oldest + PATIENCE, allowed));
    return due.length === 0 ? undefined : Math.min(...due);
  }

  get waiting(): number {
    let n = 0;
    for (const p of this.#pending.values()) if (p) n += 1;
    return n;
  }

  #accept(frame: T): boolean {
    const known = frame.dependsOn === 0 || this.#has.includes(frame.dependsOn);
    if (!known || frame.id <= this.newest) {
      this.dropped += 1;
      this.#needsKeyframe = true;
      return false;
    }
    if (frame.dependsOn === 0) {
      this.#has = [];
      this.#needsKeyframe = false;
    }
    if (this.#has.length === MEMORY) this.#has.shift();
    this.#has.push(frame.id);
    this.newest = frame.id;
    return true;
  }

  /** Where to go on although the expected frame is missing. */
  #skipTo(now: number): number | undefined {
    const keyframe = this.#newestKeyframe();
    if (keyframe && now >= keyframe.arrived + GRACE) return keyframe.frame.sequence;
    const full = this.#pending.size > MAX_PENDING || this.#pendingBytes > MAX_PENDING_BYTES;
    return full ? Math.min(...this.#pending.keys()) : undefined;
  }

  #newestKeyframe(): Pending<T> | undefined {
    let newest: Pending<T> | undefined;
    for (const p of this.#pending.values()) {
      if (p?.frame.dependsOn === 0 && (!newest || p.frame.sequence > newest.frame.sequence)) newest = p;
    }
    return newest;
  }

  #oldestWait(): number | undefined {
    let oldest: number | undefined;
    for (const p of this.#pending.values()) {
      if (p && (oldest === undefined || p.arrived < oldest)) oldest = p.arrived;
    }
    return oldest;
  }

  #dropBefore(next: number): void {
    let arrived = 0;
    for (const [sequence, p] of this.#pending) {
      if (sequence >= next) continue;
      this.#pending.delete(sequence);
      if (!p) continue;
      arrived += 1;
      this.#pendingBytes -= p.frame.length;
    }
    this.dropped += arrived;
    this.missing += next - this.#expected - arrived;
    this.#expected = next;
  }
}
