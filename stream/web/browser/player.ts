// The page in Chromium, and what a person would see of it.

import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { eventually } from "./session.ts";

export async function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
    headless: true,
    // A browser with nobody in front of it would take its time otherwise.
    args: ["--disable-background-timer-throttling", "--disable-renderer-backgrounding", "--disable-backgrounding-occluded-windows"],
  });
}

export class Player {
  readonly page: Page;
  readonly complaints: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on("pageerror", (error) => this.complaints.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") this.complaints.push(message.text());
    });
  }

  static async open(context: BrowserContext, link: string): Promise<Player> {
    const player = new Player(await context.newPage());
    await player.page.goto(link);
    return player;
  }

  /** By the keyboard alone: the button has the focus. */
  async play(): Promise<void> {
    await this.page.waitForFunction(() => document.activeElement?.id === "play");
    await this.page.keyboard.press("Enter");
    await this.seePicture();
  }

  /** Waits until a picture shows: an empty canvas is black. */
  async seePicture(): Promise<void> {
    await eventually("a picture", async () => /[1-9]/.test(await this.pixels()));
  }

  /** A raster of 16 by 9 points of the canvas, as text to compare. */
  async pixels(): Promise<string> {
    return this.page.evaluate(() => {
      const picture = document.getElementById("picture") as HTMLCanvasElement;
      const small = document.createElement("canvas");
      small.width = 16;
      small.height = 9;
      const context = small.getContext("2d", { willReadFrequently: true });
      if (!context || picture.width === 0) return "";
      context.imageSmoothingEnabled = false;
      context.drawImage(picture, 0, 0, 16, 9);
      const { data } = context.getImageData(0, 0, 16, 9);
      const points: string[] = [];
      for (let i = 0; i < data.length; i += 4) points.push(`${data[i]} ${data[i + 1]} ${data[i + 2]}`);
      return points.join(",");
    });
  }

  /** Waits until the picture is another one than `before`. */
  async seeChange(before: string): Promise<string> {
    return eventually("another picture", async () => {
      const now = await this.pixels();
      return now !== before && now !== "" ? now : undefined;
    });
  }

  /** Waits until the page says this. */
  async seeTrouble(title: string): Promise<string> {
    await this.page.waitForFunction((t) => document.getElementById("trouble-title")?.textContent === t, title, { timeout: 30_000 });
    return (await this.page.textContent("#trouble-text")) ?? "";
  }

  async toggleOverlay(): Promise<void> {
    await this.page.keyboard.press("Control+Alt+Shift+KeyS");
  }

  /** The overlay's rows by name; medians in ms where there is one, or 95th percentiles. */
  async statistics(which: "median" | "tail" = "median"): Promise<Map<string, string>> {
    const rows = await this.page.evaluate((cell) => {
      const text = (element: Element | null | undefined) => element?.textContent ?? "";
      const stages = [...document.querySelectorAll("#stages tr")].map((row) => [text(row.querySelector("th")), text(row.querySelector(cell))]);
      const names = [...document.querySelectorAll("#figures dt")];
      return [...stages, ...names.map((dt) => [text(dt), text(dt.nextElementSibling)])] as [string, string][];
    }, which === "median" ? "td" : "td:last-child");
    return new Map(rows);
  }

  /** A number of the overlay; NaN while there is none. */
  async figure(name: string): Promise<number> {
    return Number.parseFloat((await this.statistics()).get(name) ?? "");
  }
}
