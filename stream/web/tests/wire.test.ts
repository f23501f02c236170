// The golden vectors, with the values that docs/protocol.md gives for them, and bytes that are none.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Malformed } from "../player/core/bytes.ts";
import { decodeCursor, decodeCursorPart } from "../player/core/cursor.ts";
import { Deframer, frame, HEAD, MAX_CONTROL } from "../player/core/framing.ts";
import { encodeInput, type InputEvent } from "../player/core/input.ts";
import * as message from "../player/core/message.ts";
import { decodeSound } from "../player/core/sound.ts";
import { Type } from "../player/core/type.ts";
import { codecOf, decodeFrameHeader } from "../player/core/video.ts";
import { counting, vectors } from "./vectors.ts";

/** What a player reads: decoded by the function, it gives the value. */
const READ: Record<string, [(payload: Uint8Array) => unknown, number, unknown]> = {
  welcome: [
    message.decodeWelcome,
    Type.welcome,
    {
      version: 1, session: 0x0102030405060708n, machine: counting(0x50, 16), width: 1280, height: 720, millifps: 60000,
      clock: 5_000_000_000n, role: "viewer", game: "gnüget",
    },
  ],
  refused: [(p) => message.decodeReason("refused", p), Type.refused, { code: 2, text: "wrong token" }],
  rumble: [message.decodeRumble, Type.rumble, { pad: 3, strong: 65535, weak: 32768, durationMs: 250 }],
  clipboard: [message.decodeClipboard, Type.clipboard, { last: true, bytes: Uint8Array.from(Buffer.from("aé")) }],
  end: [(p) => message.decodeReason("end", p), Type.end, { code: 0, text: "game exited" }],
  pong: [message.decodePong, Type.pong, { ping: 1000n, received: 2000n, sent: 3000n }],
  "cursor-image": [
    decodeCursorPart,
    Type.cursorImage,
    { id: 5n, width: 2, height: 1, offset: 4, bgra: Uint8Array.of(1, 2, 3, 4) },
  ],
  cursor: [
    decodeCursor,
    Type.cursor,
    { look: { kind: "image", id: 5n, width: 2, height: 1, hotspot: [1, -1] }, bounds: "locked", hint: [10, 2] },
  ],
  "cursor-shape": [decodeCursor, Type.cursor, { look: { kind: "shape", name: "text" }, bounds: "confined", hint: undefined }],
  keyframe: [decodeFrameHeader, Type.videoFrame, header({ sequence: 0, id: 7, keyframe: true, length: 1000 })],
  delta: [
    decodeFrameHeader,
    Type.videoFrame,
    header({ sequence: 9, id: 42, dependsOn: 40, newestInput: 17, torn: true, length: 100 }),
  ],
};

/** What a player writes: the bytes are those of the vector. */
const WRITTEN: Record<string, () => Uint8Array> = {
  hello: () => message.hello(counting(0, 32), counting(0x50, 16), "päll/1", counting(0xc0, 16)),
  "keyframe-request": () => message.keyframeRequest(42),
  "client-stats": () =>
    message.clientStats({ received: 100, decoded: 99, dropped: 1, bytes: 1e6, newest: 42, roundTripUs: 250, waiting: 2 }),
  ping: () => message.ping(1000n),
  resize: () => message.resize(1920, 1080, 144000),
};

const PICTURE = { width: 1280, height: 720 };
/** Inputs, all of them at 1 s; their ids count on from 1. */
const INPUTS: [string, InputEvent][] = [
  ["key", { kind: "key", code: 30, pressed: true }],
  ["text", { kind: "text", text: "ñ€" }],
  ["pointer-at", { kind: "pointerAt", x: 639, y: 359, size: PICTURE }],
  ["pointer-by", { kind: "pointerBy", dx: 1.5, dy: -2 }],
  ["button", { kind: "button", code: 0x110, pressed: false }],
  ["wheel", { kind: "wheel", dx: 0, dy: -1, source: "wheel" }],
  ["wheel-finger", { kind: "wheel", dx: 12.5, dy: 0, source: "finger" }],
  ["touch", { kind: "touch", phase: "motion", slot: 2, x: 10, y: 20, size: PICTURE }],
  ["touch-up", { kind: "touch", phase: "up", slot: 2, x: 0, y: 0, size: { width: 1, height: 1 } }],
  ["gamepad", { kind: "gamepad", pad: 1, state: { buttons: 0x10001, axes: [-1, 1, 0, -1 / 32768], triggers: [0, 1] } }],
  ["layout", { kind: "layout", layout: "de(nodeadkeys)" }],
  ["release", { kind: "release" }],
];
INPUTS.forEach(([name, event], i) => {
  WRITTEN[name] = () => encodeInput(i + 1, 1000, event);
});

/** Datagrams have no frame around them. */
const DATAGRAMS: Record<string, unknown> = {
  sound: {
    sequence: 9, stamp: 5_000_000_000n, samples: 240, opus: Uint8Array.of(0xfc, 1, 2), previous: Uint8Array.of(0xfc, 0xff),
  },
  "sound-first": { sequence: 0xffff_ffff, stamp: 1n, samples: 480, opus: Uint8Array.of(0xfc), previous: new Uint8Array(0) },
};

/** A welcome may end before its role. */
const OLD_WELCOME = 2 + 8 + 16 + 4 + 4 + 4 + 1 + 8;

function header(fields: object): object {
  const stamps = { read: 1n, handed: 2n, convertStart: 3n, convertEnd: 4n, encoded: 5n, sent: 6n };
  const common = { dependsOn: 0, newestInput: 0, stamps, width: 1280, height: 720, keyframe: false, torn: false };
  return { ...common, ...fields };
}

