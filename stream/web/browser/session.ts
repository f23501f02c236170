// A session of `stratus run` in a place of its own.

import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** For slow machines; nothing passes by waiting so long. */
export const PATIENCE = 30_000;

/** Where the programs of the build lie. */
const PROGRAMS = process.env["STRATUS_PROGRAMS"] ?? "../../target/debug";

export function program(name: string): string {
  return join(PROGRAMS, name);
}

/** Waits until `what` gives something. */
export async function eventually<T>(hope: string, what: () => Promise<T | undefined | false> | T | undefined | false): Promise<T> {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const got = await what();
    if (got !== undefined && got !== false) return got;
    if (Date.now() > end) throw new Error(`in vain: ${hope}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export class Session {
  readonly place: string;
  readonly #process: ChildProcess;
  #out = "";
  #log = "";
  #over = false;

  constructor(game: readonly string[], options: readonly string[] = []) {
    this.place = mkdtempSync(join(tmpdir(), "stratus-web-"));
    chmodSync(this.place, 0o700);
    const env: NodeJS.ProcessEnv = { ...process.env, XDG_RUNTIME_DIR: this.place, XDG_CONFIG_HOME: this.place, HOME: this.place };
    for (const name of ["WAYLAND_DISPLAY", "DISPLAY", "RUST_LOG"]) delete env[name];
    const args = ["run", "--fps", "60", ...options, "--", ...game];
    this.#process = spawn(program("stratus"), args, { env, stdio: ["ignore", "pipe", "pipe"] });
    this.#process.stdout?.on("data", (data: Buffer) => (this.#out += data.toString()));
    this.#process.stderr?.on("data", (data: Buffer) => (this.#log += data.toString()));
    this.#process.on("exit", () => (this.#over = true));
  }

  /** The links that it prints: the player's, and the viewers' if there may be any. */
  async links(): Promise<[string, string]> {
    return eventually("a link", () => {
      if (this.#over) throw new Error(`stratus ended:\n${this.#log}`);
      const [player, viewers] = this.#out.split("\n");
      return this.#out.endsWith("\n") && player ? ([player, viewers ?? ""] as [string, string]) : undefined;
    });
  }

  get log(): string {
    return this.#log;
  }

  /** What the game wrote to a file in the session's place. */
  read(name: string): string {
    try {
      return readFileSync(join(this.place, name), "latin1");
    } catch {
      return "";
    }
  }

  write(name: string, text: string): string {
    const path = join(this.place, name);
    writeFileSync(path, text, { mode: 0o755 });
    return path;
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  async end(): Promise<void> {
    this.signal("SIGTERM");
    await eventually("the session's end", () => this.#over);
    rmSync(this.place, { recursive: true, force: true });
  }
}

/**
 * Puts the program `hear` into the session's place: it keeps what the terminal is sent in the file that `$HEARD` names,
 * and turns the colours over at each letter: the whole picture changes, as if a shot were fired.
 */
export function terminal(session: Session): void {
  session.write("hear", HEAR);
}

const HEAR = `#!/usr/bin/perl
use strict;
open(my $file, '>', $ENV{HEARD}) or die;
$file->autoflush(1);
system('stty raw -echo');
$| = 1;
# The mouse is told by cells, in decimal; the cursor does not blink.
print "\\e[?1003h\\e[?1006h\\e[?25lThis terminal tells what it hears.\\r\\n";
my $turned = 0;
while (sysread(STDIN, my $bytes, 4096)) {
    print $file $bytes;
    next unless $bytes =~ /^[a-z]+$/;
    $turned = !$turned;
    print $turned ? "\\e[?5h" : "\\e[?5l";
}
`;
