// One unidirectional stream: a framed header, then the access unit until the stream ends.

import { Malformed } from "../core/bytes.ts";
import { HEAD } from "../core/framing.ts";
import { Type } from "../core/type.ts";
import { decodeFrameHeader, type FrameHeader, MAX_HEADER } from "../core/video.ts";
import { now } from "./time.ts";

/** A frame that arrived whole. */
export interface ArrivedFrame extends FrameHeader {
  readonly accessUnit: Uint8Array<ArrayBuffer>;
  /** When its last byte came, the page's clock, ms. */
  readonly received: number;
}

export interface FrameSink {
  handleFrame(frame: ArrivedFrame): void;
  /** The server took it back in the midst. */
  handleLost(sequence: number): void;
}

/**
 * Reads one stream to its end. Throws `Malformed` for what is no frame; a stream of another type is skipped.
 * The frame is handed over with its last byte: that the stream is over reaches a page later, by ways of its own.
 */
export async function readFrame(stream: ReadableStream<Uint8Array<ArrayBuffer>>, sink: FrameSink): Promise<void> {
  const reader = stream.getReader();
  let head = new Uint8Array(0);
  let header: FrameHeader | undefined;
  let unit = new Uint8Array(0);
  let filled = 0;
  let whole = false;
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      let chunk: Uint8Array<ArrayBuffer> = value;
      if (!header) {
        head = join(head, chunk);
        const found = takeHeader(head);
        if (found === "other") {
          // A stream of a type for newer players: STOP_SENDING.
          void reader.cancel();
          return;
        }
        if (!found) continue;
        header = found.header;
        unit = new Uint8Array(header.length);
        chunk = found.rest;
      }
      if (filled + chunk.length > unit.length) throw new Malformed("frame (longer than its header says)");
      unit.set(chunk, filled);
      filled += chunk.length;
      if (filled === unit.length && !whole) {
        whole = true;
        sink.handleFrame({ ...header, accessUnit: unit, received: now() });
      }
    }
  } catch (error) {
    if (error instanceof Malformed) throw error;
    // A reset; without a header nobody knows which frame it was, and the gap will show.
    if (header && !whole) sink.handleLost(header.sequence);
    return;
  }
  if (!whole) throw new Malformed("frame (shorter than its header says)");
}

function takeHeader(bytes: Uint8Array<ArrayBuffer>): { header: FrameHeader; rest: Uint8Array<ArrayBuffer> } | "other" | undefined {
  if (bytes.length < HEAD) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (view.getUint16(0) !== Type.videoFrame) return "other";
  const length = view.getUint32(2);
  if (length > MAX_HEADER) throw new Malformed("frame header (length)");
  if (bytes.length < HEAD + length) return undefined;
  return { header: decodeFrameHeader(bytes.subarray(HEAD, HEAD + length)), rest: bytes.subarray(HEAD + length) };
}

function join(a: Uint8Array<ArrayBuffer>, b: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (a.length === 0) return b;
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
