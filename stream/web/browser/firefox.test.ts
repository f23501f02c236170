// A terminal in Firefox, where that is installed: the picture, and keys.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Firefox, FIREFOX } from "./marionette.ts";
import { eventually, Session, terminal } from "./session.ts";

const skip = FIREFOX ? false : "Firefox is not installed";

let session: Session;
let firefox: Firefox;

before(async () => {
  if (!FIREFOX) return;
  session = new Session(["sh", "-c", 'HEARD="$XDG_CONFIG_HOME/heard" exec foot --fullscreen "$XDG_CONFIG_HOME/hear"']);
  terminal(session);
  const [link] = await session.links();
  firefox = await Firefox.launch(FIREFOX);
  await firefox.open(link);
});
after(async () => {
  if (!FIREFOX) return;
  await firefox.end();
  await session.end();
});

/** The light of the picture's middle, which the terminal turns over at each letter. */
const light = () =>
  firefox.run<number>(`
    const picture = document.getElementById("picture");
    const small = document.createElement("canvas");
    small.width = small.height = 1;
    const context = small.getContext("2d");
    if (picture.width > 0) context.drawImage(picture, picture.width / 2, picture.height / 2, 1, 1, 0, 0, 1, 1);
    return context.getImageData(0, 0, 1, 1).data[0];`);

test("the page loads, and Enter plays", { skip }, async () => {
  await eventually("the start screen", () => firefox.run<boolean>('return document.activeElement?.id === "play"'));
  await firefox.press("\uE007");
  await eventually("the picture", () => firefox.run<boolean>('return document.getElementById("picture").width === 1280'));
  assert.equal(await firefox.run<string>('return document.getElementById("trouble-title").textContent'), "");
});

test("keys reach the terminal, and its answer is seen", { skip }, async () => {
  for (const letters of ["a", "ab", "aba"]) {
    const before = await light();
    await firefox.press(letters.at(-1) ?? "");
    await eventually("the key in the terminal", () => session.read("heard") === letters);
    await eventually("its answer", async () => Math.abs((await light()) - before) > 100);
  }
});
