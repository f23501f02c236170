// Keys, layouts, pointer and pads: what the player does, in the protocol's terms.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { encodeInput, type InputEvent } from "../player/core/input.ts";
import { BUTTONS, KEYS, keyCode } from "../player/core/keys.ts";
import { guessByKeys, guessByLanguage, LAYOUTS } from "../player/core/layouts.ts";
import { decodeKey, encodeKey, parseFragment } from "../player/core/link.ts";
import { readPad } from "../player/page/pads.ts";
import { contain, toPicture, wantedSize, wholeScale } from "../player/page/place.ts";
import { readTurn } from "../player/page/wheel.ts";
import { counting } from "./vectors.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
/** Id 7 at 1 ms. */
const HEAD = "0000000000000007" + "00000000000f4240";

const SIZE = { width: 1280, height: 720 };
/** By hand, from the table of docs/protocol.md. */
const INPUTS: [InputEvent, string][] = [
  [{ kind: "key", code: 30, pressed: true }, `0010 00000013 ${HEAD} 001e 01`],
  [{ kind: "text", text: "é" }, `0011 00000014 ${HEAD} 0002 c3a9`],
  [{ kind: "pointerAt", x: 640.9, y: 1e9, size: SIZE }, `0012 00000020 ${HEAD} 00000280 000002cf 00000500 000002d0`],
  [{ kind: "pointerBy", dx: -1.5, dy: 2 }, `0013 00000018 ${HEAD} fffffe80 00000200`],
  [{ kind: "button", code: 0x110, pressed: false }, `0014 00000013 ${HEAD} 0110 00`],
  [{ kind: "wheel", dx: 0, dy: -0.5, source: "wheel" }, `0015 00000019 ${HEAD} 00000000 ffffffc4 00`],
  [{ kind: "wheel", dx: 1, dy: 0, source: "finger" }, `0015 00000019 ${HEAD} 00000100 00000000 01`],
  [
    { kind: "touch", phase: "cancel", slot: 3, x: -5, y: 1, size: SIZE },
    `0016 00000025 ${HEAD} 03 00000003 00000000 00000001 00000500 000002d0`,
  ],
  [
    { kind: "gamepad", pad: 1, state: { buttons: 0x10001, axes: [-1, 1, 0, 0.5], triggers: [0, 1] } },
    `0017 00000022 ${HEAD} 01 01 00010001 8000 7fff 0000 4000 0000 ffff`,
  ],
  [{ kind: "gamepad", pad: 0, state: undefined }, `0017 00000022 ${HEAD} 00 00 ${"0".repeat(32)}`],
  [{ kind: "layout", layout: "de(nodeadkeys)" }, `0018 0000001f ${HEAD} 0e ${hex(Buffer.from("de(nodeadkeys)"))}`],
  [{ kind: "release" }, `0019 00000010 ${HEAD}`],
];

for (const [event, bytes] of INPUTS) {
  test(`a ${event.kind} is written`, () => assert.equal(hex(encodeInput(7, 1, event)), bytes.replaceAll(" ", "")));
}

test("text is cut between characters", () => {
  const bytes = encodeInput(1, 1, { kind: "text", text: "€".repeat(400) });
  assert.equal(new DataView(bytes.buffer).getUint16(22), 1023);
});

