// What the overlay shows: counts of the last second, and percentiles over the newest frames.

import type { Clock } from "../core/clock.ts";
import { Latency, Window } from "../core/latency.ts";
import type { SoundStatistics, Statistics } from "../core/port.ts";
import type { DrawnFrame, Picture } from "./picture.ts";

/** Inputs that wait for their picture; a game may never show one. */
const MAX_INPUTS = 1000;

export class Measure {
  #latency = new Latency();
  #inputs = new Map<number, number>();
  #inputToPicture = new Window(100);
  #before = { at: 0, drawn: 0, bytes: 0 };
  #drawn = 0;
  #fps = 0;
  #bitrate = 0;
  #size = { width: 0, height: 0 };

  handleInput(id: number, time: number): void {
    if (this.#inputs.size >= MAX_INPUTS) this.#inputs.clear();
    this.#inputs.set(id, time);
  }

  handleDrawn({ frame, submitted, decoded, drawn }: DrawnFrame, clock: Clock): void {
    this.#drawn += 1;
    this.#size = { width: frame.width, height: frame.height };
    const { read, handed, convertStart, convertEnd, encoded, sent } = frame.stamps;
    // A picture that was encoded again without a commit was not converted, and says nothing about delay: its commit
    // was long ago.
    const again = convertStart === 0n;
    if (!again) {
      this.#latency.record({
        read: clock.toPage(read),
        handed: clock.toPage(handed),
        convertStart: clock.toPage(convertStart),
        convertEnd: clock.toPage(convertEnd),
        encoded: clock.toPage(encoded),
        sent: clock.toPage(sent),
        received: frame.received,
        submitted,
        decoded,
        drawn,
      });
    }
    if (frame.newestInput > 0) this.#handleShown(frame.newestInput, drawn);
  }

  /** Inputs up to `newest` are in the picture: the delay is that of the newest, which is no older than it must be. */
  #handleShown(newest: number, drawn: number): void {
    const time = this.#inputs.get(newest);
    if (time === undefined) return;
    this.#inputToPicture.push(drawn - time);
    for (const id of this.#inputs.keys()) if (id <= newest) this.#inputs.delete(id);
  }

  /** A new connection: old figures mean nothing. */
  restart(): void {
    this.#latency = new Latency();
    this.#inputs.clear();
    this.#inputToPicture = new Window(100);
    this.#before = { at: 0, drawn: 0, bytes: 0 };
    this.#drawn = 0;
  }

  statistics(now: number, picture: Picture, soundBytes: number, clock: Clock, sound: SoundStatistics | undefined): Statistics {
    const bytes = picture.bytes + soundBytes;
    const seconds = (now - this.#before.at) / 1000;
    if (seconds >= 1) {
      if (this.#before.at > 0) {
        this.#fps = (this.#drawn - this.#before.drawn) / seconds;
        this.#bitrate = ((bytes - this.#before.bytes) * 8) / seconds;
      }
      this.#before = { at: now, drawn: this.#drawn, bytes };
    }
    return {
      fps: this.#fps,
      bitrate: this.#bitrate,
      received: picture.received,
      decoded: picture.decoded,
      dropped: picture.dropped,
      missing: picture.missing,
      superseded: picture.superseded,
      roundTrip: clock.roundTrip,
      stages: this.#latency.rows(),
      inputToPicture: this.#inputToPicture.percentiles(),
      ...this.#size,
      decoder: picture.decoder,
      sound,
    };
  }
}
