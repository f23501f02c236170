// The header in front of each access unit. See docs/protocol.md, "Video streams".

import { Reader } from "./bytes.ts";

export const MAX_ACCESS_UNIT = 16 * 1024 * 1024;
export const MAX_HEADER = 1024;

/** When a frame passed each stage, on the server's clock, ns; 0 is not set. */
export interface ServerStamps {
  readonly read: bigint;
  readonly handed: bigint;
  readonly convertStart: bigint;
  readonly convertEnd: bigint;
  readonly encoded: bigint;
  readonly sent: bigint;
}

export interface FrameHeader {
  readonly sequence: number;
  readonly id: number;
  /** 0 for a keyframe. */
  readonly dependsOn: number;
  /** The newest input that the picture may show; 0: none. */
  readonly newestInput: number;
  readonly stamps: ServerStamps;
  readonly width: number;
  readonly height: number;
  readonly keyframe: boolean;
  readonly torn: boolean;
  readonly length: number;
}

export function decodeFrameHeader(payload: Uint8Array): FrameHeader {
  const r = new Reader("frame header", payload);
  const sequence = r.count("sequence");
  const id = r.count("id");
  const dependsOn = r.count("depends on");
  if (id === 0 || dependsOn >= id) throw r.bad("depends on");
  const newestInput = r.count("newest input");
  const stamps = {
    read: r.u64("read"),
    handed: r.u64("handed"),
    convertStart: r.u64("conversion start"),
    convertEnd: r.u64("conversion end"),
    encoded: r.u64("encoded"),
    sent: r.u64("sent"),
  };
  const width = r.u32("width");
  const height = r.u32("height");
  if (width < 1 || height < 1 || width > 16384 || height > 16384) throw r.bad("width");
  if (r.u8("codec") !== 1) throw r.bad("codec");
  const flags = r.u8("flags");
  const keyframe = (flags & 1) !== 0;
  if (keyframe !== (dependsOn === 0)) throw r.bad("flags");
  const length = r.u32("payload length");
  if (length > MAX_ACCESS_UNIT) throw r.bad("payload length");
  return { sequence, id, dependsOn, newestInput, stamps, width, height, keyframe, torn: (flags & 2) !== 0, length };
}

/** The codec as WebCodecs names it, from the sequence parameter set in a keyframe; undefined without one. */
export function codecOf(accessUnit: Uint8Array): string | undefined {
  // ITU-T H.264, annex B: a start code 00 00 01, then the NAL unit; type 7 holds profile, constraints and level.
  for (let i = 0; i + 6 < accessUnit.length; i += 1) {
    if (accessUnit[i] !== 0 || accessUnit[i + 1] !== 0 || accessUnit[i + 2] !== 1) continue;
    if (((accessUnit[i + 3] ?? 0) & 0x1f) !== 7) continue;
    const hex = (n: number | undefined) => (n ?? 0).toString(16).padStart(2, "0");
    return `avc1.${hex(accessUnit[i + 4])}${hex(accessUnit[i + 5])}${hex(accessUnit[i + 6])}`;
  }
  return undefined;
}
