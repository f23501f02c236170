// What comes out of the page's speaker.

import type { BrowserContext, Page } from "playwright-core";

/** Puts an analyser beside whatever the page plays. */
export async function listen(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    const connect = AudioNode.prototype.connect as (this: AudioNode, to: AudioNode) => AudioNode;
    AudioNode.prototype.connect = function (this: AudioNode, to: AudioNode) {
      if (to instanceof AudioDestinationNode) {
        const ear = new AnalyserNode(this.context, { fftSize: 16384, smoothingTimeConstant: 0 });
        connect.call(this, ear);
        (globalThis as unknown as { ear: AnalyserNode }).ear = ear;
      }
      return connect.call(this, to);
    } as typeof AudioNode.prototype.connect;
  });
}

/** The loudest frequency, Hz, and how loud it is, dB below full scale. */
export async function hear(page: Page): Promise<{ hz: number; db: number }> {
  return page.evaluate(() => {
    const { ear } = globalThis as unknown as { ear?: AnalyserNode };
    if (!ear) return { hz: 0, db: -200 };
    const levels = new Float32Array(ear.frequencyBinCount);
    ear.getFloatFrequencyData(levels);
    let loudest = 0;
    for (let i = 1; i < levels.length; i += 1) if ((levels[i] ?? -200) > (levels[loudest] ?? -200)) loudest = i;
    return { hz: (loudest * ear.context.sampleRate) / ear.fftSize, db: levels[loudest] ?? -200 };
  });
}
