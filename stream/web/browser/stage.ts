// A game and a browser that plays it.

import assert from "node:assert/strict";
import type { Browser, BrowserContext } from "playwright-core";
import { launch, Player } from "./player.ts";
import { Session } from "./session.ts";

const VIEW = { viewport: { width: 1280, height: 720 } };

/** What the browser says by itself of connections and files that the tests mean to fail. */
const EXPECTED = /Failed to establish a connection|Failed to load resource|net::ERR_/;

export class Stage {
  readonly session: Session;
  readonly #browser: Browser;
  readonly #contexts: BrowserContext[] = [];
  readonly #players: Player[] = [];

  private constructor(session: Session, browser: Browser) {
    this.session = session;
    this.#browser = browser;
  }

  static async set(session: Session): Promise<Stage> {
    return new Stage(session, await launch());
  }

  /** Opens a link in a profile of its own, after `prepare` did what must be done before the page is there. */
  async open(link: string, prepare?: (context: BrowserContext) => Promise<void>): Promise<Player> {
    const context = await this.#browser.newContext(VIEW);
    this.#contexts.push(context);
    await prepare?.(context);
    const player = await Player.open(context, link);
    this.#players.push(player);
    return player;
  }

  /** Opens the player's link and plays. */
  async play(prepare?: (context: BrowserContext) => Promise<void>): Promise<Player> {
    const [link] = await this.session.links();
    const player = await this.open(link, prepare);
    await player.play();
    return player;
  }

  /** Ends it all; the pages must have had nothing to complain of. */
  async strike(): Promise<void> {
    for (const context of this.#contexts) await context.close();
    await this.#browser.close();
    await this.session.end();
    const complaints = this.#players.flatMap((player) => player.complaints).filter((text) => !EXPECTED.test(text));
    assert.deepEqual(complaints, []);
  }
}
