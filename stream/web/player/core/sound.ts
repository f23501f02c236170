// Datagrams of sound, and their order. See docs/protocol.md, "Sound".

import { Reader } from "./bytes.ts";
import { Type } from "./type.ts";

export interface SoundPacket {
  readonly sequence: number;
  /** The server's clock as the first sample was due at the session's sound device, ns. */
  readonly stamp: bigint;
  /** A channel's, at 48 kHz. */
  readonly samples: number;
  readonly opus: Uint8Array;
  /** The packet before it once more; empty: none. */
  readonly previous: Uint8Array;
}

/** Undefined for a datagram of another type. */
export function decodeSound(datagram: Uint8Array): SoundPacket | undefined {
  const r = new Reader("sound", datagram);
  if (r.u16("type") !== Type.sound) return undefined;
  const sequence = r.u32("sequence");
  const stamp = r.u64("stamp");
  const samples = r.u16("samples");
  if (!LENGTHS.includes(samples)) throw r.bad("samples");
  const length = r.u16("length");
  if (length < 1 || length > MAX_PACKET) throw r.bad("length");
  const opus = r.bytes(length, "packet");
  const before = r.u16("previous length");
  if (before > MAX_PACKET) throw r.bad("previous length");
  const previous = r.bytes(before, "previous");
  return { sequence, stamp, samples, opus, previous };
}

/** What to decode next, in the order of the samples. */
export interface SoundPiece {
  readonly sequence: number;
  readonly stamp: bigint;
  readonly samples: number;
  /** Undefined where the packet is lost for good. */
  readonly opus: Uint8Array | undefined;
  /** Its first sample was captured right behind the last one of the piece before. */
  readonly continuous: boolean;
}

/** How far a sequence may jump before what is missing is nobody's gap but a new beginning. */
const MAX_GAP = 20;
const NS_PER_SAMPLE = 1e9 / 48000;
/** Stamps further apart than the samples between them by this much, ns, mean silence. */
const SILENCE = 2_000_000n;
const LENGTHS: readonly number[] = [120, 240, 480, 960];
const MAX_PACKET = 1275;

/**
 * Turns datagrams into a line of packets. A lost one is taken from the packet behind it, which carries it once more;
 * one that comes too late is dropped, because its place was filled.
 */
export class SoundOrder {
  #next: number | undefined;
  /** Where the last piece ended, the server's clock, ns. */
  #end = 0n;
  received = 0;
  recovered = 0;
  lost = 0;

  push(packet: SoundPacket): SoundPiece[] {
    this.received += 1;
    const gap = this.#next === undefined ? 0 : (packet.sequence - this.#next) | 0;
    if (gap < 0 && gap > -MAX_GAP * 50) return [];
    const pieces: SoundPiece[] = [];
    if (gap > 0 && gap <= MAX_GAP) {
      for (let back = gap; back >= 1; back -= 1) {
        const opus = back === 1 && packet.previous.length > 0 ? packet.previous : undefined;
        if (opus) this.recovered += 1;
        else this.lost += 1;
        const stamp = packet.stamp - duration(back * packet.samples);
        pieces.push(this.#piece((packet.sequence - back) >>> 0, stamp, packet.samples, opus));
      }
    }
    pieces.push(this.#piece(packet.sequence, packet.stamp, packet.samples, packet.opus));
    this.#next = (packet.sequence + 1) >>> 0;
    return pieces;
  }
  #piece(sequence: number, stamp: bigint, samples: number, opus: Uint8Array | undefined): SoundPiece {
    const continuous = stamp - this.#end < SILENCE;
    this.#end = stamp + duration(samples);
    return { sequence, stamp, samples, opus, continuous };
  }
}

/** ns. */
function duration(samples: number): bigint {
  return BigInt(Math.round(samples * NS_PER_SAMPLE));
}
