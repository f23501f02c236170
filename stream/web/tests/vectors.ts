// The golden vectors that every implementation shares.

import { readFileSync } from "node:fs";

export function vectors(): Map<string, Uint8Array> {
  // The tests run from stream/web, wherever they were built.
  const text = readFileSync("../core/tests/vectors.txt", "utf8");
  const lines = text.split("\n").filter((line) => /^[a-z0-9-]+ = /.test(line));
  return new Map(
    lines.map((line) => {
      const [name = "", hex = ""] = line.split(" = ");
      return [name, Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"))];
    }),
  );
}

export function counting(from: number, length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => from + i);
}
