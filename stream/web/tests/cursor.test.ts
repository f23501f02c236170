import assert from "node:assert/strict";
import { test } from "node:test";
import { Malformed } from "../player/core/bytes.ts";
import { CursorStore, toCanvasPixels } from "../player/core/cursor.ts";

function part(id: bigint, offset = 0, bytes = 8) {
  return { id, width: 2, height: 1, offset, bgra: new Uint8Array(bytes).fill(Number(id)) };
}

test("parts make an image, in their order only", () => {
  const store = new CursorStore();
  store.handlePart(part(1n, 0, 4));
  assert.equal(store.find(1n), undefined);
  store.handlePart(part(1n, 4, 4));
  assert.deepEqual(store.find(1n)?.bgra, new Uint8Array(8).fill(1));
  assert.throws(() => store.handlePart(part(1n)), Malformed, "it is kept already");
  assert.throws(() => store.handlePart(part(2n, 4, 4)), Malformed, "its beginning is missing");
  store.handlePart(part(3n, 0, 4));
  assert.throws(() => store.handlePart(part(4n, 4, 4)), Malformed, "another one is not whole");
});

test("the 32 newest are kept", () => {
  const store = new CursorStore();
  for (let id = 1n; id <= 33n; id += 1n) store.handlePart(part(id));
  assert.equal(store.find(1n), undefined);
  assert.ok(store.find(2n) && store.find(33n));
});

test("pixels are made straight for the canvas", () => {
  const pixels = toCanvasPixels(Uint8Array.of(10, 20, 64, 128, 1, 2, 3, 0, 7, 8, 9, 255));
  assert.deepEqual([...pixels], [128, 40, 20, 128, 0, 0, 0, 0, 9, 8, 7, 255]);
});
