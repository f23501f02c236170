// What the player chose, kept by the browser; and the name of this tab across reloads.

import { encodeKey } from "../core/link.ts";

export interface Settings {
  /** An XKB layout, or empty: guess. */
  layout: string;
  followWindow: boolean;
  fullScreen: boolean;
  sound: boolean;
  overlay: boolean;
}

const DEFAULTS: Settings = { layout: "", followWindow: false, fullScreen: false, sound: true, overlay: false };
const KEY = "stratus";
const CLIENT = "stratus-client";
const PLAYING = "stratus-playing";

/** A browser may forbid storage; then nothing is kept, and that is all. */
function attempt<T>(what: () => T): T | undefined {
  try {
    return what();
  } catch {
    return undefined;
  }
}

export function loadSettings(): Settings {
  const kept: unknown = attempt(() => JSON.parse(localStorage.getItem(KEY) ?? "{}"));
  const settings = { ...DEFAULTS };
  if (typeof kept !== "object" || kept === null) return settings;
  const of = kept as Record<string, unknown>;
  if (typeof of["layout"] === "string") settings.layout = of["layout"];
  for (const name of ["followWindow", "fullScreen", "sound", "overlay"] as const) {
    if (typeof of[name] === "boolean") settings[name] = of[name];
  }
  return settings;
}

export function saveSettings(settings: Settings): void {
  attempt(() => localStorage.setItem(KEY, JSON.stringify(settings)));
}

/** 16 random bytes that name this tab to the server: with them it takes its own place again after a reload. */
export function clientId(): Uint8Array<ArrayBuffer> {
  const kept = attempt(() => sessionStorage.getItem(CLIENT)) ?? "";
  const match = /^[0-9a-f]{32}$/.test(kept) ? kept.match(/../g) : undefined;
  if (match) return Uint8Array.from(match, (byte) => Number.parseInt(byte, 16));
  const id = crypto.getRandomValues(new Uint8Array(16));
  const text = Array.from(id, (byte) => byte.toString(16).padStart(2, "0")).join("");
  attempt(() => sessionStorage.setItem(CLIENT, text));
  return id;
}

/** Whether this tab was in the session of this certificate as it was left, so that a reload goes on at once. */
export function wasPlaying(certificate: Uint8Array): boolean {
  return attempt(() => sessionStorage.getItem(PLAYING)) === encodeKey(certificate);
}

export function setPlaying(certificate: Uint8Array, playing: boolean): void {
  attempt(() => (playing ? sessionStorage.setItem(PLAYING, encodeKey(certificate)) : sessionStorage.removeItem(PLAYING)));
}
