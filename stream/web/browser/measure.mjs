// Plays a link in Chromium for some seconds and prints what the overlay says, as one JSON object:
// node measure.mjs LINK SECONDS WIDTH HEIGHT

import { chromium } from "playwright-core";

const [link, seconds, width, height] = process.argv.slice(2);

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  headless: true,
  // A browser with nobody in front of it would take its time otherwise.
  args: ["--disable-background-timer-throttling", "--disable-renderer-backgrounding", "--disable-backgrounding-occluded-windows"],
});
try {
  const page = await (await browser.newContext({ viewport: { width: Number(width), height: Number(height) } })).newPage();
  await page.goto(link);
  // By the keyboard: the button has the focus.
  await page.waitForFunction(() => document.activeElement?.id === "play");
  await page.keyboard.press("Enter");
  await new Promise((resolve) => setTimeout(resolve, 1000 * Number(seconds)));
  await page.keyboard.press("Control+Alt+Shift+KeyS");
  // The overlay's first lines come with the next statistics.
  await page.waitForFunction(() => document.querySelectorAll("#stages tr").length > 0);
  const said = await page.evaluate(() => {
    const text = (element) => element?.textContent ?? "";
    const stages = [...document.querySelectorAll("#stages tr")].map((row) => [...row.querySelectorAll("th, td")].map(text));
    const figures = [...document.querySelectorAll("#figures dt")].map((dt) => [text(dt), text(dt.nextElementSibling)]);
    return { stages, figures };
  });
  console.log(JSON.stringify(said));
} finally {
  await browser.close();
}
