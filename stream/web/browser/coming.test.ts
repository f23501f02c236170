// All the ways to come, to be turned away, to leave and to come back; the game is one that never stands still.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { BrowserContext } from "playwright-core";
import type { Player } from "./player.ts";
import { screenshot } from "./screenshot.ts";
import { eventually, program, Session } from "./session.ts";
import { Stage } from "./stage.ts";

let stage: Stage;
let player: Player;
let links: [string, string];

before(async () => {
  const game = [program("harness-client"), "--frames", "0", "--rate", "20", "--size", "640x360", "--fullscreen"];
  stage = await Stage.set(new Session(game, ["--size", "640x360", "--viewers", "1"]));
  links = await stage.session.links();
  const first = await stage.open(links[0]);
  await first.page.waitForFunction(() => document.activeElement?.id === "play");
  await screenshot(first, "start");
  await first.page.close();
  player = await stage.play();
});
after(() => stage.strike());

async function seeMotion(of: Player): Promise<void> {
  for (let n = 0; n < 3; n += 1) await of.seeChange(await of.pixels());
}

async function without(context: BrowserContext, name: string): Promise<void> {
  await context.addInitScript((missing) => Reflect.deleteProperty(globalThis, missing), name);
}

test("the start screen names the game, and Enter plays it", async () => {
  assert.equal(await player.page.evaluate(() => document.getElementById("game")?.textContent), "harness-client");
  await seeMotion(player);
});

test("a second player is refused with a sentence, and the first plays on", async () => {
  const second = await stage.open(links[0]);
  await second.page.click("#play");
  assert.match(await second.seeTrouble("Someone else is playing"), /One person plays at a time/);
  await screenshot(second, "busy");
  await second.page.close();
  await seeMotion(player);
});

test("a wrong token and an incomplete link are refused with a sentence", async () => {
  const [address, certificate] = [links[0].split("#")[0] ?? "", links[0].split(".").at(-1)];
  const wrong = await stage.open(`${address}#${"A".repeat(43)}.${certificate}`);
  await wrong.page.click("#play");
  assert.match(await wrong.seeTrouble("This link does not open this game"), /newest link/);
  await wrong.page.close();
  const incomplete = await stage.open(address);
  assert.match(await incomplete.seeTrouble("This link is not complete"), /Copy the whole link/);
  await incomplete.page.close();
});

test("a certificate that has expired by this computer's clock is refused with a sentence", async () => {
  const late = await stage.open(links[0], async (context) => {
    await context.addInitScript(() => {
      const now = Date.now.bind(Date);
      Date.now = () => now() + 15 * 86_400_000;
    });
  });
  await late.page.click("#play");
  assert.match(await late.seeTrouble("The server's certificate has expired"), /look at this computer's clock/);
  await late.page.close();
});

test("a browser that lacks something says what", async () => {
  const lacks: [string, RegExp][] = [
    ["WebTransport", /no WebTransport/],
    ["VideoDecoder", /no WebCodecs/],
    ["OffscreenCanvas", /no OffscreenCanvas/],
  ];
  for (const [name, sentence] of lacks) {
    const old = await stage.open(links[0], (context) => without(context, name));
    await old.page.waitForSelector("#trouble-text:visible");
    assert.match((await old.page.textContent("#trouble-text")) ?? "", sentence);
    await old.page.close();
  }
});

test("a viewer watches, and a tab that hangs stops nobody else", async () => {
  const viewer = await stage.open(links[1]);
  await viewer.play();
  await viewer.page.waitForSelector("text=You are watching");
  // The keys of the page are a viewer's as well.
  await viewer.toggleOverlay();
  await viewer.page.waitForSelector("#overlay:visible");
  // Its worker stands still for a while: nothing is read, decoded or answered.
  const [worker] = viewer.page.workers();
  let hangs = true;
  const hanging = worker?.evaluate(() => {
    const end = Date.now() + 3000;
    while (Date.now() < end);
  });
  void hanging?.then(() => (hangs = false));
  await seeMotion(player);
  assert.ok(hangs, "the other one still hangs");
  await hanging;
  await seeMotion(viewer);
  await viewer.page.close();
});

test("a frozen tab goes on where the game is", async () => {
  const cdp = await player.page.context().newCDPSession(player.page);
  await cdp.send("Page.setWebLifecycleState", { state: "frozen" });
  await new Promise((resolve) => setTimeout(resolve, 2000));
  await cdp.send("Page.setWebLifecycleState", { state: "active" });
  await cdp.detach();
  await player.page.bringToFront();
  await eventually("the stage again", () => player.page.isVisible("#stage"));
  await seeMotion(player);
});

test("a server that stood still is found again", async () => {
  stage.session.signal("SIGSTOP");
  await player.page.waitForSelector("text=The connection was lost", { timeout: 30_000 });
  stage.session.signal("SIGCONT");
  await eventually("the stage again", async () => (await player.page.isVisible("#stage")) && !(await player.page.isVisible("#hint")));
  await seeMotion(player);
});

test("a reload goes on by itself", async () => {
  await player.page.reload();
  await player.seePicture();
  await seeMotion(player);
});

test("leaving and coming back, by the page and by another tab", async () => {
  await player.page.keyboard.press("Control+Alt+Shift+KeyQ");
  await player.seeTrouble("You left the game");
  await player.page.keyboard.press("Enter");
  await seeMotion(player);
  await player.page.close();
  player = await stage.open(links[0]);
  await player.play();
  await seeMotion(player);
});

test("the page says that the server is gone", async () => {
  stage.session.signal("SIGKILL");
  assert.match(await player.seeTrouble("The server is gone"), /Nothing answers/);
  await screenshot(player, "gone");
});