/** The kernel's names for the keys, where they differ from the browser's by more than their spelling. */
const KERNEL: Record<string, string> = {
  Escape: "ESC", Equal: "EQUAL", BracketLeft: "LEFTBRACE", BracketRight: "RIGHTBRACE", ControlLeft: "LEFTCTRL", ControlRight: "RIGHTCTRL",
  Quote: "APOSTROPHE", Backquote: "GRAVE", ShiftLeft: "LEFTSHIFT", ShiftRight: "RIGHTSHIFT", Period: "DOT", AltLeft: "LEFTALT",
  AltRight: "RIGHTALT", MetaLeft: "LEFTMETA", MetaRight: "RIGHTMETA", NumpadMultiply: "KPASTERISK", NumpadSubtract: "KPMINUS",
  NumpadAdd: "KPPLUS", NumpadDecimal: "KPDOT", NumpadEnter: "KPENTER", NumpadDivide: "KPSLASH", NumpadEqual: "KPEQUAL",
  NumpadComma: "KPCOMMA", NumpadParenLeft: "KPLEFTPAREN", NumpadParenRight: "KPRIGHTPAREN", IntlBackslash: "102ND", IntlRo: "RO",
  IntlYen: "YEN", PrintScreen: "SYSRQ", ContextMenu: "COMPOSE", Convert: "HENKAN", NonConvert: "MUHENKAN", Lang1: "HANGEUL", Lang2: "HANJA",
  Lang3: "KATAKANA", Lang4: "HIRAGANA", Lang5: "ZENKAKUHANKAKU", KanaMode: "KATAKANAHIRAGANA", AudioVolumeMute: "MUTE",
  AudioVolumeDown: "VOLUMEDOWN", AudioVolumeUp: "VOLUMEUP", VolumeMute: "MUTE", OSLeft: "LEFTMETA", OSRight: "RIGHTMETA",
  BrowserStop: "STOP", BrowserFavorites: "BOOKMARKS", BrowserBack: "BACK", BrowserForward: "FORWARD", BrowserHome: "HOMEPAGE",
  BrowserRefresh: "REFRESH", BrowserSearch: "SEARCH", LaunchApp1: "FILE", LaunchApp2: "CALC", LaunchMail: "MAIL", Eject: "EJECTCD",
  MediaTrackNext: "NEXTSONG", MediaTrackPrevious: "PREVIOUSSONG", MediaPlayPause: "PLAYPAUSE", MediaStop: "STOPCD", MediaSelect: "CONFIG",
};

function kernelName(code: string): string {
  const arrow = /^Arrow(.*)$/.exec(code)?.[1];
  const letter = /^(?:Key|Digit)(.)$/.exec(code)?.[1];
  const pad = /^Numpad(\d)$/.exec(code)?.[1];
  return KERNEL[code] ?? arrow?.toUpperCase() ?? letter ?? (pad ? `KP${pad}` : code.toUpperCase());
}

test("every key has the kernel's number", (t) => {
  let headers: string;
  try {
    headers = readFileSync("/usr/include/linux/input-event-codes.h", "utf8");
  } catch {
    t.skip("the kernel's headers are not installed");
    return;
  }
  for (const [code, number] of Object.entries(KEYS)) {
    const value = new RegExp(`#define KEY_${kernelName(code)}\\s+(0x[0-9a-f]+|\\d+)\\s`).exec(headers)?.[1];
    assert.equal(number, Number(value), code);
  }
  for (const [i, name] of ["LEFT", "MIDDLE", "RIGHT", "SIDE", "EXTRA"].entries()) {
    const value = new RegExp(`#define BTN_${name}\\s+(0x[0-9a-f]+)`).exec(headers)?.[1];
    assert.equal(BUTTONS[i], Number(value), name);
  }
});

test("all keys of the usual keyboards are there, and no others", () => {
  const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"].map((c) => `Key${c}`);
  const digits = [..."0123456789"].flatMap((c) => [`Digit${c}`, `Numpad${c}`]);
  const functions = Array.from({ length: 24 }, (_, i) => `F${i + 1}`);
  const codes = [...letters, ...digits, ...functions].map(keyCode);
  assert.ok(codes.every((code) => code !== undefined));
  assert.equal(new Set(codes).size, codes.length);
  assert.equal(keyCode(""), undefined);
  assert.equal(keyCode("toString"), undefined);
});

test("layouts are guessed by what keys print, else by the language", () => {
  for (const layout of LAYOUTS) {
    const keys = new Map(Object.entries(layout.keys));
    if (keys.size === 0) continue;
    const language = Object.entries({ se: "sv", fi: "fi" }).find(([xkb]) => xkb === layout.xkb)?.[1] ?? "xx";
    assert.equal(guessByKeys(keys, language), layout.xkb);
  }
  assert.equal(guessByKeys(new Map(), "pl-PL"), "pl");
  assert.equal(guessByLanguage("de-CH"), "ch");
  assert.equal(guessByLanguage("de-AT"), "de");
  assert.equal(guessByLanguage(""), "us");
});

