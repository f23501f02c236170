import assert from "node:assert/strict";
import { test } from "node:test";
import { Clock, toNanos } from "../player/core/clock.ts";
import { Latency, Window } from "../player/core/latency.ts";

const MS = 1_000_000n;
/** The server started 40 days before the page: more nanoseconds than a double holds exactly, with some to spare. */
const AHEAD = 90n * 24n * 3600n * 1000n * MS + 123n;

test("an even way gives the offset exactly", () => {
  const clock = new Clock();
  assert.equal(clock.isKnown, false);
  assert.equal(clock.toPage(5n), undefined);
  // 2 ms there, 1 ms at the server, 2 ms back.
  clock.handlePong(100n * MS, 102n * MS + AHEAD, 103n * MS + AHEAD, 105n * MS);
  assert.equal(clock.roundTrip, 4);
  assert.equal(clock.toPage(110n * MS + AHEAD), 110);
  assert.equal(clock.toPage(0n), undefined, "0 is not set");
});

test("the shortest of the last 16 counts, and the error is at most half of it", () => {
  const clock = new Clock();
  const ping = (at: bigint, there: bigint, back: bigint) => clock.handlePong(at, at + there + AHEAD, at + there + AHEAD, at + there + back);
  ping(0n, 1n * MS, 2n * MS);
  ping(100n * MS, 1n * MS, 30n * MS);
  assert.equal(clock.roundTrip, 3);
  assert.equal(clock.toPage(AHEAD + 50n * MS), 50.5);
  for (let n = 0n; n < 16n; n += 1n) ping(n * MS, 5n * MS, 5n * MS);
  assert.equal(clock.roundTrip, 10, "the short one is forgotten");
});

test("readings in an impossible order are ignored", () => {
  const clock = new Clock();
  clock.handlePong(10n, 5n, 6n, 9n);
  clock.handlePong(10n, 6n, 5n, 20n);
  assert.equal(clock.isKnown, false);
});

test("a page's time is never the one that is not set", () => {
  assert.equal(toNanos(0), 1n);
  assert.equal(toNanos(1234.5), 1_234_500_000n);
});

test("percentiles are nearest rank over what is kept", () => {
  const window = new Window(100);
  assert.equal(window.percentiles(), undefined);
  for (let n = 300; n >= 1; n -= 1) window.push(n);
  assert.deepEqual(window.percentiles(), { p50: 50, p95: 95 });
});

test("each stage is the time between its two stamps, and unset ones count nowhere", () => {
  const latency = new Latency();
  const times = {
    read: 0, handed: 1, convertStart: 3, convertEnd: 6, encoded: 10, sent: 15, received: 21, submitted: 28, decoded: 36, drawn: 45,
  };
  latency.record(times);
  const medians = latency.rows().map(([stage, { p50 }]) => [stage, p50]);
  assert.deepEqual(medians, [
    ["capture", 1], ["wait", 2], ["convert", 3], ["encode", 4], ["send", 5], ["network", 6], ["order", 7], ["decode", 8], ["draw", 9],
    ["total", 45],
  ]);
  const partial = new Latency();
  partial.record({ ...times, read: undefined });
  assert.deepEqual(partial.rows().map(([stage]) => stage).filter((stage) => stage === "capture" || stage === "total"), []);
});
