// What this browser lacks, found before anything is tried.

import { TROUBLES, type Trouble } from "./trouble.ts";

/** The codec of the first picture is not known yet; this is what x264 makes of 1080p. */
const H264 = "avc1.42c02a";

export async function findMissing(): Promise<Trouble | undefined> {
  // Outside of a secure context the others are missing too, but that is the reason.
  if (!isSecureContext) return TROUBLES.insecure;
  if (typeof WebTransport === "undefined") return TROUBLES.noWebTransport;
  if (!knowsPinning()) return TROUBLES.noPinning;
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

/** Whether WebTransport takes the hash of a certificate. Over TLS the browser may trust the server's without. */
function knowsPinning(): boolean {
  if (location.protocol === "https:") return true;
  let asked = false;
  const options = {
    get serverCertificateHashes() {
      asked = true;
      return [];
    },
  };
  try {
    // The options are read before the address is, which is none, so nothing is connected to.
    new WebTransport("", options);
  } catch {
    // That was to be expected.
  }
  return asked;
}
