// Where the picture lies in the window, and which of its points a point of the window is.

import type { Size } from "../core/input.ts";

export interface Rect {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The picture's place in `box` as `object-fit: contain` shows it: as large as it fits, in the middle. */
export function contain(box: Rect, picture: Size): Rect {
  const scale = Math.min(box.width / picture.width, box.height / picture.height);
  const width = picture.width * scale;
  const height = picture.height * scale;
  return { left: box.left + (box.width - width) / 2, top: box.top + (box.height - height) / 2, width, height };
}

/** The point of the picture at a point of the window; beside the picture, the nearest. */
export function toPicture(box: Rect, picture: Size, x: number, y: number): { x: number; y: number } {
  const place = contain(box, picture);
  const along = (at: number, from: number, length: number, pixels: number) => {
    const p = length > 0 ? ((at - from) / length) * pixels : 0;
    return Math.min(Math.max(p, 0), pixels - 1);
  };
  return { x: along(x, place.left, place.width, picture.width), y: along(y, place.top, place.height, picture.height) };
}

/** Pixels of the screen for a pixel of the picture, where that is a whole number above 1. */
export function wholeScale(box: Rect, picture: Size, pixelRatio: number): number | undefined {
  const scale = (contain(box, picture).width * pixelRatio) / picture.width;
  const near = Math.round(scale);
  return near >= 2 && Math.abs(scale - near) < 0.001 ? near : undefined;
}

/** The screen that a game would need to fill a window: even sides, which every encoder takes. */
export function wantedSize(width: number, height: number, pixelRatio: number): Size {
  const side = (n: number) => Math.min(Math.max(Math.floor((n * pixelRatio) / 2) * 2, 16), 16384);
  return { width: side(width), height: side(height) };
}
