// One connection to the server: WebTransport, the control stream, the input stream, datagrams.

import { Malformed } from "../core/bytes.ts";
import { Deframer, type Framed } from "../core/framing.ts";
import { hello } from "../core/message.ts";
import type { Leave, Target } from "../core/port.ts";
import { type FrameSink, readFrame } from "./access_unit.ts";

/** How long a server may take until it answers at all. */
const PATIENCE = 5000;
/** Datagrams that may wait to be read; browsers keep few by themselves. */
const WAITING_DATAGRAMS = 64;
/** The code that closes a connection without a fault. */
const NO_FAULT = 0;
/** The code for bytes that cannot be read. */
const MALFORMED = 3;

export interface ConnectionEvents extends FrameSink {
  handleMessage(message: Framed): void;
  handleDatagram(datagram: Uint8Array): void;
  /** Once and last. */
  left(leave: Leave): void;
}

export class Connection {
  readonly #events: ConnectionEvents;
  readonly #transport: WebTransport;
  #control: WritableStreamDefaultWriter<Uint8Array> | undefined;
  #input: Promise<WritableStreamDefaultWriter<Uint8Array>> | undefined;
  #late: ReturnType<typeof setTimeout> | undefined;
  #open = false;
  #over = false;

  constructor(target: Target, events: ConnectionEvents) {
    this.#events = events;
    const hashes = target.certificates.map((value) => ({ algorithm: "sha-256", value }));
    this.#transport = new WebTransport(target.url, {
      ...(hashes.length > 0 ? { serverCertificateHashes: hashes } : {}),
      congestionControl: "low-latency",
      requireUnreliable: true,
    });
    void this.#run(target);
  }

  /** Puts a framed message on the control stream. */
  send(message: Uint8Array): void {
    this.#control?.write(message).catch(() => undefined);
  }

  /** Puts a framed message on the input stream, which is opened by the first. */
  sendInput(message: Uint8Array): void {
    if (!this.#open || this.#over) return;
    this.#input ??= this.#transport.createUnidirectionalStream().then((stream) => stream.getWriter());
    this.#input.then((writer) => writer.write(message)).catch(() => undefined);
  }

  /** Leaves without a fault, or because of `leave`. */
  close(leave?: Leave): void {
    if (leave) this.#leave(leave);
    this.#over = true;
    this.#hangUp(NO_FAULT, "");
  }

  async #run(target: Target): Promise<void> {
    this.#late = setTimeout(() => this.#lost("the server did not answer in time"), PATIENCE);
    // It is looked at below, where the connection may have been given up already.
    this.#transport.closed.catch(() => undefined);
    try {
      await this.#transport.ready;
      const stream = await this.#transport.createBidirectionalStream();
      this.#control = stream.writable.getWriter();
      this.#open = true;
      // The client speaks first: what a server sends before may be lost.
      this.send(hello(target.token, new Uint8Array(16), target.name, target.client));
      this.#guard(this.#readFrames());
      this.#guard(this.#readDatagrams());
      await this.#readControl(stream.readable);
      await this.#transport.closed.then(
        ({ closeCode, reason }) => this.#closed(closeCode ?? NO_FAULT, reason ?? ""),
        (error: unknown) => this.#failed(error),
      );
    } catch (error) {
      await this.#failed(error);
    }
  }

  /** What ends one of the readers ends the connection. */
  #guard(reader: Promise<void>): void {
    reader.catch((error: unknown) => this.#failed(error));
  }

  async #readControl(readable: ReadableStream<Uint8Array>): Promise<void> {
    const reader = readable.getReader();
    const deframer = new Deframer();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      clearTimeout(this.#late);
      for (const message of deframer.push(value)) {
        if (!this.#over) this.#events.handleMessage(message);
      }
    }
    if (!deframer.isBetweenMessages) throw new Malformed("stream (it ends inside a message)");
  }

  async #readFrames(): Promise<void> {
    // A frame that comes whole after the end is none of the next connection's.
    const sink: FrameSink = {
      handleFrame: (frame) => this.#over || this.#events.handleFrame(frame),
      handleLost: (sequence) => this.#over || this.#events.handleLost(sequence),
    };
    const streams = this.#transport.incomingUnidirectionalStreams.getReader();
    for (;;) {
      const { value, done } = await streams.read();
      if (done || this.#over) return;
      this.#guard(readFrame(value as ReadableStream<Uint8Array<ArrayBuffer>>, sink));
    }
  }

  async #readDatagrams(): Promise<void> {
    this.#transport.datagrams.incomingHighWaterMark = WAITING_DATAGRAMS;
    const reader = (this.#transport.datagrams.readable as ReadableStream<Uint8Array>).getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done || this.#over) return;
      this.#events.handleDatagram(value);
    }
  }

  async #failed(error: unknown): Promise<void> {
    if (error instanceof Malformed) {
      if (this.#over) return;
      this.#hangUp(MALFORMED, error.message);
      this.#leave({ why: "malformed", text: error.message });
      return;
    }
    // A reader may notice the end before `closed` tells its reason.
    const how = await Promise.race([
      this.#transport.closed.catch(() => undefined),
      new Promise<undefined>((resolve) => setTimeout(resolve, 100, undefined)),
    ]);
    if (how) this.#closed(how.closeCode ?? NO_FAULT, how.reason ?? "");
    else this.#lost(error instanceof Error ? error.message : String(error));
  }

  #closed(code: number, reason: string): void {
    if (code === NO_FAULT) this.#lost(reason || "the server closed the connection");
    else this.#leave({ why: "refused", code, text: reason });
  }

  #lost(text: string): void {
    this.#leave({ why: this.#open ? "lost" : "unreachable", text });
    this.#hangUp(NO_FAULT, "");
  }

  #leave(leave: Leave): void {
    if (this.#over) return;
    this.#over = true;
    this.#events.left(leave);
  }

  #hangUp(closeCode: number, reason: string): void {
    clearTimeout(this.#late);
    try {
      this.#transport.close({ closeCode, reason: reason.slice(0, 512) });
    } catch {
      // It was closed, or never open: nobody is left to be told.
    }
  }
}
