// Long effects of gamepads.

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import type { Rumble } from "../player/core/message.ts";
import { Shaker } from "../player/page/shaker.ts";

let played: Rumble[];
let shaker: Shaker;

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  played = [];
  shaker = new Shaker((rumble) => played.push(rumble));
});

/** In steps, because a timer that is set within a step counts from the step's end. */
function pass(seconds: number): void {
  for (let i = 0; i < seconds; i += 1) mock.timers.tick(1000);
}

const rumble = (durationMs: number, strong = 65535, pad = 0): Rumble => ({ pad, strong, weak: 0, durationMs });

test("an effect that browsers play is played as it is", () => {
  shaker.shake(rumble(5000));
  pass(60);
  assert.deepEqual(played, [rumble(5000)]);
});

test("a longer one goes on until it ends, and no piece is longer than browsers play", () => {
  shaker.shake(rumble(12_000));
  assert.deepEqual(played, [rumble(5000)]);
  pass(60);
  assert.deepEqual(played, [rumble(5000), rumble(5000), rumble(2000)]);
});

test("it ends when the game ends it, and other pads go on", () => {
  shaker.shake(rumble(65_535));
  shaker.shake(rumble(6000, 100, 1));
  pass(4);
  shaker.shake(rumble(65_535, 0));
  pass(60);
  assert.deepEqual(played, [rumble(5000), rumble(5000, 100, 1), rumble(5000, 0), rumble(1000, 100, 1)]);
});
