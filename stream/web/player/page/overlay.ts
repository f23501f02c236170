// The statistics over the picture.

import { STAGES } from "../core/latency.ts";
import type { Statistics } from "../core/port.ts";
import { view } from "./view.ts";

const ms = (n: number | undefined) => (n === undefined ? "–" : n.toFixed(n < 100 ? 1 : 0));

export function showStatistics(s: Statistics): void {
  if (view.overlay.hidden) return;
  const rows = new Map(s.stages);
  const stages: [string, string, string][] = STAGES.map(([stage, name]) => {
    const p = rows.get(stage);
    return [name, ms(p?.p50), ms(p?.p95)];
  });
  const input = s.inputToPicture;
  stages.splice(-1, 0, ["input → picture", ms(input?.p50), ms(input?.p95)]);
  view.stages.replaceChildren(...stages.map(row));
  view.figures.replaceChildren(...figures(s).flatMap(([name, value]) => [cell("dt", name), cell("dd", value)]));
}

function figures(s: Statistics): [string, string][] {
  const sent = s.received + s.missing;
  const lost = sent === 0 ? 0 : ((s.missing + s.dropped) / sent) * 100;
  const list: [string, string][] = [
    ["pictures", `${s.fps.toFixed(1)} /s`],
    ["bitrate", `${(s.bitrate / 1e6).toFixed(2)} Mbit/s`],
    ["lost", `${lost.toFixed(2)} % of ${sent}`],
    ["superseded", `${s.superseded} of ${s.decoded}`],
    ["round trip", `${ms(s.roundTrip)} ms`],
    ["resolution", `${s.width}×${s.height}`],
    ["decoder", s.decoder],
  ];
  if (s.sound) {
    const { received, recovered, lost: gone, underruns, held, delay } = s.sound;
    list.push(["sound", `${ms(delay)} ms behind, ${held.toFixed(0)} ms held`]);
    list.push(["sound packets", `${received}, ${recovered} mended, ${gone} lost, ${underruns} dry`]);
  }
  return list;
}

function row([name, ...values]: [string, string, string]): HTMLTableRowElement {
  const tr = document.createElement("tr");
  const th = cell("th", name);
  th.setAttribute("scope", "row");
  tr.append(th, ...values.map((value) => cell("td", value)));
  return tr;
}

function cell(tag: "th" | "td" | "dt" | "dd", text: string): HTMLElement {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}
