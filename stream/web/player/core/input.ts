// What the player does, as messages of the input stream. See docs/protocol.md, "Input".

import { cut, Writer } from "./bytes.ts";
import { toNanos } from "./clock.ts";
import { frame } from "./framing.ts";
import { Type } from "./type.ts";

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A gamepad as the W3C's standard mapping shows it. */
export interface PadState {
  /** Bit i: button i is pressed. */
  readonly buttons: number;
  /** Left x, left y, right x, right y; -1 to 1, positive right and down. */
  readonly axes: readonly [number, number, number, number];
  /** Left and right, 0 to 1. */
  readonly triggers: readonly [number, number];
}

export type InputEvent =
  | { readonly kind: "key"; readonly code: number; readonly pressed: boolean }
  | { readonly kind: "text"; readonly text: string }
  /** A point of a picture of `size`. */
  | { readonly kind: "pointerAt"; readonly x: number; readonly y: number; readonly size: Size }
  /** Pixels. */
  | { readonly kind: "pointerBy"; readonly dx: number; readonly dy: number }
  | { readonly kind: "button"; readonly code: number; readonly pressed: boolean }
  /** Notches of a wheel, or pixels of a finger; positive right and down. */
  | { readonly kind: "wheel"; readonly dx: number; readonly dy: number; readonly source: "wheel" | "finger" }
  | { readonly kind: "touch"; readonly phase: TouchPhase; readonly slot: number; readonly x: number; readonly y: number; readonly size: Size }
  /** Without a state the pad is gone. */
  | { readonly kind: "gamepad"; readonly pad: number; readonly state: PadState | undefined }
  | { readonly kind: "layout"; readonly layout: string }
  | { readonly kind: "release" };

export type TouchPhase = "down" | "motion" | "up" | "cancel";
const PHASES: readonly TouchPhase[] = ["down", "motion", "up", "cancel"];

const MAX_TEXT = 1024;
const MAX_LAYOUT = 64;
const NOTCH = 120;

/** `time` is the page's clock, ms. `id` rises with each input from 1. */
export function encodeInput(id: number, time: number, event: InputEvent): Uint8Array<ArrayBuffer> {
  const w = new Writer().u64(id).u64(toNanos(time));
  return frame(put(w, event), w.done());
}

/** Puts the fields behind id and time, and gives the type. */
function put(w: Writer, e: InputEvent): number {
  switch (e.kind) {
    case "key":
      w.u16(e.code).u8(e.pressed ? 1 : 0);
      return Type.key;
    case "text": {
      const bytes = cut(e.text, MAX_TEXT);
      w.u16(bytes.length).bytes(bytes);
      return Type.text;
    }
    case "pointerAt":
      point(w, e.x, e.y, e.size);
      return Type.pointerAt;
    case "pointerBy":
      w.i32(fixed(e.dx)).i32(fixed(e.dy));
      return Type.pointerBy;
    case "button":
      w.u16(e.code).u8(e.pressed ? 1 : 0);
      return Type.button;
    case "wheel":
      if (e.source === "wheel") w.i32(whole(e.dx * NOTCH)).i32(whole(e.dy * NOTCH)).u8(0);
      else w.i32(fixed(e.dx)).i32(fixed(e.dy)).u8(1);
      return Type.wheel;
    case "touch":
      w.u8(PHASES.indexOf(e.phase)).u32(e.slot);
      point(w, e.x, e.y, e.size);
      return Type.touch;
    case "gamepad":
      gamepad(w, e.pad, e.state);
      return Type.gamepad;
    case "layout": {
      const bytes = cut(e.layout, MAX_LAYOUT);
      w.u8(bytes.length).bytes(bytes);
      return Type.layout;
    }
    case "release":
      return Type.release;
  }
}

function point(w: Writer, x: number, y: number, size: Size): void {
  w.u32(clamp(Math.floor(x), 0, size.width - 1)).u32(clamp(Math.floor(y), 0, size.height - 1));
  w.u32(size.width).u32(size.height);
}

function gamepad(w: Writer, pad: number, state: PadState | undefined): void {
  w.u8(pad).u8(state ? 1 : 0).u32(state?.buttons ?? 0);
  for (let i = 0; i < 4; i += 1) w.i16(axis(state?.axes[i] ?? 0));
  for (let i = 0; i < 2; i += 1) w.u16(clamp(Math.round((state?.triggers[i] ?? 0) * 65535), 0, 65535));
}

/** The whole range of 16 bits, whose negative half is larger by one. */
function axis(n: number): number {
  return clamp(Math.round(n * (n < 0 ? 32768 : 32767)), -32768, 32767);
}

/** Signed 24.8 fixed-point. */
function fixed(n: number): number {
  return whole(n * 256);
}

function whole(n: number): number {
  return clamp(Math.round(n), -0x8000_0000, 0x7fff_ffff);
}

function clamp(n: number, low: number, high: number): number {
  return Math.min(Math.max(n, low), high);
}
