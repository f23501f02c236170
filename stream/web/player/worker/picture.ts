// From access units to pixels on the canvas: order, WebCodecs, drawing.

import { DecodeOrder } from "../core/order.ts";
import { codecOf } from "../core/video.ts";
import type { ArrivedFrame } from "./access_unit.ts";
import { Brush } from "./brush.ts";
import { now } from "./time.ts";

/** How long an access unit may be in a decoder that works before it is too slow to catch up, ms. */
const MAX_WAIT = 200;
/** Access units that a decoder is given before its first picture, which takes long where one must be started. */
const MAX_STARTING = 120;

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

interface Submitted {
  readonly frame: ArrivedFrame;
  readonly submitted: number;
}

/** What came out of the decoder and was not drawn. */
interface Undrawn {
  readonly picture: VideoFrame;
  readonly entry: Submitted | undefined;
  readonly decoded: number;
}

export class Picture {
  readonly #brush: Brush;
  readonly #events: PictureEvents;
  #order = new DecodeOrder<ArrivedFrame>();
  #decoder: VideoDecoder | undefined;
  #codec = "";
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** What the decoder has, by the timestamp that it gives back. */
  readonly #inside = new Map<number, Submitted>();
  /** Whether the decoder gave a picture since it was configured. */
  #works = false;
  #undrawn: Undrawn | undefined;
  #drawing = false;
  /** Tells this worker to draw, once it has told the decoder to go on. */
  readonly #turn = new MessageChannel();
  #failures = 0;
  #first = true;
  received = 0;
  decoded = 0;
  /** Decoded frames that a newer one came before they were drawn. */
  superseded = 0;
  bytes = 0;
  /** Frames that the decoder had and gave no picture for. */
  #swallowed = 0;

  constructor(canvas: OffscreenCanvas, events: PictureEvents) {
    this.#brush = new Brush(canvas);
    this.#events = events;
    this.#turn.port1.onmessage = () => void this.#draw();
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
    this.#undrawn?.picture.close();
    this.#undrawn = undefined;
    this.#order = new DecodeOrder();
    this.#failures = 0;
    this.#first = true;
    this.received = 0;
    this.decoded = 0;
    this.superseded = 0;
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
    if (due !== undefined) this.#drainSoon(Math.max(1, due - now()));
  }

  #drainSoon(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#drain(), ms);
  }

  #decode(frame: ArrivedFrame): void {
    if (frame.keyframe) this.#configure(frame);
    const decoder = this.#decoder;
    if (!decoder || decoder.state !== "configured") {
      this.#fail();
      return;
    }
    if (this.#isTooSlow() && !frame.keyframe) {
      // Playing on would only be later and later. From a keyframe on it may keep up again.
      this.#swallowed += 1;
      this.#fail();
      return;
    }
    this.#inside.set(frame.sequence, { frame, submitted: now() });
    const type = frame.keyframe ? "key" : "delta";
    try {
      decoder.decode(new EncodedVideoChunk({ type, timestamp: frame.sequence, data: frame.accessUnit }));
    } catch (error) {
      this.#broken(error);
    }
  }

  #isTooSlow(): boolean {
    if (!this.#works) return this.#inside.size > MAX_STARTING;
    const [oldest] = this.#inside.values();
    return oldest !== undefined && now() - oldest.submitted > MAX_WAIT;
  }

  /** The parameter sets in front of each keyframe say which decoder it needs. */
  #configure(frame: ArrivedFrame): void {
    const codec = codecOf(frame.accessUnit);
    if (codec === undefined || (this.#decoder?.state === "configured" && codec === this.#codec)) return;
    this.#closeDecoder();
    this.#codec = codec;
    this.#decoder = new VideoDecoder({
      output: (picture) => this.#handlePicture(picture),
      error: (error) => this.#broken(error),
    });
    // Without a description the chunks are Annex B; the decoder must give each picture at once.
    try {
      this.#decoder.configure({ codec, optimizeForLatency: true });
    } catch (error) {
      this.#broken(error);
    }
  }

  #broken(error: unknown): void {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    this.#failures += 1;
    this.#fail();
    if (name === "NotSupportedError" || this.#failures > 5) this.#events.undecodable(`${this.#codec}: ${message}`);
    // Whoever called may be in the midst of draining.
    else this.#drainSoon(0);
  }

  #fail(): void {
    this.#closeDecoder();
    this.#order.handleDecoderFailure();
  }

  #closeDecoder(): void {
    if (this.#decoder && this.#decoder.state !== "closed") this.#decoder.close();
    this.#decoder = undefined;
    this.#works = false;
    this.#swallowed += this.#inside.size;
    this.#inside.clear();
  }

  /** Draws at once what is the newest; while more is to come, the decoder first hears that it may go on. */
  #handlePicture(picture: VideoFrame): void {
    const entry = this.#inside.get(picture.timestamp);
    this.#inside.delete(picture.timestamp);
    this.#works = true;
    this.#failures = 0;
    this.decoded += 1;
    const turnIsDue = this.#undrawn !== undefined;
    if (this.#undrawn) {
      this.#undrawn.picture.close();
      this.superseded += 1;
    }
    this.#undrawn = { picture, entry, decoded: now() };
    if (this.#inside.size === 0) void this.#draw();
    else if (!turnIsDue) this.#turn.port2.postMessage(undefined);
  }

  async #draw(): Promise<void> {
    // Whoever draws goes on with what came meanwhile.
    if (this.#drawing) return;
    this.#drawing = true;
    try {
      for (let next = this.#undrawn; next; next = this.#undrawn) {
        this.#undrawn = undefined;
        await this.#drawOne(next);
      }
    } finally {
      this.#drawing = false;
    }
  }

  async #drawOne({ picture, entry, decoded }: Undrawn): Promise<void> {
    const order = this.#order;
    // The coded picture can be larger than the visible one, whose size the header says.
    const width = entry?.frame.width ?? picture.displayWidth;
    const height = entry?.frame.height ?? picture.displayHeight;
    if (this.#brush.resize(width, height) || this.#first) this.#events.resized(width, height);
    this.#first = false;
    await this.#brush.draw(picture);
    // A picture of a connection that was lost meanwhile says nothing of the next.
    if (entry && order === this.#order) this.#events.drawn({ ...entry, decoded, drawn: now() });
  }
}
