// One player's session over all its connections: finds the server, connects, and connects again when it was lost.

import type { Link } from "../core/link.ts";
import type { FromWorker, Leave, Target, ToWorker } from "../core/port.ts";
import { fetchSession, type SessionInfo } from "./session_info.ts";
import { TROUBLES, type Trouble, troubleOf } from "./trouble.ts";

/** Waits between attempts, ms; the last one repeats. */
const WAITS = [0, 250, 500, 1000, 2000];
/** How long a lost server is looked for, ms. */
const PATIENCE = 12_000;
/** A connection that held so long was none that fails at once each time, ms. */
const HELD = 10_000;
/** Attempts after which a page that loads without a stream means that UDP does not get through: with pins and without. */
const DEAF_ATTEMPTS = 2;

export interface SessionEvents {
  /** The server says what it has. */
  found(info: SessionInfo): void;
  /** Nothing to see yet; `again` after a loss. */
  connecting(again: boolean): void;
  /** It is over, with the reason. */
  over(trouble: Trouble): void;
}

export class Session {
  readonly #worker: Worker;
  readonly #link: Link;
  readonly #client: Uint8Array<ArrayBuffer>;
  readonly #events: SessionEvents;
  #attempt = 0;
  #wanted = false;
  /**
   * Attempts since a connection that held, since when the server is looked for, whether there ever was a welcome, and
   * when the last was.
   */
  #tries = 0;
  #since = 0;
  #welcomed = false;
  #welcomedAt = 0;
  /** The next attempt does about pins what the last did not. */
  #otherwise = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(worker: Worker, link: Link, client: Uint8Array<ArrayBuffer>, events: SessionEvents) {
    this.#worker = worker;
    this.#link = link;
    this.#client = client;
    this.#events = events;
  }

  /** Whether it is, or tries to be, connected. */
  get wanted(): boolean {
    return this.#wanted;
  }

  start(): void {
    this.#wanted = true;
    this.#tries = 0;
    this.#welcomed = false;
    this.#since = performance.now();
    this.#events.connecting(false);
    void this.#connect();
  }

  stop(): void {
    this.#wanted = false;
    clearTimeout(this.#timer);
    this.#attempt += 1;
    this.#post({ kind: "disconnect" });
  }

  /** The page may have slept. */
  check(): void {
    if (this.#wanted) this.#post({ kind: "check" });
  }

  handleWelcome(attempt: number): boolean {
    if (attempt !== this.#attempt || !this.#wanted) return false;
    this.#welcomed = true;
    this.#welcomedAt = performance.now();
    return true;
  }

  handleLeft({ attempt, leave }: Extract<FromWorker, { kind: "left" }>): void {
    if (attempt !== this.#attempt || !this.#wanted) return;
    const trouble = troubleOf(leave);
    if (trouble) this.#end(trouble);
    else this.#retry(leave);
  }

  #retry(leave: Leave): void {
    const now = performance.now();
    if (this.#welcomedAt >= this.#since) {
      // The server was there a moment ago: it is looked for anew. What fails at once each time still waits longer.
      this.#since = now;
      if (now - this.#welcomedAt > HELD) this.#tries = 0;
    }
    const wait = WAITS[Math.min(this.#tries, WAITS.length - 1)] ?? 0;
    this.#tries += 1;
    if (leave.why === "unreachable") this.#otherwise = !this.#otherwise;
    this.#events.connecting(this.#welcomed);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#connect(), wait);
  }

  async #connect(): Promise<void> {
    this.#attempt += 1;
    const attempt = this.#attempt;
    const info = await fetchSession();
    if (attempt !== this.#attempt) return;
    const waited = performance.now() - this.#since;
    if (!info) {
      // A link that never led anywhere is said to be dead sooner than a game that was there a moment ago.
      if (waited > (this.#welcomed ? PATIENCE : PATIENCE / 3)) this.#end(TROUBLES.gone);
      else this.#retry({ why: "lost", text: "" });
      return;
    }
    this.#events.found(info);
    if (info.expires !== undefined && info.expires <= Date.now()) {
      this.#end(TROUBLES.expired);
      return;
    }
    if (waited > PATIENCE / 3 && this.#tries >= DEAF_ATTEMPTS && !this.#welcomed) {
      this.#end(TROUBLES.noUdp);
      return;
    }
    if (waited > PATIENCE) {
      this.#end(TROUBLES.gone);
      return;
    }
    this.#post({ kind: "connect", attempt, target: this.#target(info) });
  }

  #target(info: SessionInfo): Target {
    // The server may have made a new certificate since the link was printed. Where it names none, its certificate is
    // one that browsers trust by themselves. A browser may see either otherwise, over TLS.
    const pins = [this.#link.certificate, ...(info.certificate ? [info.certificate] : [])];
    const isPinned = info.certificate !== undefined || location.protocol !== "https:";
    const certificates = isPinned !== (this.#otherwise && location.protocol === "https:") ? pins : [];
    const name = /Firefox|Edg|Chrome|Safari/.exec(navigator.userAgent)?.[0] ?? "browser";
    return { url: info.url, token: this.#link.token, certificates, client: this.#client, name };
  }

  #end(trouble: Trouble): void {
    this.stop();
    this.#events.over(trouble);
  }

  #post(message: ToWorker): void {
    this.#worker.postMessage(message);
  }
}