test("links are read as they are printed, and nothing else is", () => {
  const [token, certificate] = [counting(0, 32), counting(200, 32)];
  const link = parseFragment(`#${encodeKey(token)}.${encodeKey(certificate)}`);
  assert.deepEqual(link, { token, certificate });
  for (const bad of ["", "#", "#a.b", `#${encodeKey(token)}`, `#${encodeKey(token)}.${encodeKey(token)}.x`, `#${encodeKey(token)}=.${encodeKey(token)}`]) {
    assert.equal(parseFragment(bad), undefined, bad);
  }
  // The last character's unused bits are not 0.
  assert.equal(decodeKey("A".repeat(42) + "B"), undefined);
});

test("points beside the picture are its edges", () => {
  const box = { left: 0, top: 0, width: 1000, height: 1000 };
  const picture = { width: 1280, height: 720 };
  assert.deepEqual(contain(box, picture), { left: 0, top: 218.75, width: 1000, height: 562.5 });
  assert.deepEqual(toPicture(box, picture, 500, 500), { x: 640, y: 360 });
  assert.deepEqual(toPicture(box, picture, 2000, 0), { x: 1279, y: 0 });
});

test("whole scales are found, and sizes for a window are even", () => {
  const picture = { width: 640, height: 400 };
  assert.equal(wholeScale({ left: 0, top: 0, width: 640, height: 500 }, picture, 2), 2);
  assert.equal(wholeScale({ left: 0, top: 0, width: 641, height: 500 }, picture, 2), undefined);
  assert.equal(wholeScale({ left: 0, top: 0, width: 640, height: 400 }, picture, 1), undefined);
  assert.deepEqual(wantedSize(1001, 3, 1.5), { width: 1500, height: 16 });
});

test("wheels count in notches, fingers in pixels", () => {
  const wheel = (t: Parameters<typeof readTurn>[0]) => readTurn(t);
  // Chromium on Linux and on Windows: the pixels differ, the notch does not.
  assert.deepEqual(wheel({ deltaX: 0, deltaY: 53, deltaMode: 0, wheelDeltaX: 0, wheelDeltaY: -120 }), { dx: 0, dy: 1, source: "wheel" });
  assert.deepEqual(wheel({ deltaX: 0, deltaY: -120, deltaMode: 0, wheelDeltaX: 0, wheelDeltaY: 120 }), { dx: 0, dy: -1, source: "wheel" });
  assert.deepEqual(wheel({ deltaX: 0, deltaY: 15, deltaMode: 0, wheelDeltaX: 0, wheelDeltaY: -30 }), { dx: 0, dy: 0.25, source: "wheel" });
  assert.deepEqual(wheel({ deltaX: 2, deltaY: 7, deltaMode: 0, wheelDeltaX: -6, wheelDeltaY: -21 }), { dx: 2, dy: 7, source: "finger" });
  // Firefox counts lines.
  assert.deepEqual(wheel({ deltaX: 0, deltaY: 3, deltaMode: 1 }), { dx: 0, dy: 1, source: "wheel" });
});

test("pads are read by the standard mapping", () => {
  const button = (pressed: boolean, value = pressed ? 1 : 0) => ({ pressed, touched: pressed, value });
  const buttons = Array.from({ length: 17 }, (_, i) => button(i === 0 || i === 16));
  buttons[7] = button(true, 0.5);
  const state = readPad({ buttons, axes: [0.5, -0.5, 0, 1] });
  assert.deepEqual(state, { buttons: 0x10081, axes: [0.5, -0.5, 0, 1], triggers: [0, 0.5] });
  assert.deepEqual(readPad({ buttons: [], axes: [] }), { buttons: 0, axes: [0, 0, 0, 0], triggers: [0, 0] });
});
