// A terminal in Chromium: keys, mouse and wheel arrive where they should, and their answer is seen.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Player } from "./player.ts";
import { screenshot } from "./screenshot.ts";
import { eventually, Session, terminal } from "./session.ts";
import { Stage } from "./stage.ts";
import { hear, listen } from "./tone.ts";

let stage: Stage;
let player: Player;

before(async () => {
  const game = 'mpv --no-config --no-video --really-quiet --ao=pulse --loop=inf "av://lavfi:sine=frequency=440" & HEARD="$XDG_CONFIG_HOME/heard" exec foot --fullscreen "$XDG_CONFIG_HOME/hear"';
  const session = new Session(["sh", "-c", game]);
  terminal(session);
  stage = await Stage.set(session);
  player = await stage.play(listen);
});
after(() => stage.strike());

const heard = () => stage.session.read("heard");

/** Presses a letter and waits until it was heard and the picture turned over. */
async function shoot(): Promise<void> {
  const shown = await player.pixels();
  const length = heard().length;
  await player.page.keyboard.press("KeyA");
  await eventually("the key in the terminal", () => heard().length > length);
  await player.seeChange(shown);
}

test("keys reach the terminal by their place, once each, and its answer is seen", async () => {
  await shoot();
  assert.equal(heard(), "a");
  await player.page.keyboard.press("Shift+KeyZ");
  await eventually("a capital letter", () => heard() === "aZ");
});

test("the mouse reaches it where it is", async () => {
  const cells = async (x: number, y: number) => {
    // Presses of button 1, as xterm's SGR mode tells them.
    const clicks = () => [...heard().matchAll(/\x1b\[<0;(\d+);(\d+)M/g)];
    const before = clicks().length;
    await player.page.mouse.click(x, y);
    const [, column, row] = await eventually("a click", () => clicks()[before]);
    return [Number(column), Number(row)] as const;
  };
  const [left, top] = await cells(2, 2);
  assert.deepEqual([left, top], [1, 1]);
  const [right, bottom] = await cells(1265, 705);
  const [middle, centre] = await cells(640, 360);
  assert.ok(right > 40 && Math.abs(middle - right / 2) <= 2, `${middle} of ${right} columns`);
  assert.ok(bottom > 10 && Math.abs(centre - bottom / 2) <= 2, `${centre} of ${bottom} rows`);
});

test("the wheel and the other buttons reach it", async () => {
  await player.page.mouse.wheel(0, 120);
  await eventually("a notch down", () => /\x1b\[<65;/.test(heard()));
  await player.page.mouse.wheel(0, -120);
  await eventually("a notch up", () => /\x1b\[<64;/.test(heard()));
  await player.page.mouse.down({ button: "right" });
  await player.page.mouse.up({ button: "right" });
  await eventually("the right button", () => /\x1b\[<2;\d+;\d+m/.test(heard()));
});

test("statistics are plausible, and say how long a shot takes to be seen", async () => {
  await player.toggleOverlay();
  for (let n = 0; n < 30; n += 1) {
    await shoot();
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
  const s = await eventually("figures of all stages", async () => {
    const rows = await player.statistics();
    return [...rows.values()].every((value) => value !== "–") && rows.get("resolution") ? rows : undefined;
  });
  console.log(`terminal: ${[...s].map(([name, value]) => `${name} ${value}`).join("; ")}`);
  assert.equal(s.get("resolution"), "1280×720");
  assert.match(s.get("decoder") ?? "", /^avc1\./);
  const total = await player.figure("commit → drawn");
  const shot = await player.figure("input → picture");
  const encode = await player.figure("encode");
  assert.ok(encode > 0 && encode < total, "encoding is a part of the whole");
  assert.ok(total < 1000 && shot > 0 && shot < 2000, "neither is out of this world");
  assert.match(s.get("lost") ?? "", /^0\.00 %/);
  assert.ok((await player.figure("bitrate")) > 0);
  await screenshot(player, "overlay");
  await player.toggleOverlay();
});

test("a tone is heard as it is played", async () => {
  await eventually("440 Hz", async () => {
    const { hz, db } = await hear(player.page);
    // One line of the spectrum is 2.9 Hz wide.
    return Math.abs(hz - 440) < 4 && db > -50;
  });
  await player.toggleOverlay();
  const sound = await eventually("figures of the sound", async () => {
    const rows = await player.statistics();
    const behind = Number.parseFloat(rows.get("sound") ?? "");
    return behind > 0 && behind < 1000 ? `${rows.get("sound")}; ${rows.get("sound packets")}` : undefined;
  });
  console.log(`sound: ${sound}`);
  await player.toggleOverlay();
});

test("a key that is held when the window loses focus is let go", async () => {
  const before = heard().length;
  await player.page.keyboard.down("KeyB");
  await eventually("the key", () => heard().slice(before).includes("b"));
  await player.page.evaluate(() => dispatchEvent(new Event("blur")));
  // A key that is still down repeats; let the terminal's repeat time pass twice.
  await new Promise((resolve) => setTimeout(resolve, 300));
  const after = heard().length;
  await new Promise((resolve) => setTimeout(resolve, 1000));
  assert.ok(heard().length - after <= 1, "it repeats no more");
  await player.page.keyboard.up("KeyB");
  await shoot();
});
