// What the server says of its session to whoever has the address: /session.json.

import { decodeKey } from "../core/link.ts";

export interface SessionInfo {
  readonly game: string;
  /** Where the stream is. */
  readonly url: string;
  /** SHA-256 of the newest certificate; undefined: the browser's own trust has to do. */
  readonly certificate: Uint8Array<ArrayBuffer> | undefined;
  /** When it ceases to be valid, ms since 1970; undefined: not said. */
  readonly expires: number | undefined;
  readonly clipboard: boolean;
}

/** Undefined if nobody answers, or something else than a server of Stratus. */
export async function fetchSession(): Promise<SessionInfo | undefined> {
  try {
    const answer = await fetch("session.json", { cache: "no-store", signal: AbortSignal.timeout(3000) });
    if (!answer.ok) return undefined;
    return readSession(await answer.json());
  } catch {
    return undefined;
  }
}

export function readSession(json: unknown): SessionInfo | undefined {
  if (typeof json !== "object" || json === null) return undefined;
  const of = json as Record<string, unknown>;
  const { game, webtransport, certificate, expires, clipboard } = of;
  if (typeof webtransport !== "string") return undefined;
  return {
    game: typeof game === "string" ? game : "",
    url: webtransport,
    certificate: typeof certificate === "string" ? decodeKey(certificate) : undefined,
    expires: typeof expires === "number" ? expires * 1000 : undefined,
    clipboard: clipboard === true,
  };
}
