// What worker and sound worklet tell each other.

/** From the worker to the sound's worklet. */
export interface ToWorklet {
  readonly left: Float32Array<ArrayBuffer>;
  readonly right: Float32Array<ArrayBuffer>;
  readonly continuous: boolean;
  /** When the first sample was captured, the page's clock, ms. */
  readonly captured: number | undefined;
}

/** From the worklet to the worker, some times a second. */
export interface FromWorklet {
  readonly held: number;
  readonly underruns: number;
  readonly skipped: number;
  /** When what is being played was captured, the page's clock, ms. */
  readonly captured: number | undefined;
}
