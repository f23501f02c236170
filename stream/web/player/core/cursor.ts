// The game's cursor: its messages, and the images that both sides keep. See docs/protocol.md, "cursor".

import { Reader } from "./bytes.ts";

const MAX_PIXELS = 65536;
const MAX_IMAGE_SIDE = 512;
const MAX_PART = 16384;
const MAX_SHAPE = 32;
const MAX_SIDE = 16384;
/** Both sides know which images a client keeps: the 32 that were whole last. */
const KEPT = 32;

export interface CursorPart {
  readonly id: bigint;
  readonly width: number;
  readonly height: number;
  readonly offset: number;
  /** Rows of B G R A, premultiplied. */
  readonly bgra: Uint8Array;
}

/** An image that is whole. */
export interface CursorImage {
  readonly id: bigint;
  readonly width: number;
  readonly height: number;
  readonly bgra: Uint8Array<ArrayBuffer>;
}

export type CursorLook =
  | { readonly kind: "unknown" }
  | { readonly kind: "hidden" }
  | { readonly kind: "shape"; readonly name: string }
  /** Shown size and hotspot are in pixels of the stream. */
  | {
      readonly kind: "image";
      readonly id: bigint;
      readonly width: number;
      readonly height: number;
      readonly hotspot: readonly [number, number];
    };

export type PointerBounds = "free" | "locked" | "confined";

export interface CursorState {
  readonly look: CursorLook;
  readonly bounds: PointerBounds;
  /** Where the pointer should be when it is free again, pixels of the window. */
  readonly hint: readonly [number, number] | undefined;
}

export function decodeCursorPart(payload: Uint8Array): CursorPart {
  const r = new Reader("cursor image", payload);
  const id = r.u64("id");
  const width = r.u32("width");
  const height = r.u32("height");
  const offset = r.u32("offset");
  const length = r.u32("length");
  const side = (n: number) => n >= 1 && n <= MAX_IMAGE_SIDE;
  if (id === 0n) throw r.bad("id");
  if (!side(width) || !side(height) || width * height > MAX_PIXELS) throw r.bad("width");
  if (length < 1 || length > MAX_PART || offset + length > width * height * 4) throw r.bad("length");
  return { id, width, height, offset, bgra: r.bytes(length, "pixels") };
}

export function decodeCursor(payload: Uint8Array): CursorState {
  const r = new Reader("cursor", payload);
  const kind = r.u8("look");
  const id = r.u64("image");
  const width = r.u32("width");
  const height = r.u32("height");
  const hotspot = [r.i32("hotspot"), r.i32("hotspot")] as const;
  const bounds = (["free", "locked", "confined"] as const)[r.u8("bounds")];
  const hinted = r.u8("hint");
  const hint = [r.i32("hint"), r.i32("hint")] as const;
  const name = r.text(r.u8("name length"), MAX_SHAPE, "name");
  if (bounds === undefined || hinted > 1 || (hinted === 1 && bounds !== "locked")) throw r.bad("bounds");
  if (hinted === 0 && (hint[0] !== 0 || hint[1] !== 0)) throw r.bad("hint");
  const plain = id === 0n && width === 0 && height === 0 && hotspot[0] === 0 && hotspot[1] === 0;
  const state = { bounds, hint: hinted === 1 ? ([hint[0] / 256, hint[1] / 256] as const) : undefined };
  const side = (n: number) => n >= 1 && n <= MAX_SIDE;
  if (kind === 0 && plain && name === "") return { ...state, look: { kind: "unknown" } };
  if (kind === 1 && plain && name === "") return { ...state, look: { kind: "hidden" } };
  if (kind === 2 && plain && name !== "") return { ...state, look: { kind: "shape", name } };
  if (kind === 3 && id !== 0n && side(width) && side(height) && name === "") {
    return { ...state, look: { kind: "image", id, width, height, hotspot } };
  }
  throw r.bad("look");
}

/** The images that this client keeps. */
export class CursorStore {
  #kept: CursorImage[] = [];
  #partial: { readonly image: CursorImage; filled: number } | undefined;

  handlePart(part: CursorPart): void {
    const wrong = () => new Reader("cursor image", part.bgra).bad("offset");
    if (this.find(part.id)) throw wrong();
    const partial = this.#partial ?? {
      image: { id: part.id, width: part.width, height: part.height, bgra: new Uint8Array(part.width * part.height * 4) },
      filled: 0,
    };
    this.#partial = undefined;
    const { image } = partial;
    const follows = partial.filled === part.offset && image.id === part.id;
    if (!follows || image.width !== part.width || image.height !== part.height) throw wrong();
    image.bgra.set(part.bgra, part.offset);
    partial.filled += part.bgra.length;
    if (partial.filled < image.bgra.length) {
      this.#partial = partial;
      return;
    }
    if (this.#kept.length === KEPT) this.#kept.shift();
    this.#kept.push(image);
  }

  find(id: bigint): CursorImage | undefined {
    return this.#kept.find((image) => image.id === id);
  }
}

/** Pixels as a canvas takes them: R G B A, not premultiplied. */
export function toCanvasPixels(bgra: Uint8Array): Uint8ClampedArray<ArrayBuffer> {
  const out = new Uint8ClampedArray(bgra.length);
  for (let i = 0; i + 3 < bgra.length; i += 4) {
    const alpha = bgra[i + 3] ?? 0;
    const straight = (n: number | undefined) => (alpha === 0 ? 0 : ((n ?? 0) * 255) / alpha);
    out[i] = straight(bgra[i + 2]);
    out[i + 1] = straight(bgra[i + 1]);
    out[i + 2] = straight(bgra[i]);
    out[i + 3] = alpha;
  }
  return out;
}
