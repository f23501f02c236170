// How long a picture takes from the game's commit to the page, at 720p and 60 a second, stage by stage.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { STAGES } from "../player/core/latency.ts";
import type { Player } from "./player.ts";
import { eventually, program, Session } from "./session.ts";
import { Stage } from "./stage.ts";

let stage: Stage;
let player: Player;

before(async () => {
  stage = await Stage.set(new Session([program("harness-client"), "--frames", "0", "--rate", "60", "--fullscreen"], ["--size", "1280x720"]));
  player = await stage.play();
});
after(() => stage.strike());

test("each stage is measured, and together they are the whole", async () => {
  await player.toggleOverlay();
  const counts = async () => {
    const [, lost, sent] = /^(\d+\.\d\d) % of (\d+)$/.exec((await player.statistics()).get("lost") ?? "") ?? [];
    return { lost: (Number(lost) / 100) * Number(sent), sent: Number(sent) };
  };
  // Chromium starts its decoder in a process of its own; that is no part of the delay.
  await new Promise((resolve) => setTimeout(resolve, 3000));
  const before = await counts();
  // The windows of the percentiles hold five seconds.
  await new Promise((resolve) => setTimeout(resolve, 6000));
  const rows = await eventually("all stages", async () => {
    const rows = await player.statistics();
    return (await player.figure("pictures")) > 0 && rows.get("commit → drawn") !== "–" ? rows : undefined;
  });
  const now = await counts();
  console.log(`720p60: ${[...rows].map(([name, value]) => `${name} ${value}`).join("; ")}`);
  const median = (name: string) => Number.parseFloat(rows.get(name) ?? "");
  const parts = STAGES.slice(0, -1).map(([, name]) => median(name));
  assert.ok(parts.every((ms) => ms >= 0), "time does not run backwards");
  const whole = median("commit → drawn");
  // Neither medians nor tails add up exactly, on a busy machine by far not; but the whole is no less than its parts, and
  // no more than all of them at their worst.
  const tails = await player.statistics("tail");
  const worst = STAGES.slice(0, -1).reduce((sum, [, name]) => sum + Number.parseFloat(tails.get(name) ?? ""), 0);
  assert.ok(Math.max(...parts) <= whole && whole <= worst, `${parts.join(" + ")} ms in parts, ${worst} at worst, ${whole} in all`);
  assert.ok(median("pictures") > 0 && median("pictures") < 90);
  assert.equal(rows.get("resolution"), "1280×720");
  // What is lost costs a keyframe. A machine that is too slow draws fewer pictures, and decodes them all the same.
  const sent = now.sent - before.sent;
  assert.ok(sent > 0 && now.lost - before.lost <= sent / 4, `${now.lost - before.lost} of ${sent} lost`);
  assert.match(rows.get("superseded") ?? "", /^\d+ of \d+$/);
});
