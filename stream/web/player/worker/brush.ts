// Brings decoded pictures onto the canvas.
//
// With a GPU the canvas takes a picture as it is and converts its colours there. Without one the browser converts and
// copies it several times, later and on this thread; converting into memory of our own is quicker then. Which it is,
// nobody tells, so both are tried.

import { Choice } from "../core/choice.ts";
import { now } from "./time.ts";

/** The ways, as `Choice` numbers them; the other one, 0, is `drawImage`. */
const COPY = 1;

/** What TypeScript's types do not know yet: WebCodecs, `VideoFrameCopyToOptions.format`. */
type Copied = VideoFrameCopyToOptions & { format: "RGBX" };

export class Brush {
  readonly #canvas: OffscreenCanvas;
  readonly #context: OffscreenCanvasRenderingContext2D;
  readonly #choice = new Choice();
  #copy: ImageData | undefined;

  constructor(canvas: OffscreenCanvas) {
    const context = canvas.getContext("2d", { alpha: false });
    if (!context) throw new Error("this browser gives no 2D context for a canvas in a worker");
    this.#canvas = canvas;
    this.#context = context;
  }

  /** Gives the canvas this size; whether it had another. */
  resize(width: number, height: number): boolean {
    if (this.#canvas.width === width && this.#canvas.height === height) return false;
    this.#canvas.width = width;
    this.#canvas.height = height;
    this.#copy = undefined;
    return true;
  }

  /** Draws the picture, and closes it when it is drawn. */
  async draw(picture: VideoFrame): Promise<void> {
    const way = this.#choice.next;
    const start = now();
    try {
      if (way === COPY) await this.#drawCopy(picture);
      else this.#context.drawImage(picture, 0, 0);
      this.#choice.took(way, now() - start);
    } catch {
      // A browser that cannot convert while it copies.
      this.#choice.rule(way);
      this.#context.drawImage(picture, 0, 0);
    } finally {
      picture.close();
    }
  }

  async #drawCopy(picture: VideoFrame): Promise<void> {
    const { width, height } = this.#canvas;
    this.#copy ??= new ImageData(width, height);
    const options: Copied = { rect: { x: 0, y: 0, width, height }, format: "RGBX" };
    await picture.copyTo(this.#copy.data, options);
    this.#context.putImageData(this.#copy, 0, 0);
  }
}
