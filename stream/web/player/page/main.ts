// The player's page: joins its parts.

import { type Link, parseFragment } from "../core/link.ts";
import type { FromWorker, ToWorker } from "../core/port.ts";
import { Clipboard } from "./clipboard.ts";
import { Cursor } from "./cursor.ts";
import { Keyboard, type Shortcut, SHORTCUTS } from "./keyboard.ts";
import { fillLayouts, guessLayout } from "./layout.ts";
import { showStatistics } from "./overlay.ts";
import { Pads } from "./pads.ts";
import { contain, wholeScale } from "./place.ts";
import { Pointer } from "./pointer.ts";
import { PointerLock } from "./pointer_lock.ts";
import { enterFullScreen, Follow, toggleFullScreen } from "./screen.ts";
import { Sender } from "./sender.ts";
import { Session } from "./session.ts";
import { fetchSession, type SessionInfo } from "./session_info.ts";
import { clientId, loadSettings, saveSettings, setPlaying, wasPlaying } from "./settings.ts";
import { Speaker } from "./speaker.ts";
import { findMissing } from "./support.ts";
import { type Trouble, TROUBLES } from "./trouble.ts";
import { fillKeys, hint, showGame, showStage, showStart, showTrouble, view } from "./view.ts";

const settings = loadSettings();

class Page {
  readonly #link: Link;
  readonly #worker = new Worker("worker.js", { type: "module" });
  readonly #sender = new Sender(this.#worker);
  readonly #speaker: Speaker;
  readonly #clipboard = new Clipboard(this.#sender);
  readonly #keyboard: Keyboard;
  readonly #lock: PointerLock;
  readonly #pointer: Pointer;
  readonly #pads = new Pads(this.#sender);
  readonly #cursor: Cursor;
  readonly #follow = new Follow(view.stage, this.#sender);
  readonly #session: Session;
  #layout = "us";
  #picture = { width: 1280, height: 720 };

