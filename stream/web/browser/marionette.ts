// Firefox by its own remote protocol, Marionette: numbered commands and answers in JSON, each behind its length.

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "./session.ts";

type Answer = [kind: number, id: number, error: { message?: string } | null, result: { value?: unknown } | null];

/** Where Firefox is, if it is. */
export const FIREFOX = [process.env["FIREFOX"], "/usr/bin/firefox-esr", "/usr/bin/firefox"].find((path) => path && existsSync(path));

export class Firefox {
  readonly #process: ChildProcess;
  readonly #profile: string;
  readonly #socket: Socket;
  readonly #waiting = new Map<number, { done: (value: unknown) => void; failed: (why: Error) => void }>();
  #bytes = Buffer.alloc(0);
  #id = 0;

  private constructor(process: ChildProcess, profile: string, socket: Socket) {
    this.#process = process;
    this.#profile = profile;
    this.#socket = socket;
    socket.on("data", (data: Buffer) => this.#handleData(data));
  }

  static async launch(program: string): Promise<Firefox> {
    const profile = mkdtempSync(join(tmpdir(), "stratus-firefox-"));
    // Firefox writes the port that it got into its profile's preferences too late; a free one is asked for first.
    const port = await freePort();
    writeFileSync(join(profile, "user.js"), `user_pref("marionette.port", ${port});\n`);
    const env: NodeJS.ProcessEnv = { ...process.env, HOME: profile };
    for (const name of ["WAYLAND_DISPLAY", "DISPLAY"]) delete env[name];
    const firefox = spawn(program, ["--headless", "--marionette", "--profile", profile, "--no-remote", "about:blank"], { env, stdio: "ignore" });
    const socket = await eventually("Firefox", () => open(port));
    const browser = new Firefox(firefox, profile, socket);
    await browser.#command("WebDriver:NewSession", {});
    return browser;
  }

  async open(url: string): Promise<void> {
    await this.#command("WebDriver:Navigate", { url });
  }

  /** Runs the body of a function in the page. */
  async run<T>(script: string): Promise<T> {
    return (await this.#command("WebDriver:ExecuteScript", { script, args: [] })) as T;
  }

  /** Presses a key and lets it go, as a person would. */
  async press(key: string): Promise<void> {
    const actions = [{ type: "keyDown", value: key }, { type: "pause", duration: 60 }, { type: "keyUp", value: key }];
    await this.#command("WebDriver:PerformActions", { actions: [{ type: "key", id: "keyboard", actions }] });
  }

  async end(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#socket.destroy();
    this.#process.kill("SIGKILL");
    await ended;
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }

  #command(name: string, parameters: object): Promise<unknown> {
    this.#id += 1;
    const id = this.#id;
    const text = JSON.stringify([0, id, name, parameters]);
    const answer = new Promise((done, failed) => this.#waiting.set(id, { done, failed }));
    this.#socket.write(`${Buffer.byteLength(text)}:${text}`);
    return answer;
  }

  #handleData(data: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, data]);
    for (;;) {
      const colon = this.#bytes.indexOf(":");
      const end = colon + 1 + Number(this.#bytes.subarray(0, Math.max(0, colon)).toString());
      if (colon < 0 || this.#bytes.length < end) return;
      const message = JSON.parse(this.#bytes.subarray(colon + 1, end).toString()) as Answer | object;
      this.#bytes = this.#bytes.subarray(end);
      // The first one says what speaks.
      if (Array.isArray(message)) this.#handleAnswer(message as Answer);
    }
  }

  #handleAnswer([, id, error, result]: Answer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error) waiting?.failed(new Error(error.message ?? "Firefox refused"));
    else waiting?.done(result?.value);
  }
}

function open(port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(socket));
    socket.once("error", () => resolve(undefined));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
