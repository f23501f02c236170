// From access units to pixels on the canvas: order, WebCodecs, drawing.

import { DecodeOrder } from "../core/order.ts";
import { codecOf } from "../core/video.ts";
import type { ArrivedFrame } from "./access_unit.ts";
import { now } from "./time.ts";

/** Access units in the decoder above which it is too slow to catch up: a fifth of a second at 60 a second. */
const MAX_QUEUE = 12;

/** A frame that was drawn, with its times on the page's clock, ms. */
export interface DrawnFrame {
  readonly frame: ArrivedFrame;
  readonly submitted: number;
  readonly decoded: number;
  readonly drawn: number;
}

export interface PictureEvents {
  drawn(frame: DrawnFrame): void;
  resized(width: number, height: number): void;
  requestKeyframe(newest: number): void;
  undecodable(text: string): void;
}

export class Picture {
  readonly #canvas: OffscreenCanvas;
  readonly #context: OffscreenCanvasRenderingContext2D;
  readonly #events: PictureEvents;
  #order = new DecodeOrder<ArrivedFrame>();
  #decoder: VideoDecoder | undefined;
  #codec = "";
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** What the decoder has, by the timestamp that it gives back. */
  readonly #inside = new Map<number, { frame: ArrivedFrame; submitted: number }>();
  #failures = 0;
  #first = true;
  received = 0;
  decoded = 0;
  bytes = 0;
  /** Frames that the decoder had and gave no picture for. */
  #swallowed = 0;

  constructor(canvas: OffscreenCanvas, events: PictureEvents) {
    // `desynchronized` lets a picture appear without waiting for the page, where the system can do that.
    const context = canvas.getContext("2d", { alpha: false, desynchronized: true });
    if (!context) throw new Error("this browser gives no 2D context for a canvas in a worker");
    this.#canvas = canvas;
    this.#context = context;
    this.#events = events;
  }

  get decoder(): string {
    return this.#codec;
  }

  get newest(): number {
    return this.#order.newest;
  }

  get dropped(): number {
    return this.#order.dropped + this.#swallowed;
  }

  get missing(): number {
    return this.#order.missing;
  }

  get waiting(): number {
    return this.#order.waiting + this.#inside.size;
  }

  /** A new connection counts from 0 and begins with a keyframe; the last picture stays until then. */
  restart(): void {
    clearTimeout(this.#timer);
    this.#closeDecoder();
    this.#order = new DecodeOrder();
    this.#failures = 0;
    this.#first = true;
    this.received = 0;
    this.decoded = 0;
    this.bytes = 0;
    this.#swallowed = 0;
  }

  handleFrame(frame: ArrivedFrame): void {
    this.received += 1;
    this.bytes += frame.length;
    this.#order.handleFrame(now(), frame);
    this.#drain();
  }

  handleLost(sequence: number): void {
    this.#order.handleLost(sequence);
    this.#drain();
  }

  #drain(): void {
    clearTimeout(this.#timer);
    for (let frame = this.#order.poll(now()); frame; frame = this.#order.poll(now())) this.#decode(frame);
    if (this.#order.wantsKeyframe(now())) this.#events.requestKeyframe(this.#order.newest);
    const due = this.#order.timeout();
    if (due !== undefined) this.#timer = setTimeout(() => this.#drain(), Math.max(1, due - now()));
  }

  #decode(frame: ArrivedFrame): void {
    if (frame.keyframe) this.#configure(frame);
    const decoder = this.#decoder;
    if (!decoder || decoder.state !== "configured") {
      this.#fail();
      return;
    }
    if (decoder.decodeQueueSize > MAX_QUEUE && !frame.keyframe) {
      // Playing on would only be later and later. From a keyframe on it may keep up again.
      this.#closeDecoder();
      this.#order.handleDecoderFailure();
      return;
    }
    this.#inside.set(frame.sequence, { frame, submitted: now() });
    decoder.decode(
      new EncodedVideoChunk({ type: frame.keyframe ? "key" : "delta", timestamp: frame.sequence, data: frame.accessUnit }),
    );
  }

  /** The parameter sets in front of each keyframe say which decoder it needs. */
  #configure(frame: ArrivedFrame): void {
    const codec = codecOf(frame.accessUnit);
    if (codec === undefined || (this.#decoder?.state === "configured" && codec === this.#codec)) return;
    this.#closeDecoder();
    this.#codec = codec;
    this.#decoder = new VideoDecoder({
      output: (picture) => this.#draw(picture),
      error: (error) => this.#broken(error),
    });
    // Without a description the chunks are Annex B; the decoder must give each picture at once.
    this.#decoder.configure({ codec, optimizeForLatency: true });
  }

  #broken(error: DOMException): void {
    this.#failures += 1;
    if (error.name === "NotSupportedError" || this.#failures > 5) {
      this.#events.undecodable(`${this.#codec}: ${error.message}`);
      return;
    }
    this.#fail();
    this.#drain();
  }

  #fail(): void {
    this.#closeDecoder();
    this.#order.handleDecoderFailure();
  }

  #closeDecoder(): void {
    if (this.#decoder && this.#decoder.state !== "closed") this.#decoder.close();
    this.#decoder = undefined;
    this.#swallowed += this.#inside.size;
    this.#inside.clear();
  }

  #draw(picture: VideoFrame): void {
    const decoded = now();
    const entry = this.#inside.get(picture.timestamp);
    this.#inside.delete(picture.timestamp);
    // The coded picture can be larger than the visible one, whose size the header says.
    const width = entry?.frame.width ?? picture.displayWidth;
    const height = entry?.frame.height ?? picture.displayHeight;
    if (this.#first || this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#first = false;
      if (this.#canvas.width !== width) this.#canvas.width = width;
      if (this.#canvas.height !== height) this.#canvas.height = height;
      this.#events.resized(width, height);
    }
    this.#context.drawImage(picture, 0, 0);
    picture.close();
    this.decoded += 1;
    this.#failures = 0;
    if (entry) this.#events.drawn({ ...entry, decoded, drawn: now() });
  }
}
