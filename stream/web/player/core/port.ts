// What page and worker tell each other.

import type { PointerBounds } from "./cursor.ts";
import type { Rumble, Role } from "./message.ts";
import type { Percentiles, Stage } from "./latency.ts";

/** Whom to connect to, and as whom. */
export interface Target {
  readonly url: string;
  readonly token: Uint8Array<ArrayBuffer>;
  /** SHA-256 of certificates that are accepted; empty: those that the browser trusts. */
  readonly certificates: readonly Uint8Array<ArrayBuffer>[];
  /** Names this player across reconnects. */
  readonly client: Uint8Array<ArrayBuffer>;
  /** What it calls itself in the server's log. */
  readonly name: string;
}

export type ToWorker =
  /** First and once. `origin` is the page's `performance.timeOrigin`, so that both have one clock. */
  | { readonly kind: "start"; readonly canvas: OffscreenCanvas; readonly origin: number; readonly sound: MessagePort }
  | { readonly kind: "connect"; readonly attempt: number; readonly target: Target }
  | { readonly kind: "disconnect" }
  /** A framed message; `time` is when it happened, the page's clock, ms. */
  | { readonly kind: "input"; readonly id: number; readonly time: number; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "resize"; readonly width: number; readonly height: number }
  | { readonly kind: "clipboard"; readonly text: string }
  /** The page may have slept: is the server still there? */
  | { readonly kind: "check" };

/** The cursor with its image as a canvas takes it. */
export interface CursorShown {
  readonly look: "unknown" | "hidden" | "shape" | "image";
  /** The shape's name. */
  readonly name: string;
  readonly image:
    | {
        /** R G B A, not premultiplied. */
        readonly pixels: Uint8ClampedArray<ArrayBuffer>;
        readonly width: number;
        readonly height: number;
        /** In pixels of the stream. */
        readonly shownWidth: number;
        readonly shownHeight: number;
        readonly hotspot: readonly [number, number];
      }
    | undefined;
  readonly bounds: PointerBounds;
}

export interface Statistics {
  readonly fps: number;
  /** Of access units and sound, bit/s. */
  readonly bitrate: number;
  readonly received: number;
  readonly decoded: number;
  readonly dropped: number;
  readonly missing: number;
  /** Decoded and never drawn, because a newer one was there. */
  readonly superseded: number;
  /** Shortest recent one, ms. */
  readonly roundTrip: number | undefined;
  readonly stages: readonly [Stage, Percentiles][];
  /** From an input to the first drawn picture that may show it, ms. */
  readonly inputToPicture: Percentiles | undefined;
  readonly width: number;
  readonly height: number;
  readonly decoder: string;
  readonly sound: SoundStatistics | undefined;
}

export interface SoundStatistics {
  readonly received: number;
  readonly recovered: number;
  readonly lost: number;
  readonly underruns: number;
  /** Waits in the jitter buffer, ms. */
  readonly held: number;
  /** From capture to the sound card being given it, ms. */
  readonly delay: number | undefined;
}

/** Why a connection ended. */
export type Leave =
  /** One of the protocol's codes and the server's sentence. */
  | { readonly why: "refused"; readonly code: number; readonly text: string }
  | { readonly why: "ended"; readonly code: number; readonly text: string }
  /** It never came to a session. */
  | { readonly why: "unreachable"; readonly text: string }
  | { readonly why: "lost"; readonly text: string }
  /** What the server sent cannot be read. */
  | { readonly why: "malformed"; readonly text: string }
  /** This browser cannot decode the picture. */
  | { readonly why: "undecodable"; readonly text: string };

export type FromWorker =
  | { readonly kind: "welcome"; readonly attempt: number; readonly role: Role; readonly game: string; readonly width: number; readonly height: number }
  /** The first picture of a connection was drawn, or one of another size. */
  | { readonly kind: "picture"; readonly width: number; readonly height: number }
  | { readonly kind: "cursor"; readonly cursor: CursorShown }
  | { readonly kind: "rumble"; readonly rumble: Rumble }
  | { readonly kind: "clipboard"; readonly text: string }
  | { readonly kind: "statistics"; readonly statistics: Statistics }
  | { readonly kind: "left"; readonly attempt: number; readonly leave: Leave };
