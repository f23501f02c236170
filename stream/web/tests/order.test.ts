// The rules of docs/protocol.md, "Order".

import assert from "node:assert/strict";
import { test } from "node:test";
import { DecodeOrder, type Ordered } from "../player/core/order.ts";

/** Frame `id` has sequence `id - 1`, and depends on the one before unless it is said to be a keyframe. */
function frame(id: number, dependsOn = id - 1): Ordered {
  return { sequence: id - 1, id, dependsOn, length: 100 };
}

function drain(order: DecodeOrder<Ordered>, now: number): number[] {
  const ids: number[] = [];
  for (let f = order.poll(now); f; f = order.poll(now)) ids.push(f.id);
  return ids;
}

test("frames that overtook are put back in order", () => {
  for (const arrival of [[1, 2, 3, 4], [4, 3, 2, 1], [2, 4, 1, 3]]) {
    const order = new DecodeOrder<Ordered>();
    const decoded: number[] = [];
    arrival.forEach((id, at) => {
      // Within the grace of a keyframe nothing is skipped.
      order.handleFrame(at * 0.5, frame(id));
      decoded.push(...drain(order, at * 0.5));
    });
    assert.deepEqual(decoded, [1, 2, 3, 4]);
    assert.equal(order.dropped + order.missing, 0);
    assert.ok(!order.wantsKeyframe(10));
  }
});

test("a missing frame is waited for, and a keyframe asked for after 250 ms, every 500 ms", () => {
  const order = new DecodeOrder<Ordered>();
  order.handleFrame(0, frame(1, 0));
  assert.deepEqual(drain(order, 0), [1]);
  order.handleFrame(10, frame(3));
  assert.deepEqual(drain(order, 10), []);
  assert.ok(!order.wantsKeyframe(259));
  assert.equal(order.timeout(), 260);
  assert.ok(order.wantsKeyframe(260));
  assert.ok(!order.wantsKeyframe(700));
  assert.equal(order.timeout(), 760);
  assert.ok(order.wantsKeyframe(760));
  order.handleFrame(800, frame(2));
  assert.deepEqual(drain(order, 800), [2, 3]);
  assert.equal(order.timeout(), undefined);
});

test("a later keyframe makes missing ones needless after 3 ms, in which they may still come", () => {
  const order = new DecodeOrder<Ordered>();
  order.handleFrame(0, frame(1, 0));
  drain(order, 0);
  order.handleFrame(10, frame(3));
  order.handleFrame(11, frame(5, 0));
  assert.deepEqual(drain(order, 13.9), []);
  assert.equal(order.timeout(), 14);
  assert.deepEqual(drain(order, 14), [5]);
  assert.deepEqual([order.dropped, order.missing, order.newest], [1, 2, 5]);
  order.handleFrame(15, frame(2));
  assert.deepEqual(drain(order, 15), []);
  assert.equal(order.dropped, 2);
});

test("a frame whose reset was told is not waited for, but what depends on it cannot be decoded", () => {
  const order = new DecodeOrder<Ordered>();
  order.handleFrame(0, frame(1, 0));
  order.handleLost(1);
  order.handleFrame(1, frame(3));
  order.handleFrame(2, frame(4, 1));
  assert.deepEqual(drain(order, 2), [1, 4]);
  assert.deepEqual([order.dropped, order.missing], [1, 1]);
  assert.ok(order.wantsKeyframe(2));
});

test("after a decoder's failure only a keyframe goes on", () => {
  const order = new DecodeOrder<Ordered>();
  order.handleFrame(0, frame(1, 0));
  drain(order, 0);
  order.handleDecoderFailure();
  order.handleFrame(1, frame(2));
  assert.deepEqual(drain(order, 1), []);
  assert.ok(order.wantsKeyframe(1));
  order.handleFrame(2, frame(3, 0));
  order.handleFrame(2, frame(4));
  assert.deepEqual(drain(order, 2), [3, 4]);
  assert.ok(!order.wantsKeyframe(1000));
});

test("only the 16 newest frames are remembered", () => {
  const order = new DecodeOrder<Ordered>();
  for (let id = 1; id <= 17; id += 1) order.handleFrame(0, frame(id));
  assert.equal(drain(order, 0).length, 17);
  order.handleFrame(0, { sequence: 17, id: 18, dependsOn: 1, length: 1 });
  order.handleFrame(0, { sequence: 18, id: 19, dependsOn: 2, length: 1 });
  assert.deepEqual(drain(order, 0), [19]);
});

test("a server that leaves a gap for ever costs a bounded amount of memory", () => {
  const order = new DecodeOrder<Ordered>();
  for (let id = 2; id < 1000; id += 1) {
    order.handleFrame(0, frame(id));
    drain(order, 0);
    assert.ok(order.waiting <= 33);
  }
});

test("in any order of arrival with keyframes at hand, what is decoded was decodable", () => {
  let seed = 7;
  const random = (n: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % n;
  };
  for (let round = 0; round < 300; round += 1) {
    const order = new DecodeOrder<Ordered>();
    const has = new Set<number>();
    const frames = Array.from({ length: 60 }, (_, i) => frame(i + 1, i % 10 === 0 || random(15) === 0 ? 0 : i));
    let now = 0;
    let last = 0;
    while (frames.length > 0) {
      const [next] = frames.splice(random(Math.min(6, frames.length)), 1);
      if (!next) break;
      now += random(4);
      if (random(20) === 0) order.handleLost(next.sequence);
      else order.handleFrame(now, next);
      for (let f = order.poll(now); f; f = order.poll(now)) {
        assert.ok(f.id > last && (f.dependsOn === 0 || has.has(f.dependsOn)));
        last = f.id;
        has.add(f.id);
      }
    }
    assert.ok(has.size > 0);
  }
});
