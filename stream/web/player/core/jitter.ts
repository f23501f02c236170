// Holds decoded sound until it is due, no longer than the link's jitter asks for, and absorbs the drift of two clocks.
//
// The server counts samples by its clock, the sound card takes them by its own. What the buffer holds beyond its goal
// is played a little faster, what it lacks a little slower: at most 0.5 %, which is a twelfth of a semitone. The goal
// follows how unevenly packets arrive.

const RATE = 48000;
/** The most that is kept, samples. */
const CAPACITY = RATE / 5;
/** Samples above the goal beyond which the oldest go at once: 100 ms. */
const EXCESS = RATE / 10;
/** The same in the beginning: what comes late behind a gap comes in a burst, and slow play would take long to catch up. */
const FIRST_EXCESS = RATE / 100;
/** How long that is, samples: 200 ms. */
const BEGINNING = RATE / 5;
/** Bounds of the goal, samples: 10 and 100 ms. */
const MIN_GOAL = RATE / 100;
const MAX_GOAL = RATE / 10;
/** The greatest change of speed. */
const MAX_SHIFT = 0.005;
/** Samples over which sound fades in behind a gap, so that it does not click: 2 ms. */
const FADE = 96;
/** What is left of the last sample with each one after it, where sound breaks off. */
const DECAY = 1 - 1 / 16;
/** Each dry run adds this to the goal; each second without one takes a little back. */
const GOAL_STEP = RATE / 200;
const GOAL_RELAX = RATE / 2000;

const SILENT = [0, 0] as const;

export class JitterBuffer {
  readonly #left = new Float32Array(CAPACITY * 2);
  readonly #right = new Float32Array(CAPACITY * 2);
  /** Samples written and read since the beginning; the second moves by fractions. */
  #written = 0;
  #read = 0;
  #playing = false;
  #goal = RATE / 50;
  #smooth = 0;
  #fade = 0;
  /** The last sample, and what still sounds of the one at which sound broke off. */
  #last: readonly [number, number] = SILENT;
  #tail: readonly [number, number] = SILENT;
  #sinceDry = 0;
  /** Times that it ran dry in the midst of sound. */
  underruns = 0;
  /** Samples thrown away because too many waited. */
  skipped = 0;
  /** It ran dry, and nothing came since. */
  #dry = false;
  /** Samples of time for which too little to begin with has waited. */
  #waited = 0;
  /** Samples played since sound began. */
  #played = 0;

  /** Samples that wait. */
  get held(): number {
    return this.#written - this.#read;
  }

  /** What it aims to hold, samples. */
  get goal(): number {
    return this.#goal;
  }

  /**
   * Takes decoded samples. `continuous` says that they were captured right behind the ones before: if the buffer ran dry
   * in between, they came late. Otherwise the game was silent, in which nothing is sent.
   */
  push(left: Float32Array, right: Float32Array, continuous: boolean): void {
    if (this.#dry && continuous) {
      this.underruns += 1;
      this.#goal = Math.min(MAX_GOAL, this.#goal + GOAL_STEP);
      this.#sinceDry = 0;
    }
    this.#dry = false;
    const size = this.#left.length;
    for (let i = Math.max(0, left.length - CAPACITY); i < left.length; i += 1) {
      const at = this.#written % size;
      this.#left[at] = left[i] ?? 0;
      this.#right[at] = right[i] ?? 0;
      this.#written += 1;
    }
    const excess = this.#played < BEGINNING ? FIRST_EXCESS : EXCESS;
    if (this.held > Math.min(CAPACITY, this.#goal + excess)) {
      // The page slept, or the sound came in one burst: old sound would only be late.
      const skip = Math.floor(this.held - this.#goal);
      this.#read += skip;
      this.skipped += skip;
      this.#breakOff();
    }
  }

  /** Fills both with what is due. */
  pull(left: Float32Array, right: Float32Array): void {
    const count = left.length;
    if (!this.#playing) this.#begin(count);
    const speed = this.#playing ? this.#speed(count) : 0;
    for (let i = 0; i < count; i += 1) {
      if (this.#playing && this.held < 2) {
        this.#playing = false;
        this.#dry = true;
        this.#breakOff();
      }
      const [l, r] = this.#playing ? this.#sample(speed) : SILENT;
      const [tailL, tailR] = this.#tail;
      left[i] = l + tailL;
      right[i] = r + tailR;
      this.#last = [l + tailL, r + tailR];
      const quiet = Math.abs(tailL) + Math.abs(tailR) < 1e-4;
      this.#tail = quiet ? SILENT : [tailL * DECAY, tailR * DECAY];
    }
    this.#played += count;
    this.#sinceDry += count;
    if (this.#sinceDry >= RATE) {
      this.#sinceDry -= RATE;
      this.#goal = Math.max(MIN_GOAL, this.#goal - GOAL_RELAX);
    }
  }

  /** The next sample, between two of those that came. */
  #sample(speed: number): readonly [number, number] {
    const size = this.#left.length;
    const whole = Math.floor(this.#read);
    const part = this.#read - whole;
    const a = whole % size;
    const b = (whole + 1) % size;
    const gain = Math.min(1, this.#fade / FADE);
    this.#fade += 1;
    this.#read += speed;
    const between = (of: Float32Array) => ((of[a] ?? 0) * (1 - part) + (of[b] ?? 0) * part) * gain;
    return [between(this.#left), between(this.#right)];
  }

  /** What sounds now dies away instead of leaping to another value; what follows fades in. */
  #breakOff(): void {
    this.#tail = this.#last;
    this.#fade = 0;
  }

  /** Follows a slow mean of what is held: packets come in lumps, and speed must not follow those. */
  #speed(count: number): number {
    const weight = count / RATE;
    this.#smooth += (this.held - this.#smooth) * Math.min(1, weight * 2);
    const error = (this.#smooth - this.#goal) / this.#goal;
    return 1 + Math.max(-MAX_SHIFT, Math.min(MAX_SHIFT, error * MAX_SHIFT));
  }

  /** Sound begins when enough waits, or a sound shorter than that has waited as long. */
  #begin(count: number): void {
    if (this.held < 2) return;
    this.#waited += count;
    if (this.held < this.#goal && this.#waited <= this.#goal) return;
    // What came in one burst meanwhile would only make everything behind it late, and nobody hears it missing yet.
    const skip = Math.max(0, Math.floor(this.held - this.#goal));
    this.#read += skip;
    this.skipped += skip;
    this.#playing = true;
    this.#played = 0;
    this.#waited = 0;
    this.#fade = 0;
    this.#smooth = this.held;
  }
}
