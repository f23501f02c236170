// From datagrams of sound to the worklet's samples.

import { type SoundPiece, SoundOrder, decodeSound } from "../core/sound.ts";
import type { SoundStatistics } from "../core/port.ts";
import type { FromWorklet, ToWorklet } from "../core/speaker.ts";
import { now } from "./time.ts";

const RATE = 48000;
/** What the decoder yields is so much behind the stamp, ms. */
const CODEC_DELAY = 2.5;

interface Inside {
  readonly continuous: boolean;
  readonly captured: number | undefined;
  /** Samples of silence that need no decoder, or 0. */
  readonly silence: number;
}

export class Hearing {
  readonly #port: MessagePort;
  readonly #toPage: (stamp: bigint) => number | undefined;
  #order = new SoundOrder();
  #decoder: AudioDecoder | undefined;
  #inside: Inside[] = [];
  #worklet: FromWorklet | undefined;
  #workletSaid = 0;
  #timestamp = 0;
  bytes = 0;

  /** `toPage` turns the server's stamps into the page's clock. */
  constructor(port: MessagePort, toPage: (stamp: bigint) => number | undefined) {
    this.#port = port;
    this.#toPage = toPage;
    port.onmessage = (event: MessageEvent<FromWorklet>) => {
      this.#worklet = event.data;
      this.#workletSaid = now();
    };
  }

  restart(): void {
    this.#closeDecoder();
    this.#order = new SoundOrder();
    this.bytes = 0;
  }

  handleDatagram(datagram: Uint8Array): void {
    this.bytes += datagram.length;
    const packet = decodeSound(datagram);
    if (!packet || typeof AudioDecoder === "undefined") return;
    for (const piece of this.#order.push(packet)) this.#decode(piece);
  }

  statistics(): SoundStatistics | undefined {
    if (this.#order.received === 0) return undefined;
    const { received, recovered, lost } = this.#order;
    const played = this.#worklet?.captured;
    const recent = now() - this.#workletSaid < 1000;
    return {
      received,
      recovered,
      lost,
      underruns: this.#worklet?.underruns ?? 0,
      held: ((this.#worklet?.held ?? 0) / RATE) * 1000,
      delay: played !== undefined && recent ? this.#workletSaid - played : undefined,
    };
  }

  #decode(piece: SoundPiece): void {
    // Until a worklet plays, nobody wants samples, and none may pile up.
    if (!this.#worklet) return;
    const captured = this.#toPage(piece.stamp);
    const inside = {
      continuous: piece.continuous,
      captured: captured === undefined ? undefined : captured - CODEC_DELAY,
      // WebCodecs conceals nothing; as much silence keeps the rest in its place.
      silence: piece.opus ? 0 : piece.samples,
    };
    // Opened before the queue is joined: a new decoder begins with an empty one.
    const decoder = this.#open();
    this.#inside.push(inside);
    if (!piece.opus) {
      this.#sendSilences();
      return;
    }
    decoder.decode(new EncodedAudioChunk({ type: "key", timestamp: this.#timestamp, data: piece.opus.slice() }));
    this.#timestamp += Math.round((piece.samples / RATE) * 1e6);
  }

  /** Silence that is next has its turn; what waits behind packets in the decoder must not overtake them. */
  #sendSilences(): void {
    for (let next = this.#inside[0]; next && next.silence > 0; next = this.#inside[0]) {
      this.#inside.shift();
      this.#send(new Float32Array(next.silence), new Float32Array(next.silence), next);
    }
  }

  #open(): AudioDecoder {
    if (this.#decoder?.state === "configured") return this.#decoder;
    this.#closeDecoder();
    this.#decoder = new AudioDecoder({
      output: (data) => this.#hear(data),
      // The next packet finds it closed and opens another.
      error: () => {
        this.#inside = [];
      },
    });
    this.#decoder.configure({ codec: "opus", sampleRate: RATE, numberOfChannels: 2 });
    return this.#decoder;
  }

  #hear(data: AudioData): void {
    const inside = this.#inside.shift() ?? { continuous: true, captured: undefined, silence: 0 };
    const left = new Float32Array(data.numberOfFrames);
    data.copyTo(left, { planeIndex: 0, format: "f32-planar" });
    let right = left.slice();
    if (data.numberOfChannels > 1) {
      right = new Float32Array(data.numberOfFrames);
      data.copyTo(right, { planeIndex: 1, format: "f32-planar" });
    }
    data.close();
    this.#send(left, right, inside);
    this.#sendSilences();
  }

  #send(left: Float32Array<ArrayBuffer>, right: Float32Array<ArrayBuffer>, { continuous, captured }: Inside): void {
    const message: ToWorklet = { left, right, continuous, captured };
    this.#port.postMessage(message, [left.buffer, right.buffer]);
  }

  #closeDecoder(): void {
    if (this.#decoder && this.#decoder.state !== "closed") this.#decoder.close();
    this.#decoder = undefined;
    this.#inside = [];
  }
}
