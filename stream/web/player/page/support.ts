// What this browser lacks, found before anything is tried.

import { TROUBLES, type Trouble } from "./trouble.ts";

/** The codec of the first picture is not known yet; this is what x264 makes of 1080p. */
const H264 = "avc1.42c02a";

export async function findMissing(): Promise<Trouble | undefined> {
  // Outside of a secure context the others are missing too, but that is the reason.
  if (!isSecureContext) return TROUBLES.insecure;
  if (typeof WebTransport === "undefined") return TROUBLES.noWebTransport;
  if (typeof OffscreenCanvas === "undefined" || !("transferControlToOffscreen" in HTMLCanvasElement.prototype)) {
    return TROUBLES.noCanvas;
  }
  if (typeof VideoDecoder === "undefined") return TROUBLES.noWebCodecs;
  try {
    const { supported } = await VideoDecoder.isConfigSupported({ codec: H264, optimizeForLatency: true });
    if (!supported) return TROUBLES.noH264;
  } catch {
    return TROUBLES.noH264;
  }
  return undefined;
}
