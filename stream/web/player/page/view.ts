// The elements of the page, and which of its screens shows.

import type { Trouble } from "./trouble.ts";

function element<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`the page has no ${id}`);
  return found;
}

export const view = {
  start: element("start", HTMLElement),
  game: element("game", HTMLHeadingElement),
  lead: element("lead", HTMLParagraphElement),
  options: element("options", HTMLFormElement),
  play: element("play", HTMLButtonElement),
  layout: element("layout", HTMLSelectElement),
  size: element("size", HTMLSelectElement),
  fullScreen: element("fullscreen", HTMLInputElement),
  sound: element("sound", HTMLInputElement),
  stage: element("stage", HTMLElement),
  picture: element("picture", HTMLCanvasElement),
  typed: element("typed", HTMLTextAreaElement),
  hint: element("hint", HTMLParagraphElement),
  overlay: element("overlay", HTMLElement),
  stages: element("stages", HTMLTableSectionElement),
  figures: element("figures", HTMLDListElement),
  help: element("help", HTMLElement),
  barKeyboard: element("bar-keyboard", HTMLButtonElement),
  barScreen: element("bar-screen", HTMLButtonElement),
  barLeave: element("bar-leave", HTMLButtonElement),
  trouble: element("trouble", HTMLElement),
  troubleTitle: element("trouble-title", HTMLHeadingElement),
  troubleText: element("trouble-text", HTMLParagraphElement),
  troubleDetail: element("trouble-detail", HTMLParagraphElement),
  again: element("again", HTMLButtonElement),
};

function show(screen: "start" | "stage" | "trouble"): void {
  for (const name of ["start", "stage", "trouble"] as const) view[name].hidden = name !== screen;
}

export function showStart(): void {
  show("start");
}

export function showStage(): void {
  show("stage");
  view.picture.focus({ preventScroll: true });
}

export function showTrouble(trouble: Trouble, again: () => void): void {
  show("trouble");
  view.troubleTitle.textContent = trouble.title;
  view.troubleText.textContent = trouble.text;
  view.troubleDetail.textContent = trouble.detail ?? "";
  view.troubleDetail.hidden = !trouble.detail;
  view.again.textContent = trouble.again;
  view.again.onclick = again;
  // Whoever uses the keyboard alone goes on from here.
  view.again.focus();
}

export function showGame(name: string): void {
  if (name === "") return;
  view.game.textContent = name;
  document.title = `${name} – Stratus`;
}

/** A list of keys and what they do. */
export function fillKeys(keys: readonly (readonly [string, string])[]): void {
  for (const list of document.querySelectorAll("dl.keys")) {
    const rows = keys.flatMap(([key, what]) => {
      const dt = document.createElement("dt");
      const kbd = document.createElement("kbd");
      kbd.textContent = key;
      dt.append(kbd);
      const dd = document.createElement("dd");
      dd.textContent = what;
      return [dt, dd];
    });
    list.replaceChildren(...rows);
  }
}

let hintTimer: ReturnType<typeof setTimeout> | undefined;

/** A sentence over the picture; it stays, or goes after some ms. An empty one takes it away. */
export function hint(text: string, ms?: number): void {
  clearTimeout(hintTimer);
  view.hint.textContent = text;
  if (ms !== undefined) hintTimer = setTimeout(() => hint(""), ms);
}
