import { PlayOutQueue } from './playout-queue.js';

const REPORT_EVERY_MS = 50;

/**
 * Takes `{ add: itemId, samples }`, `{ finish: itemId }`, `{ clear: itemId | null }`, `{ gain }`, `{ latencyMs }`;
 * posts `{ itemId, samples }` (samples heard so far) and `{ level, gaps }`, each at most every 50 ms.
 */
class PlayOut extends AudioWorkletProcessor {
  queue = new PlayOutQueue(sampleRate);
  latencyFrames = 0;
  moved = new Set();
  nextReport = 0;
  peak = 0;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => {
      if (data.samples) this.queue.add(data.add, data.samples);
      else if ('finish' in data) this.queue.finish(data.finish);
      else if ('clear' in data) this.queue.clear(data.clear);
      else if ('gain' in data) this.queue.setGain(data.gain);
      else if ('latencyMs' in data) this.latencyFrames = (data.latencyMs * sampleRate) / 1000;
    };
  }

  process(_inputs, [[output]]) {
    this.queue.render(output, currentFrame);
    for (const itemId of this.queue.settle(currentFrame - this.latencyFrames)) this.moved.add(itemId);
    for (const sample of output) this.peak = Math.max(this.peak, Math.abs(sample));
    if (currentFrame >= this.nextReport) this.report();
    return true;
  }

  report() {
    this.nextReport = currentFrame + (REPORT_EVERY_MS * sampleRate) / 1000;
    for (const itemId of this.moved) {
      const samples = this.queue.heard.get(itemId);
      this.port.postMessage({ itemId, samples });
    }
    this.moved.clear();
    this.port.postMessage({ level: this.peak, gaps: this.queue.gaps });
    this.peak = 0;
  }
}

registerProcessor('play-out', PlayOut);
