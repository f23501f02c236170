// The quicker of two ways.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Choice } from "../player/core/choice.ts";

/** Goes so many times, each way as long as it takes; the ways gone. */
function go(choice: Choice, times: number, ms: readonly [(n: number) => number, (n: number) => number]): number[] {
  return Array.from({ length: times }, (_, n) => {
    const way = choice.next;
    choice.took(way, ms[way](n));
    return way;
  });
}

test("both ways are tried as often, and the quicker one stays", () => {
  for (const quick of [0, 1] as const) {
    const choice = new Choice();
    const ms = [quick === 0 ? () => 3 : () => 5, quick === 0 ? () => 5 : () => 3] as const;
    const tried = go(choice, 36, ms);
    assert.equal(tried.filter((way) => way === 0).length, 18);
    assert.equal(choice.chosen, quick);
    assert.deepEqual(new Set(go(choice, 20, ms)), new Set([quick]));
  }
});

test("slow first times and a few hiccups change nothing", () => {
  const choice = new Choice();
  go(choice, 36, [(n) => (n < 6 ? 100 : n % 9 === 0 ? 50 : 3), () => 5]);
  assert.equal(choice.chosen, 0);
});

test("a way that cannot be gone is left at once", () => {
  const choice = new Choice();
  choice.took(0, 1);
  choice.rule(0);
  assert.equal(choice.next, 1);
  choice.took(1, 100);
  assert.equal(choice.next, 1);
});
