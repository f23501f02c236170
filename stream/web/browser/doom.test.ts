// A game in Chromium: its menu opens, a level starts, the mouse is its own there, and a gamepad arrives.

import { after, before, test } from "node:test";
import type { Player } from "./player.ts";
import { screenshot } from "./screenshot.ts";
import { eventually, Session } from "./session.ts";
import { Stage } from "./stage.ts";

const WAD = "/usr/share/games/doom/freedoom1.wad";

let stage: Stage;
let player: Player;

before(async () => {
  stage = await Stage.set(new Session(["chocolate-doom", "-iwad", WAD, "-fullscreen"]));
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

/** How much of the picture's middle is black. */
async function darkness(): Promise<number> {
  const points = (await player.pixels()).split(",").filter((_, i) => i % 16 >= 4 && i % 16 < 12 && i < 16 * 7);
  return points.filter((point) => point.split(" ").every((value) => Number(value) < 24)).length / points.length;
}

test("keys open the menu and start a level", async () => {
  // Menu, new game, episode, skill.
  for (const key of ["Escape", "Enter", "Enter", "Enter"]) {
    const shown = await player.pixels();
    await player.page.keyboard.press(key, { delay: 60 });
    await player.seeChange(shown);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  // The map is there only in a level, and is lines on black.
  await player.page.keyboard.press("Tab", { delay: 60 });
  await eventually("the map", async () => (await darkness()) > 0.6);
  await player.page.keyboard.press("Tab", { delay: 60 });
  await eventually("the level", async () => (await darkness()) < 0.4);
  await screenshot(player, "play");
});

test("the game has the mouse in a level, and so has the page", async () => {
  await player.page.mouse.click(640, 360);
  await eventually("the pointer to be locked", isLocked);
});

test("the mouse turns the view", async () => {
  // Standing still, only what moves in the level changes, and the encoder's noise; a turn changes nearly all of it.
  const differs = (a: string, b: string) => {
    const [left, right] = [a, b].map((raster) => raster.split(/[ ,]/).map(Number));
    const changed = left?.filter((value, i) => Math.abs(value - (right?.[i] ?? 0)) >= 8) ?? [];
    return changed.length / (left?.length ?? 1);
  };
  // The level melts in first, and the sight of the weapon comes up.
  const before = await eventually("a view that stands still", async () => {
    const pixels = await player.pixels();
    await new Promise((resolve) => setTimeout(resolve, 300));
    return differs(pixels, await player.pixels()) < 0.1 ? pixels : undefined;
  });
  await eventually("another view", async () => {
    await player.page.mouse.move(640 + Math.random() * 600, 360);
    return differs(before, await player.pixels()) > 0.15;
  });
});

test("a gamepad arrives at the server, also where it can make none for the game", async () => {
  await player.page.evaluate(() => {
    (globalThis as unknown as { pressed: boolean }).pressed = true;
  });
  await eventually("the pad in the log", () => /gamepad 0 is there|gamepads do not reach the game/.test(stage.session.log));
});

test("leaving frees the mouse", async () => {
  await player.page.keyboard.press("Control+Alt+Shift+KeyQ");
  await player.seeTrouble("You left the game");
  await eventually("the pointer to be free", async () => !(await isLocked()));
});
