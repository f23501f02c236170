// What can be known of the page's look without looking: contrast, and that nothing comes from elsewhere.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const style = readFileSync("player/static/style.css", "utf8");

/** The variables of the n-th `:root`: light, then dark. */
function palette(n: number): Map<string, string> {
  const block = style.split(":root")[n + 1]?.split("}")[0] ?? "";
  return new Map([...block.matchAll(/--([a-z-]+): (#[0-9a-f]{6});/g)].map(([, name = "", value = ""]) => [name, value]));
}

/** Relative luminance, WCAG 2.2. */
function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const c = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [dark = 0, light = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

for (const [n, scheme] of ["light", "dark"].entries()) {
  test(`contrast suffices in the ${scheme} scheme`, () => {
    const colours = palette(n);
    const of = (name: string) => colours.get(name) ?? assert.fail(`no colour ${name}`);
    const pairs: [string, string, number][] = [
      ["text", "ground", 7], ["text", "card", 7], ["quiet", "ground", 7], ["quiet", "card", 7], ["on-accent", "accent", 7],
      ["line", "ground", 3], ["line", "card", 3], ["accent", "ground", 3],
    ];
    for (const [front, back, least] of pairs) {
      const ratio = contrast(of(front), of(back));
      assert.ok(ratio >= least, `${front} on ${back}: ${ratio.toFixed(2)}`);
    }
  });
}

test("nothing comes from elsewhere, and nothing stands inline that the policy forbids", () => {
  for (const file of readdirSync("dist")) {
    const text = readFileSync(`dist/${file}`, "utf8").replaceAll("http://www.w3.org/2000/svg", "");
    assert.doesNotMatch(text, /https?:\/\/[a-z]/, file);
    assert.doesNotMatch(text, /@import|url\(["']?(?!blob)[a-z]+:/, file);
  }
  const page = readFileSync("dist/index.html", "utf8");
  assert.doesNotMatch(page, /<style|style=|\son[a-z]+=|<script(?![^>]*src)/);
});
