// The player's worker: the connection, decoding and drawing, away from the page so that neither waits for the other.

import { Malformed } from "../core/bytes.ts";
import { Clock, toNanos } from "../core/clock.ts";
import { CursorStore, decodeCursor, decodeCursorPart, toCanvasPixels } from "../core/cursor.ts";
import type { Framed } from "../core/framing.ts";
import * as message from "../core/message.ts";
import type { FromWorker, Leave, Target, ToWorker } from "../core/port.ts";
import { Type } from "../core/type.ts";
import { Connection } from "./connection.ts";
import { Hearing } from "./hearing.ts";
import { Measure } from "./measure.ts";
import { Picture } from "./picture.ts";
import { followPage, now } from "./time.ts";

/** Pings in a row at the beginning, and the time between them and later ones, ms. */
const FIRST_PINGS = 8;
const FIRST_PING_GAP = 20;
const PING_GAP = 1000;
/** How often the server and the overlay are told, ms. */
const REPORT_GAP = 500;
/** A server that answered none of so many later pings is gone. They are counted, as time passes while the page sleeps. */
const MAX_UNANSWERED = 4;
/** How long the answer may take after a pause, ms. */
const WAKE_PATIENCE = 1500;

function tell(told: FromWorker, transfer: Transferable[] = []): void {
  self.postMessage(told, { transfer });
}

class Player {
  readonly #picture: Picture;
  readonly #hearing: Hearing;
  readonly #measure = new Measure();
  #clock = new Clock();
  #cursors = new CursorStore();
  #clipboard = new message.ClipboardParts();
  #connection: Connection | undefined;
  #attempt = 0;
  #welcomed = false;
  #pings = 0;
  #answered = 0;
  #unanswered = 0;
  #timers: ReturnType<typeof setTimeout>[] = [];

