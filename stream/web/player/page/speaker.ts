// The sound card: an AudioContext with the worklet that plays what the worker decodes.

export class Speaker {
  readonly #worker: MessagePort;
  #context: AudioContext | undefined;
  #gain: GainNode | undefined;
  #on = true;

  /** `worker` is the worklet's end of a channel to the worker. */
  constructor(worker: MessagePort) {
    this.#worker = worker;
  }

  get on(): boolean {
    return this.#on;
  }

  set on(on: boolean) {
    this.#on = on;
    if (this.#gain) this.#gain.gain.value = on ? 1 : 0;
  }

  /** Browsers let a page sound only after a gesture of the player: call it on each. */
  gesture(): void {
    if (!this.#on && !this.#context) return;
    if (!this.#context) void this.#open();
    else if (this.#context.state === "suspended") void this.#context.resume();
  }

  async #open(): Promise<void> {
    const context = new AudioContext({ sampleRate: 48000, latencyHint: "interactive" });
    this.#context = context;
    const gain = context.createGain();
    gain.gain.value = this.#on ? 1 : 0;
    gain.connect(context.destination);
    this.#gain = gain;
    try {
      await context.audioWorklet.addModule("worklet.js");
    } catch (error) {
      // Without sound the game can still be played.
      console.error("no sound:", error);
      return;
    }
    const node = new AudioWorkletNode(context, "stratus-speaker", { numberOfInputs: 0, outputChannelCount: [2] });
    node.port.postMessage(undefined, [this.#worker]);
    node.connect(gain);
  }
}
