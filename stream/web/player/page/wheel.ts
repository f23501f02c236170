// What a turn of the wheel was, out of what browsers make of it.

/** The fields of a WheelEvent that count; `wheelDelta…` is old, but the only place where notches are whole. */
export interface Turn {
  readonly deltaX: number;
  readonly deltaY: number;
  readonly deltaMode: number;
  readonly wheelDeltaX?: number;
  readonly wheelDeltaY?: number;
}

export interface Scroll {
  /** Notches of a wheel or pixels of a finger, positive right and down. */
  readonly dx: number;
  readonly dy: number;
  readonly source: "wheel" | "finger";
}

const PIXELS = 0;
const LINES = 1;
/** Lines that browsers scroll for a notch. */
const LINES_A_NOTCH = 3;
const NOTCH = 120;

export function readTurn(turn: Turn): Scroll {
  const { deltaX, deltaY, deltaMode, wheelDeltaX = 0, wheelDeltaY = 0 } = turn;
  if (deltaMode === LINES) return { dx: deltaX / LINES_A_NOTCH, dy: deltaY / LINES_A_NOTCH, source: "wheel" };
  if (deltaMode !== PIXELS) return { dx: deltaX, dy: deltaY, source: "wheel" };
  const notches = wheelDeltaX !== 0 || wheelDeltaY !== 0;
  // Chromium gives a finger's pixels three times over there; a wheel gives 120 a notch whatever the pixels are.
  const finger = (pixels: number, wheel: number) => wheel === -3 * pixels && wheel % NOTCH !== 0;
  const isFinger = !notches || finger(deltaX, wheelDeltaX) || finger(deltaY, wheelDeltaY);
  if (isFinger) return { dx: deltaX, dy: deltaY, source: "finger" };
  // 0 - x, because -0 would be another number than 0.
  return { dx: 0 - wheelDeltaX / NOTCH, dy: 0 - wheelDeltaY / NOTCH, source: "wheel" };
}
