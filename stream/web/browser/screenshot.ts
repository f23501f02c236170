// Pictures of the page for the documentation, where the environment asks for them.

import { join } from "node:path";
import type { Player } from "./player.ts";

const FOLDER = process.env["STRATUS_SCREENSHOTS"];

export async function screenshot(player: Player, name: string): Promise<void> {
  if (FOLDER) await player.page.screenshot({ path: join(FOLDER, `${name}.png`) });
}