  constructor(link: Link) {
    this.#link = link;
    const gesture = () => this.#gesture();
    this.#keyboard = new Keyboard(this.#sender, view.typed, {
      isPlaying: () => !view.stage.hidden,
      gesture,
      shortcut: (what) => this.#shortcut(what),
      isPaste: (event) => this.#clipboard.isPaste(event),
    });
    this.#lock = new PointerLock(view.picture, () => this.#keyboard.tap("Escape"));
    this.#pointer = new Pointer(view.picture, this.#sender, this.#lock, () => this.#picture, gesture);
    this.#cursor = new Cursor(view.picture, () => {
      const box = view.picture.getBoundingClientRect();
      return box.width === 0 ? 1 : contain(box, this.#picture).width / this.#picture.width;
    });
    const sound = new MessageChannel();
    this.#speaker = new Speaker(sound.port2);
    this.#session = new Session(this.#worker, link, clientId(), {
      found: (info) => this.#found(info),
      connecting: (again) => hint(again ? "The connection was lost. Looking for the server …" : "Connecting …"),
      over: (trouble) => this.#over(trouble),
    });
    this.#worker.onmessage = (event: MessageEvent<FromWorker>) => this.#handle(event.data);
    const canvas = view.picture.transferControlToOffscreen();
    const start: ToWorker = { kind: "start", canvas, origin: performance.timeOrigin, sound: sound.port1 };
    this.#worker.postMessage(start, [canvas, sound.port1]);
    this.#listen();
  }

  async begin(): Promise<void> {
    this.#layout = await guessLayout();
    fillLayouts(view.layout, this.#layout, settings.layout);
    view.size.value = settings.followWindow ? "follow" : "keep";
    view.fullScreen.checked = settings.fullScreen;
    view.sound.checked = settings.sound;
    this.#speaker.on = settings.sound;
    view.overlay.hidden = !settings.overlay;
    const info = await fetchSession();
    if (info) this.#found(info);
    // A reload is no farewell.
    if (wasPlaying(this.#link.certificate)) this.#play(false);
  }

  #play(byHand: boolean): void {
    settings.layout = view.layout.value;
    settings.followWindow = view.size.value === "follow";
    settings.fullScreen = view.fullScreen.checked;
    settings.sound = view.sound.checked;
    saveSettings(settings);
    this.#speaker.on = settings.sound;
    if (byHand) this.#speaker.gesture();
    showStage();
    if (byHand && settings.fullScreen) enterFullScreen(view.stage).catch(() => undefined);
    this.#session.start();
  }

  #found(info: SessionInfo): void {
    showGame(info.game);
    this.#clipboard.allowed = info.clipboard;
  }

  #over(trouble: Trouble): void {
    setPlaying(this.#link.certificate, false);
    this.#sender.on = false;
    this.#lock.follow(false);
    hint("");
    if (document.fullscreenElement) void document.exitFullscreen();
    const reload = trouble.again === "Load again";
    showTrouble(trouble, () => (reload ? location.reload() : this.#play(true)));
  }

  #leave(): void {
    this.#release();
    this.#session.stop();
    this.#over(TROUBLES.left);
  }

  #handle(told: FromWorker): void {
    switch (told.kind) {
      case "welcome":
        if (this.#session.handleWelcome(told.attempt)) this.#welcome(told);
        break;
      case "picture":
        this.#picture = { width: told.width, height: told.height };
        this.#placed();
        break;
      case "cursor":
        this.#cursor.show(told.cursor);
        this.#lock.follow(told.cursor.bounds === "locked");
        break;
      case "rumble":
        this.#pads.rumble(told.rumble);
        break;
      case "clipboard":
        this.#clipboard.offer(told.text);
        break;
      case "statistics":
        showStatistics(told.statistics);
        break;
      case "left":
        this.#sender.on = false;
        this.#session.handleLeft(told);
    }
  }

  #welcome({ role, game }: Extract<FromWorker, { kind: "welcome" }>): void {
    showGame(game);
    setPlaying(this.#link.certificate, true);
    this.#sender.on = role === "player";
    // What was pressed on another connection is let go: the server did that as it ended.
    this.#keyboard.release();
    this.#pointer.release();
    hint(role === "player" ? "" : "You are watching. The host's other link is for the player.", 6000);
    this.#sender.send({ kind: "layout", layout: settings.layout || this.#layout });
    this.#follow.begin(settings.followWindow);
    this.#pads.begin();
  }

  /** Picture or window have another size. */
  #placed(): void {
    const whole = wholeScale(view.picture.getBoundingClientRect(), this.#picture, devicePixelRatio);
    view.picture.classList.toggle("whole", whole !== undefined);
    this.#cursor.refresh();
  }

  /** Browsers allow sound and the clipboard only when the player does something. */
  #gesture(): void {
    this.#speaker.gesture();
    this.#clipboard.gesture();
  }

  /** Keys that are let go elsewhere are told to nobody here. */
  #release(): void {
    this.#keyboard.release();
    this.#pointer.release();
    this.#pads.release();
    this.#sender.send({ kind: "release" });
  }

  #shortcut(what: Shortcut): void {
    switch (what) {
      case "statistics":
        view.overlay.hidden = !view.overlay.hidden;
        settings.overlay = !view.overlay.hidden;
        saveSettings(settings);
        break;
      case "screen":
        void toggleFullScreen(view.stage);
        break;
      case "sound":
        this.#speaker.on = !this.#speaker.on;
        this.#speaker.gesture();
        hint(this.#speaker.on ? "Sound on" : "Sound off", 1500);
        break;
      case "help":
        view.help.hidden = !view.help.hidden;
        break;
      case "leave":
        this.#leave();
    }
  }

  #listen(): void {
    view.options.onsubmit = (event) => {
      event.preventDefault();
      this.#play(true);
    };
    view.barKeyboard.onclick = () => view.typed.focus();
    view.barScreen.onclick = () => void toggleFullScreen(view.stage);
    view.barLeave.onclick = () => this.#leave();
    addEventListener("blur", () => this.#release());
    addEventListener("pagehide", () => this.#release());
    addEventListener("resize", () => this.#placed());
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.#release();
      else this.#session.check();
    });
    for (const woken of ["online", "pageshow", "focus"]) addEventListener(woken, () => this.#session.check());
    document.addEventListener("resume", () => this.#session.check());
    addEventListener("hashchange", () => location.reload());
  }
}

async function main(): Promise<void> {
  fillKeys(SHORTCUTS.map(([key, , what]) => [`Ctrl+Alt+Shift+${key}`, what]));
  const link = parseFragment(location.hash);
  const missing = (await findMissing()) ?? (link ? undefined : TROUBLES.noSecret);
  if (missing || !link) {
    showTrouble(missing ?? TROUBLES.noSecret, () => location.reload());
    return;
  }
  showStart();
  await new Page(link).begin();
}

await main();
