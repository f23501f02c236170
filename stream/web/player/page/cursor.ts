// The game's cursor as the cursor of this page: the system draws it at once where the hand is.

import type { CursorShown } from "../core/port.ts";

/** Browsers take no larger images for cursors, CSS pixels. */
const MAX_SIDE = 128;

/** Names that games use and CSS does not have. */
const OTHER_NAMES: Readonly<Record<string, string>> = { "dnd-ask": "copy", "all-resize": "move" };

export class Cursor {
  readonly #canvas: HTMLCanvasElement;
  readonly #scale: () => number;
  #shown: CursorShown | undefined;
  #url = "";
  #turn = 0;

  /** `scale` gives the CSS pixels of a pixel of the stream. */
  constructor(canvas: HTMLCanvasElement, scale: () => number) {
    this.#canvas = canvas;
    this.#scale = scale;
  }

  show(cursor: CursorShown): void {
    this.#shown = cursor;
    this.refresh();
  }

  /** Draws it anew: the picture has another size now. */
  refresh(): void {
    const shown = this.#shown;
    this.#turn += 1;
    if (shown?.look === "image" && shown.image) {
      void this.#draw(shown.image, this.#turn);
      return;
    }
    const style = this.#canvas.style;
    style.cursor = "default";
    if (shown?.look === "hidden") style.cursor = "none";
    // A name that CSS does not know changes nothing.
    if (shown?.look === "shape") style.cursor = OTHER_NAMES[shown.name] ?? shown.name;
  }

  async #draw(image: NonNullable<CursorShown["image"]>, turn: number): Promise<void> {
    const scale = this.#scale();
    const width = Math.min(MAX_SIDE, Math.max(1, Math.round(image.shownWidth * scale)));
    const height = Math.min(MAX_SIDE, Math.max(1, Math.round(image.shownHeight * scale)));
    const ratio = devicePixelRatio;
    const canvas = new OffscreenCanvas(Math.round(width * ratio), Math.round(height * ratio));
    const context = canvas.getContext("2d");
    if (!context) return;
    const bitmap = await createImageBitmap(new ImageData(image.pixels, image.width, image.height));
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    bitmap.close();
    const blob = await canvas.convertToBlob();
    // Another one came in the meantime.
    if (turn !== this.#turn) return;
    const old = this.#url;
    this.#url = URL.createObjectURL(blob);
    const hotspot = (at: number, shown: number, side: number) => Math.min(Math.max(Math.round((at / shown) * side), 0), side - 1);
    const point = `${hotspot(image.hotspot[0], image.shownWidth, width)} ${hotspot(image.hotspot[1], image.shownHeight, height)}`;
    this.#canvas.style.cursor = `url("${this.#url}") ${point}, default`;
    // Where it is understood, the screen's own pixels are used.
    if (ratio !== 1) this.#canvas.style.cursor = `image-set(url("${this.#url}") ${ratio}x) ${point}, default`;
    if (old !== "") URL.revokeObjectURL(old);
  }
}
