// The page's clock, read in the worker. The two count from different beginnings.

let ahead = 0;

/** `origin` is the page's `performance.timeOrigin`. */
export function followPage(origin: number): void {
  ahead = performance.timeOrigin - origin;
}

/** ms, as the page's `performance.now()`. */
export function now(): number {
  return performance.now() + ahead;
}
