// Mouse, wheel and touches over the picture.

import { BUTTONS } from "../core/keys.ts";
import type { Size } from "../core/input.ts";
import { toPicture } from "./place.ts";
import type { PointerLock } from "./pointer_lock.ts";
import type { Sender } from "./sender.ts";
import { readTurn } from "./wheel.ts";

/** Fingers that are followed at once. */
const SLOTS = 10;

export class Pointer {
  readonly #canvas: HTMLCanvasElement;
  readonly #sender: Sender;
  readonly #lock: PointerLock;
  readonly #picture: () => Size;
  readonly #gesture: () => void;
  readonly #buttons = new Set<number>();
  /** Which slot each finger has. */
  readonly #fingers = new Map<number, number>();

  constructor(canvas: HTMLCanvasElement, sender: Sender, lock: PointerLock, picture: () => Size, gesture: () => void) {
    this.#canvas = canvas;
    this.#sender = sender;
    this.#lock = lock;
    this.#picture = picture;
    this.#gesture = gesture;
    // Raw updates come as the mouse reports; others wait for the next frame of the page.
    const moved = "onpointerrawupdate" in window ? "pointerrawupdate" : "pointermove";
    canvas.addEventListener(moved, (event) => this.#moved(event as PointerEvent));
    canvas.addEventListener("mousedown", (event) => this.#pressed(event));
    addEventListener("mouseup", (event) => this.#released(event));
    canvas.addEventListener("wheel", (event) => this.#turned(event), { passive: false });
    for (const kind of ["pointerdown", "pointermove", "pointerup", "pointercancel"] as const) {
      canvas.addEventListener(kind, (event) => this.#touched(event));
    }
    for (const kind of ["contextmenu", "auxclick", "dragstart", "selectstart"]) {
      canvas.addEventListener(kind, (event) => event.preventDefault());
    }
  }

  /** Forgets what is pressed; whoever calls this tells the server to release everything. */
  release(): void {
    this.#buttons.clear();
    this.#fingers.clear();
  }

  #moved(event: PointerEvent): void {
    if (event.pointerType === "touch") return;
    if (this.#lock.isGames) {
      // A mouse that the player freed passes over the picture on its way elsewhere.
      if (!this.#lock.isHeld) return;
      const { movementX: dx, movementY: dy } = event;
      if (dx !== 0 || dy !== 0) this.#sender.send({ kind: "pointerBy", dx, dy }, event.timeStamp);
    } else {
      this.#sender.send({ kind: "pointerAt", ...this.#point(event), size: this.#picture() }, event.timeStamp);
    }
  }

  #pressed(event: MouseEvent): void {
    event.preventDefault();
    this.#canvas.focus({ preventScroll: true });
    this.#gesture();
    this.#lock.handleClick();
    const code = BUTTONS[event.button];
    if (code === undefined || this.#buttons.has(code)) return;
    // The button counts where the pointer is, also if it came there without moving over the picture.
    if (!this.#lock.isGames) this.#sender.send({ kind: "pointerAt", ...this.#point(event), size: this.#picture() }, event.timeStamp);
    this.#buttons.add(code);
    this.#sender.send({ kind: "button", code, pressed: true }, event.timeStamp);
  }

  #released(event: MouseEvent): void {
    const code = BUTTONS[event.button];
    if (code === undefined || !this.#buttons.delete(code)) return;
    event.preventDefault();
    this.#sender.send({ kind: "button", code, pressed: false }, event.timeStamp);
  }

  #turned(event: WheelEvent): void {
    event.preventDefault();
    const { dx, dy, source } = readTurn(event);
    if (dx !== 0 || dy !== 0) this.#sender.send({ kind: "wheel", dx, dy, source }, event.timeStamp);
  }

  #touched(event: PointerEvent): void {
    if (event.pointerType !== "touch") return;
    // Else the browser would make a mouse of it, and the game hear of everything twice.
    event.preventDefault();
    const size = this.#picture();
    const at = { ...this.#point(event), size };
    if (event.type === "pointerdown") {
      this.#gesture();
      const slot = this.#freeSlot();
      if (slot === undefined) return;
      this.#fingers.set(event.pointerId, slot);
      this.#canvas.setPointerCapture(event.pointerId);
      this.#sender.send({ kind: "touch", phase: "down", slot, ...at }, event.timeStamp);
      return;
    }
    const slot = this.#fingers.get(event.pointerId);
    if (slot === undefined) return;
    const phase = event.type === "pointermove" ? "motion" : event.type === "pointerup" ? "up" : "cancel";
    if (phase !== "motion") this.#fingers.delete(event.pointerId);
    this.#sender.send({ kind: "touch", phase, slot, ...at }, event.timeStamp);
  }

  #freeSlot(): number | undefined {
    const taken = new Set(this.#fingers.values());
    for (let slot = 0; slot < SLOTS; slot += 1) if (!taken.has(slot)) return slot;
    return undefined;
  }

  #point(event: MouseEvent): { x: number; y: number } {
    return toPicture(this.#canvas.getBoundingClientRect(), this.#picture(), event.clientX, event.clientY);
  }
}
