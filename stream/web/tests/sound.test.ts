// The order of sound's packets, and the buffer that evens out how they come.

import assert from "node:assert/strict";
import { test } from "node:test";
import { JitterBuffer } from "../player/core/jitter.ts";
import { SoundOrder, type SoundPacket } from "../player/core/sound.ts";

const SAMPLES = 240;
const QUANTUM = 128;
const PERIOD = 5_000_000n;

function packet(sequence: number, stamp = BigInt(sequence) * PERIOD, previous = true): SoundPacket {
  const opus = (n: number) => Uint8Array.of(n & 0xff, 1);
  return { sequence: sequence >>> 0, stamp, samples: SAMPLES, opus: opus(sequence), previous: previous ? opus(sequence - 1) : new Uint8Array() };
}

test("a lost packet is taken from the next, two lost ones leave a hole of one", () => {
  const order = new SoundOrder();
  const pushed = [1, 2, 4, 7].flatMap((n) => order.push(packet(n)));
  assert.deepEqual(pushed.map((p) => [p.sequence, p.opus?.[0]]), [[1, 1], [2, 2], [3, 3], [4, 4], [5, undefined], [6, 6], [7, 7]]);
  assert.ok(pushed.slice(1).every((p) => p.continuous));
  assert.deepEqual(pushed.map((p) => p.stamp), [1n, 2n, 3n, 4n, 5n, 6n, 7n].map((n) => n * PERIOD));
  assert.deepEqual([order.received, order.recovered, order.lost], [4, 2, 1]);
});

test("what comes late or twice is dropped, and the sequence goes on beyond 32 bits", () => {
  const order = new SoundOrder();
  const at = (n: number) => packet(n, BigInt(n + 10) * PERIOD);
  assert.equal(order.push(at(-2)).length, 1);
  assert.equal(order.push(at(0)).length, 2);
  assert.equal(order.push(at(-1)).length, 0);
  assert.equal(order.push(at(0)).length, 0);
  assert.deepEqual(order.push(at(1)).map((p) => p.sequence), [1]);
});

test("silence is no loss: the sequence goes on, the stamp leaps", () => {
  const order = new SoundOrder();
  order.push(packet(1));
  const [piece] = order.push(packet(2, 900n * PERIOD, false));
  assert.equal(piece?.continuous, false);
  assert.equal(order.lost + order.recovered, 0);
});

test("a session that began anew is followed at once", () => {
  const order = new SoundOrder();
  order.push(packet(100_000));
  assert.equal(order.push(packet(0, 1n)).length, 1);
});

/** 440 Hz at half the scale comes back to its beginning after 1200 samples; this is that and some more. */
const TONE = Float32Array.from({ length: 1200 + SAMPLES }, (_, i) => 0.5 * Math.sin((2 * Math.PI * 440 * i) / 48000));

/** Plays `seconds` of a tone whose clock runs `ppm` fast, over a link that holds packets back by `jitter()` ms. */
function play(seconds: number, ppm: number, jitter: () => number) {
  const buffer = new JitterBuffer();
  const left = new Float32Array(QUANTUM);
  const right = new Float32Array(QUANTUM);
  let sent = 0;
  let arrival = 0;
  let crossings = 0;
  let before = 0;
  let leap = 0;
  let most = 0;
  const warm = Math.min(5, seconds / 4);
  for (let played = 0; played < seconds * 48000; played += QUANTUM) {
    const now = (played / 48000) * 1000;
    for (;;) {
      const due = ((sent * SAMPLES) / 48000) * 1000 * (1 - ppm / 1e6);
      arrival = Math.max(arrival, due + jitter());
      if (arrival > now) break;
      const from = (sent * SAMPLES) % 1200;
      const samples = TONE.subarray(from, from + SAMPLES);
      buffer.push(samples, samples, true);
      sent += 1;
    }
    buffer.pull(left, right);
    for (const value of left) {
      if (now > warm * 1000) {
        if (before <= 0 && value > 0) crossings += 1;
        leap = Math.max(leap, Math.abs(value - before));
      }
      before = value;
    }
    if (now > warm * 1000) most = Math.max(most, buffer.held);
  }
  return { buffer, frequency: crossings / (seconds - warm), leap, mostMs: (most / 48000) * 1000 };
}

test("half an hour of drifting clocks runs neither dry nor over", () => {
  for (const [ppm, seconds] of [[-200, 1800], [200, 600]] as const) {
    const { buffer, frequency, mostMs } = play(seconds, ppm, () => 0);
    assert.equal(buffer.underruns, 0, `${ppm} ppm`);
    assert.equal(buffer.skipped, 0, `${ppm} ppm`);
    assert.ok(Math.abs(frequency - 440) < 0.5, `${frequency} Hz`);
    assert.ok(mostMs < 40, `${mostMs} ms`);
  }
});

test("a link that jitters is answered by holding more, and then plays without a gap", () => {
  let seed = 3;
  const jitter = () => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return ((seed >>> 8) % 1000) / 33;
  };
  const { buffer, leap } = play(60, 50, jitter);
  assert.ok(buffer.underruns < 12, `${buffer.underruns} times dry`);
  // A tone of 440 Hz and half the scale moves by 0.029 a sample; a click would be ten times that.
  assert.ok(leap < 0.15, `a leap of ${leap}`);
});

test("without a word of the server there is silence, and memory stays", () => {
  const buffer = new JitterBuffer();
  const [left, right] = [new Float32Array(QUANTUM).fill(1), new Float32Array(QUANTUM).fill(1)];
  buffer.pull(left, right);
  assert.ok(left.every((v) => v === 0) && right.every((v) => v === 0));
  // A page that sleeps is sent sound for minutes and plays none of it.
  for (let n = 0; n < 10_000; n += 1) buffer.push(new Float32Array(SAMPLES), new Float32Array(SAMPLES), true);
  assert.ok(buffer.held <= 48000 / 5);
  assert.ok(buffer.skipped > 0);
});

test("sound that comes in a burst at the beginning makes the rest no later", () => {
  const buffer = new JitterBuffer();
  for (let n = 0; n < 40; n += 1) {
    buffer.push(new Float32Array(SAMPLES), new Float32Array(SAMPLES), n > 0);
    if (n % 10 === 0) buffer.pull(new Float32Array(QUANTUM), new Float32Array(QUANTUM));
  }
  assert.ok(buffer.held <= buffer.goal + 48000 / 100 + SAMPLES, `${buffer.held} samples wait`);
});

test("a sound that is shorter than what is usually held is played too", () => {
  const buffer = new JitterBuffer();
  buffer.push(new Float32Array(SAMPLES).fill(0.5), new Float32Array(SAMPLES).fill(-0.5), false);
  const [left, right] = [new Float32Array(QUANTUM), new Float32Array(QUANTUM)];
  let heard = 0;
  for (let n = 0; n < 40; n += 1) {
    buffer.pull(left, right);
    heard += left.filter((v, i) => v > 0.4 && (right[i] ?? 0) < -0.4).length;
  }
  assert.ok(heard > 100, `${heard} samples`);
  // Silence is no fault of the link's.
  buffer.push(new Float32Array(SAMPLES), new Float32Array(SAMPLES), false);
  assert.equal(buffer.underruns, 0);
});
