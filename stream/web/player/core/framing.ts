// Messages on a stream: a type of 2 bytes, a length of 4, a payload. See docs/protocol.md, "Framing".

import { Malformed } from "./bytes.ts";

export const HEAD = 6;
export const MAX_CONTROL = 64 * 1024;

/** One message as it came; the payload may be a view that the next push overwrites nothing of. */
export interface Framed {
  readonly type: number;
  readonly payload: Uint8Array<ArrayBuffer>;
}

export function frame(type: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(HEAD + payload.length);
  const view = new DataView(out.buffer);
  view.setUint16(0, type);
  view.setUint32(2, payload.length);
  out.set(payload, HEAD);
  return out;
}

/** Cuts a stream into its messages, wherever its chunks end. */
export class Deframer {
  #rest = new Uint8Array(0);

  /** The messages that are whole with `chunk`. Throws `Malformed` at a length above the limit, before anything of it is kept. */
  push(chunk: Uint8Array): Framed[] {
    let bytes = new Uint8Array(this.#rest.length + chunk.length);
    bytes.set(this.#rest);
    bytes.set(chunk, this.#rest.length);
    const messages: Framed[] = [];
    while (bytes.length >= HEAD) {
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      const length = view.getUint32(2);
      if (length > MAX_CONTROL) throw new Malformed("message of a length that is allowed");
      if (bytes.length < HEAD + length) break;
      messages.push({ type: view.getUint16(0), payload: bytes.subarray(HEAD, HEAD + length) });
      bytes = bytes.subarray(HEAD + length);
    }
    this.#rest = bytes;
    return messages;
  }

  /** A stream that ends inside a message is malformed. */
  get isBetweenMessages(): boolean {
    return this.#rest.length === 0;
  }
}
