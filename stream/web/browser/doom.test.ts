// A game in Chromium: its menu opens, a level starts, the mouse is its own there, and a gamepad arrives.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, test } from "node:test";
import type { Player } from "./player.ts";
import { screenshot } from "./screenshot.ts";
import { eventually, Session } from "./session.ts";
import { Stage } from "./stage.ts";

const WAD = "/usr/share/games/doom/freedoom1.wad";

let stage: Stage;
let player: Player;

before(async () => {
  stage = await Stage.set(new Session(["chocolate-doom", "-iwad", WAD, "-fullscreen", "-nogui"]));
  player = await stage.play(async (context) => {
    // A pad that nobody holds: its first button follows a variable of the page.
    await context.addInitScript(() => {
      const world = globalThis as unknown as { pressed: boolean; shaken: number };
      world.pressed = false;
      world.shaken = 0;
      navigator.getGamepads = () => {
        const button = (pressed: boolean) => ({ pressed, touched: pressed, value: pressed ? 1 : 0 });
        const buttons = Array.from({ length: 17 }, (_, i) => button(i === 0 && world.pressed));
        const playEffect = () => Promise.resolve((world.shaken += 1));
        const pad = { index: 0, id: "test", connected: true, mapping: "standard", axes: [0, 0, 0, 0], buttons, vibrationActuator: { playEffect } };
        return [pad, null, null, null] as unknown as ReturnType<typeof navigator.getGamepads>;
      };
    });
  });
});
after(() => stage.strike());

const isLocked = () => player.page.evaluate(() => document.pointerLockElement?.id === "picture");

test("the game's pictures change by themselves", async () => {
  for (let n = 0; n < 3; n += 1) await player.seeChange(await player.pixels());
});

test("the start screen names the game", async () => {
  assert.equal(await player.page.evaluate(() => document.getElementById("game")?.textContent), "chocolate-doom");
});

test("keys start a level, and then the game has the mouse", async () => {
  // Menu, new game, episode, skill. The menu takes a key a picture.
  for (const key of ["Escape", "Enter", "Enter", "Enter"]) {
    await player.page.keyboard.press(key, { delay: 60 });
    await new Promise((resolve) => setTimeout(resolve, 400));
  }
  await player.page.waitForSelector("text=/the game the mouse|has the mouse/", { timeout: 20_000 });
  if (!(await isLocked())) await player.page.mouse.click(640, 360);
  await eventually("the pointer to be locked", isLocked);
  await screenshot(player, "play");
});

test("the mouse turns the view", async () => {
  // Standing still, only what moves in the level changes; a turn changes nearly all of it.
  const differs = (a: string, b: string) => {
    const [left, right] = [a.split(","), b.split(",")];
    return left.filter((point, i) => point !== right[i]).length / left.length;
  };
  const before = await player.pixels();
  await eventually("another view", async () => {
    await player.page.mouse.move(640 + Math.random() * 600, 360);
    return differs(before, await player.pixels()) > 0.4;
  });
});

test("the menu frees the mouse", async () => {
  await player.page.keyboard.press("Escape", { delay: 60 });
  await eventually("the pointer to be free", async () => !(await isLocked()));
});

test("a gamepad arrives", { skip: existsSync("/dev/uinput") ? false : "no /dev/uinput: the server says so" }, async () => {
  await player.page.evaluate(() => {
    (globalThis as unknown as { pressed: boolean }).pressed = true;
  });
  await eventually("the pad in the log", () => /gamepad/i.test(stage.session.log));
});