function vector(name: string): Uint8Array {
  const bytes = vectors().get(name);
  assert.ok(bytes, `there is a vector ${name}`);
  return bytes;
}

test("every vector is tested here", () => {
  const known = [READ, WRITTEN, DATAGRAMS].flatMap((table) => Object.keys(table));
  assert.deepEqual([...vectors().keys()].sort(), known.sort());
});

for (const [name, [decode, type, value]] of Object.entries(READ)) {
  test(`${name} is read`, () => {
    const [framed, ...more] = new Deframer().push(vector(name));
    assert.equal(more.length, 0);
    assert.equal(framed?.type, type);
    assert.deepEqual(decode(framed?.payload ?? new Uint8Array()), value);
  });

  test(`${name} with more behind it is read, and with less is not`, () => {
    const payload = vector(name).subarray(HEAD);
    assert.deepEqual(decode(Uint8Array.of(...payload, 1, 2, 3)), value);
    for (let end = 0; end < payload.length; end += 1) {
      if (name === "welcome" && end === OLD_WELCOME) continue;
      assert.throws(() => decode(payload.subarray(0, end)), Malformed, `cut at ${end}`);
    }
  });
}

for (const [name, encode] of Object.entries(WRITTEN)) {
  test(`${name} is written`, () => assert.deepEqual(encode(), vector(name)));
}

for (const [name, value] of Object.entries(DATAGRAMS)) {
  test(`${name} is read, and no part of it`, () => {
    const bytes = vector(name);
    assert.deepEqual(decodeSound(bytes), value);
    for (let end = 0; end < bytes.length; end += 1) assert.throws(() => decodeSound(bytes.subarray(0, end)), Malformed);
  });
}

test("a welcome without a role is a viewer's, and roles that are none are refused", () => {
  const payload = vector("welcome").slice(HEAD);
  const { role, game } = message.decodeWelcome(payload.subarray(0, OLD_WELCOME));
  assert.deepEqual({ role, game }, { role: "viewer", game: "" });
  payload[OLD_WELCOME] = 0;
  assert.equal(message.decodeWelcome(payload).role, "player");
  payload[OLD_WELCOME] = 2;
  assert.throws(() => message.decodeWelcome(payload), Malformed);
});

test("messages are found wherever the chunks end", () => {
  const all = [...vectors()].filter(([name]) => !Object.hasOwn(DATAGRAMS, name)).map(([, bytes]) => bytes);
  const stream = Uint8Array.from(all.flatMap((bytes) => [...bytes]));
  for (const step of [1, 5, 7, 64, stream.length]) {
    const deframer = new Deframer();
    const found: number[] = [];
    for (let at = 0; at < stream.length; at += step) {
      for (const { type, payload } of deframer.push(stream.subarray(at, at + step))) found.push(type, payload.length);
    }
    const expected = all.flatMap((bytes) => [(bytes[0] ?? 0) * 256 + (bytes[1] ?? 0), bytes.length - HEAD]);
    assert.deepEqual(found, expected);
    assert.ok(deframer.isBetweenMessages);
  }
});

test("a length above the limit is refused at the length", () => {
  const head = frame(Type.cursor, new Uint8Array(0));
  new DataView(head.buffer).setUint32(2, MAX_CONTROL + 1);
  assert.throws(() => new Deframer().push(head), Malformed);
});

test("frames that contradict themselves are refused", () => {
  const bad = (at: number, value: number) => {
    const payload = vector("keyframe").slice(HEAD);
    payload[at] = value;
    return () => decodeFrameHeader(payload);
  };
  const flags = 8 * 10 + 4 + 4 + 1;
  assert.throws(bad(flags, 0), Malformed, "no keyframe, but depends on nothing");
  assert.throws(bad(23, 7), Malformed, "depends on itself");
  assert.throws(bad(flags - 1, 2), Malformed, "another codec");
  assert.throws(bad(flags + 1, 2), Malformed, "too long");
});

test("the clipboard's vector is written too", () => {
  assert.deepEqual(message.clipboard("aé"), [vector("clipboard")]);
});

test("a clipboard is cut into parts that make it again", () => {
  const text = "ä€🎮\n".repeat(9000);
  const parts = new message.ClipboardParts();
  const texts = message.clipboard(text).map((bytes) => {
    assert.ok(bytes.length <= HEAD + 3 + message.MAX_CLIPBOARD_PART);
    return parts.push(message.decodeClipboard(bytes.subarray(HEAD)));
  });
  assert.equal(texts.pop(), text);
  assert.ok(texts.length > 3 && texts.every((part) => part === undefined));
  assert.equal(parts.push({ last: true, bytes: new Uint8Array() }), "");
});

test("a clipboard beyond its limit is refused, and one that is no text", () => {
  const parts = new message.ClipboardParts();
  const part = { last: false, bytes: new Uint8Array(message.MAX_CLIPBOARD_PART) };
  for (let n = 0; n < message.MAX_CLIPBOARD / message.MAX_CLIPBOARD_PART; n += 1) parts.push(part);
  assert.throws(() => parts.push(part), Malformed);
  assert.throws(() => new message.ClipboardParts().push({ last: true, bytes: Uint8Array.of(0xc3) }), Malformed);
});

test("the codec's name is in the keyframe", () => {
  // Access unit delimiter, then a parameter set of High profile, level 4.2.
  const unit = Uint8Array.of(0, 0, 0, 1, 9, 0xf0, 0, 0, 0, 1, 0x67, 0x64, 0x00, 0x2a, 0xac, 0x2c);
  assert.equal(codecOf(unit), "avc1.64002a");
  assert.equal(codecOf(Uint8Array.of(0, 0, 1, 0x65, 1, 2, 3, 4)), undefined);
  assert.equal(codecOf(new Uint8Array()), undefined);
});