  constructor(canvas: OffscreenCanvas, sound: MessagePort) {
    this.#hearing = new Hearing(sound, (stamp) => this.#clock.toPage(stamp));
    this.#picture = new Picture(canvas, {
      drawn: (frame) => this.#measure.handleDrawn(frame, this.#clock),
      resized: (width, height) => tell({ kind: "picture", width, height }),
      requestKeyframe: (newest) => this.#connection?.send(message.keyframeRequest(newest)),
      undecodable: (text) => this.#connection?.close({ why: "undecodable", text }),
    });
  }

  connect(attempt: number, target: Target): void {
    this.disconnect();
    this.#attempt = attempt;
    this.#welcomed = false;
    this.#pings = 0;
    this.#unanswered = 0;
    this.#clock = new Clock();
    this.#cursors = new CursorStore();
    this.#clipboard = new message.ClipboardParts();
    this.#picture.restart();
    this.#hearing.restart();
    this.#measure.restart();
    this.#connection = new Connection(target, {
      handleFrame: (frame) => this.#picture.handleFrame(frame),
      handleLost: (sequence) => this.#picture.handleLost(sequence),
      handleDatagram: (datagram) => this.#handleDatagram(datagram),
      handleMessage: (framed) => this.#handleMessage(framed),
      left: (leave) => this.#left(attempt, leave),
    });
  }

  disconnect(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
    this.#connection?.close();
    this.#connection = undefined;
  }

  input(id: number, time: number, bytes: Uint8Array): void {
    this.#measure.handleInput(id, time);
    this.#connection?.sendInput(bytes);
  }

  send(...messages: Uint8Array[]): void {
    for (const bytes of messages) this.#connection?.send(bytes);
  }

  /** Asks at once whether the server is still there. */
  check(): void {
    if (!this.#welcomed) return;
    this.#ping();
    const asked = now();
    this.#later(WAKE_PATIENCE, () => {
      if (this.#answered < asked) this.#connection?.close({ why: "lost", text: "the connection did not outlive the pause" });
    });
  }

  #left(attempt: number, leave: Leave): void {
    if (attempt !== this.#attempt) return;
    this.disconnect();
    tell({ kind: "left", attempt, leave });
  }

  #handleDatagram(datagram: Uint8Array): void {
    try {
      this.#hearing.handleDatagram(datagram);
    } catch (error) {
      // A datagram that cannot be read is as good as lost.
      if (!(error instanceof Malformed)) throw error;
    }
  }

  #handleMessage({ type, payload }: Framed): void {
    switch (type) {
      case Type.welcome:
        this.#handleWelcome(message.decodeWelcome(payload));
        break;
      case Type.refused:
        this.#connection?.close({ why: "refused", ...message.decodeReason("refused", payload) });
        break;
      case Type.end:
        this.#connection?.close({ why: "ended", ...message.decodeReason("end", payload) });
        break;
      case Type.pong: {
        const pong = message.decodePong(payload);
        this.#answered = now();
        this.#unanswered = 0;
        this.#clock.handlePong(pong.ping, pong.received, pong.sent, toNanos(this.#answered));
        break;
      }
      case Type.cursorImage:
        this.#cursors.handlePart(decodeCursorPart(payload));
        break;
      case Type.cursor:
        this.#handleCursor(payload);
        break;
      case Type.rumble:
        tell({ kind: "rumble", rumble: message.decodeRumble(payload) });
        break;
      case Type.clipboard: {
        const text = this.#clipboard.push(message.decodeClipboard(payload));
        if (text !== undefined) tell({ kind: "clipboard", text });
        break;
      }
      default:
      // Types that are not known are skipped: newer servers may have more to say.
    }
  }

  #handleWelcome({ version, role, game, width, height }: message.Welcome): void {
    if (version !== message.VERSION || this.#welcomed) throw new Malformed("welcome of this page's version");
    this.#welcomed = true;
    this.#answered = now();
    tell({ kind: "welcome", attempt: this.#attempt, role, game, width, height });
    this.#ping();
    this.#pingLater();
    this.#report();
  }

  #handleCursor(payload: Uint8Array): void {
    const { look, bounds } = decodeCursor(payload);
    const shown = { look: look.kind, name: look.kind === "shape" ? look.name : "", bounds };
    if (look.kind !== "image") {
      tell({ kind: "cursor", cursor: { ...shown, image: undefined } });
      return;
    }
    const image = this.#cursors.find(look.id);
    if (!image) throw new Malformed("cursor (image)");
    const pixels = toCanvasPixels(image.bgra);
    const { width, height } = image;
    const drawn = { pixels, width, height, shownWidth: look.width, shownHeight: look.height, hotspot: look.hotspot };
    tell({ kind: "cursor", cursor: { ...shown, image: drawn } }, [pixels.buffer]);
  }

  #ping(): void {
    this.#pings += 1;
    if (this.#pings > FIRST_PINGS) this.#unanswered += 1;
    this.#connection?.send(message.ping(toNanos(now())));
  }

  #pingLater(): void {
    this.#later(this.#pings < FIRST_PINGS ? FIRST_PING_GAP : PING_GAP, () => {
      if (this.#unanswered > MAX_UNANSWERED) {
        this.#connection?.close({ why: "lost", text: "the server no longer answers" });
        return;
      }
      this.#ping();
      this.#pingLater();
    });
  }

  #report(): void {
    const picture = this.#picture;
    const statistics = this.#measure.statistics(now(), picture, this.#hearing.bytes, this.#clock, this.#hearing.statistics());
    tell({ kind: "statistics", statistics });
    this.#connection?.send(
      message.clientStats({
        received: picture.received,
        decoded: picture.decoded,
        dropped: picture.dropped,
        bytes: picture.bytes,
        newest: picture.newest,
        roundTripUs: Math.min(0xffff_ffff, Math.round((this.#clock.roundTrip ?? 0) * 1000)),
        waiting: picture.waiting,
      }),
    );
    this.#later(REPORT_GAP, () => this.#report());
  }

  #later(ms: number, what: () => void): void {
    const timer = setTimeout(() => {
      this.#timers = this.#timers.filter((t) => t !== timer);
      what();
    }, ms);
    this.#timers.push(timer);
  }
}

let player: Player | undefined;

self.onmessage = (event: MessageEvent<ToWorker>) => {
  const told = event.data;
  switch (told.kind) {
    case "start":
      followPage(told.origin);
      player = new Player(told.canvas, told.sound);
      break;
    case "connect":
      player?.connect(told.attempt, told.target);
      break;
    case "disconnect":
      player?.disconnect();
      break;
    case "input":
      player?.input(told.id, told.time, told.bytes);
      break;
    case "resize":
      player?.send(message.resize(told.width, told.height, 0));
      break;
    case "clipboard":
      player?.send(...message.clipboard(told.text));
      break;
    case "check":
      player?.check();
  }
};
