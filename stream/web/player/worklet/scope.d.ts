// The scope of an AudioWorklet, as far as it is used; TypeScript ships no types for it.

declare abstract class AudioWorkletProcessor {
  readonly port: WorkletPort;
  constructor(options?: unknown);
  abstract process(inputs: Float32Array[][], outputs: Float32Array[][]): boolean;
}

interface WorkletPort {
  onmessage: ((event: { readonly data: unknown; readonly ports: readonly WorkletPort[] }) => void) | null;
  postMessage(message: unknown): void;
}

declare function registerProcessor(name: string, processor: new (options?: unknown) => AudioWorkletProcessor): void;
