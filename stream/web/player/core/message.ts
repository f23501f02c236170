// The control messages: those of the server taken apart, those of a player put together.

import { cut, Reader, Writer } from "./bytes.ts";
import { frame } from "./framing.ts";
import { Type } from "./type.ts";

export const VERSION = 1;
const MAX_SIDE = 16384;
const MAX_TEXT = 1024;
const MAX_NAME = 64;
const H264 = 1;
/** Bytes of a clipboard's text in one message, and in all. */
export const MAX_CLIPBOARD_PART = 16384;
export const MAX_CLIPBOARD = 1024 * 1024;

export type Role = "player" | "viewer";
const ROLES: readonly Role[] = ["player", "viewer"];

export interface Welcome {
  readonly version: number;
  readonly session: bigint;
  readonly machine: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly millifps: number;
  /** The server's clock as it wrote this, ns. */
  readonly clock: bigint;
  readonly role: Role;
  /** What is played; empty where the server does not say. */
  readonly game: string;
}

export interface Refused {
  readonly code: number;
  readonly text: string;
}

export interface Pong {
  readonly ping: bigint;
  readonly received: bigint;
  readonly sent: bigint;
}

export interface Rumble {
  readonly pad: number;
  /** 0 to 65535. */
  readonly strong: number;
  readonly weak: number;
  readonly durationMs: number;
}

export interface ClipboardPart {
  readonly last: boolean;
  readonly bytes: Uint8Array;
}

/** Counted since the welcome. */
export interface ClientStats {
  readonly received: number;
  readonly decoded: number;
  readonly dropped: number;
  readonly bytes: number;
  readonly newest: number;
  readonly roundTripUs: number;
  readonly waiting: number;
}

/** Throws where the version differs, because only the fields before it are the same for ever. */
export function decodeWelcome(payload: Uint8Array): Welcome {
  const r = new Reader("welcome", payload);
  const version = r.u16("version");
  const session = r.u64("session");
  const machine = r.bytes(16, "machine");
  const width = side(r, "width");
  const height = side(r, "height");
  const millifps = r.u32("frame rate");
  if (r.u8("codec") !== H264) throw r.bad("codec");
  const clock = r.u64("clock");
  // A welcome may end here: then one watches, and nobody says what.
  if (r.left === 0) return { version, session, machine, width, height, millifps, clock, role: "viewer", game: "" };
  const role = ROLES[r.u8("role")];
  if (role === undefined) throw r.bad("role");
  const game = r.text(r.u8("name length"), MAX_NAME, "game name");
  return { version, session, machine, width, height, millifps, clock, role, game };
}

/** A refusal and an end have the same fields. */
export function decodeReason(message: string, payload: Uint8Array): Refused {
  const r = new Reader(message, payload);
  const code = r.u16("code");
  return { code, text: r.text(r.u16("text length"), MAX_TEXT, "text") };
}

export function decodePong(payload: Uint8Array): Pong {
  const r = new Reader("pong", payload);
  return { ping: r.u64("ping"), received: r.u64("received"), sent: r.u64("sent") };
}

export function decodeRumble(payload: Uint8Array): Rumble {
  const r = new Reader("rumble", payload);
  const pad = r.u8("pad");
  if (pad > 3) throw r.bad("pad");
  return { pad, strong: r.u16("strong"), weak: r.u16("weak"), durationMs: r.u16("duration") };
}

export function decodeClipboard(payload: Uint8Array): ClipboardPart {
  const r = new Reader("clipboard", payload);
  const last = r.u8("last");
  if (last > 1) throw r.bad("last");
  const length = r.u16("length");
  if (length > MAX_CLIPBOARD_PART) throw r.bad("length");
  return { last: last === 1, bytes: r.bytes(length, "bytes") };
}

function side(r: Reader, field: string): number {
  const n = r.u32(field);
  if (n < 1 || n > MAX_SIDE) throw r.bad(field);
  return n;
}

/** `machine` is all 0 from a browser: it cannot know whether its clock is the server's. */
export function hello(token: Uint8Array, machine: Uint8Array, name: string, client: Uint8Array): Uint8Array<ArrayBuffer> {
  const n = cut(name, MAX_NAME);
  const w = new Writer().u16(VERSION).bytes(token).bytes(machine).u8(n.length).bytes(n).bytes(client);
  return frame(Type.hello, w.done());
}

export function keyframeRequest(newest: number): Uint8Array<ArrayBuffer> {
  return frame(Type.keyframeRequest, new Writer().u64(newest).done());
}

export function clientStats(s: ClientStats): Uint8Array<ArrayBuffer> {
  const w = new Writer().u64(s.received).u64(s.decoded).u64(s.dropped).u64(s.bytes).u64(s.newest);
  return frame(Type.clientStats, w.u32(s.roundTripUs).u32(s.waiting).done());
}

export function ping(sent: bigint): Uint8Array<ArrayBuffer> {
  return frame(Type.ping, new Writer().u64(sent).done());
}

/** `millifps` 0 leaves the frame rate as it is. */
export function resize(width: number, height: number, millifps: number): Uint8Array<ArrayBuffer> {
  return frame(Type.resize, new Writer().u32(width).u32(height).u32(millifps).done());
}

/** The messages that carry a text of at most 1 MiB; a longer one is cut. */
export function clipboard(text: string): Uint8Array<ArrayBuffer>[] {
  const bytes = cut(text, MAX_CLIPBOARD);
  const messages: Uint8Array<ArrayBuffer>[] = [];
  let at = 0;
  do {
    const part = bytes.subarray(at, at + MAX_CLIPBOARD_PART);
    at += part.length;
    const last = at >= bytes.length ? 1 : 0;
    messages.push(frame(Type.clipboard, new Writer().u8(last).u16(part.length).bytes(part).done()));
  } while (at < bytes.length);
  return messages;
}

/** Joins the parts of a clipboard's text. */
export class ClipboardParts {
  #parts: Uint8Array[] = [];
  #length = 0;

  /** The text, once its last part came. */
  push(part: ClipboardPart): string | undefined {
    this.#length += part.bytes.length;
    if (this.#length > MAX_CLIPBOARD) throw new Reader("clipboard", part.bytes).bad("length");
    this.#parts.push(part.bytes.slice());
    if (!part.last) return undefined;
    const whole = new Uint8Array(this.#length);
    let at = 0;
    for (const bytes of this.#parts) {
      whole.set(bytes, at);
      at += bytes.length;
    }
    this.#parts = [];
    this.#length = 0;
    return new Reader("clipboard", whole).text(whole.length, MAX_CLIPBOARD, "text");
  }
}
