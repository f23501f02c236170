// The secrets in the page's address: `#TOKEN.CERTIFICATE`. The part behind `#` is never sent to a server.

export interface Link {
  readonly token: Uint8Array<ArrayBuffer>;
  /** SHA-256 of the server's certificate in DER. */
  readonly certificate: Uint8Array<ArrayBuffer>;
}

const LENGTH = 32;

/** 32 bytes in base64url without padding; undefined for anything else. */
export function decodeKey(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[A-Za-z0-9_-]{43}$/.test(text)) return undefined;
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/") + "=");
  const bytes = Uint8Array.from(plain, (c) => c.charCodeAt(0));
  // 43 characters hold two bits more than 32 bytes, which are 0.
  return bytes.length === LENGTH && encodeKey(bytes) === text ? bytes : undefined;
}

export function encodeKey(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Reads `location.hash`. */
export function parseFragment(hash: string): Link | undefined {
  const [token, certificate, ...more] = hash.trim().replace(/^#/, "").split(".");
  if (token === undefined || certificate === undefined || more.length > 0) return undefined;
  const t = decodeKey(token);
  const c = decodeKey(certificate);
  return t && c ? { token: t, certificate: c } : undefined;
}
