import type { Clock } from '../../actors/core/clock.ts';
import type { Session, SessionEvent } from '../../actors/session-api.ts';

/** Plays what arrives as it arrives, and notices where a reply runs dry. */
export class Ear {
  underruns = 0;
  longestGapMs = 0;
  /** The longest time that a reply waited because its caller spoke meanwhile; no gap of ours. */
  longestHeldMs = 0;
  replies = 0;
  heardMs = 0;
  errors = 0;
  /** From the endpoint to the first sound, per turn. */
  readonly firstAudioMs: number[] = [];
  readonly #clock: Clock;
  readonly #samplesPerMs: number;
  #itemId: string | null = null;
  #playsUntilMs = 0;
  /** Since when the caller is heard over the reply, */
  #duckedAtMs: number | null = null;
  /** and for how long he was since the reply ran dry. */
  #duckedMs = 0;

  constructor(session: Session, clock: Clock, sampleRateHz: number) {
    this.#clock = clock;
    this.#samplesPerMs = sampleRateHz / 1000;
    session.events$.subscribe(event => this.#hear(event));
  }

  #hear(event: SessionEvent): void {
    if (event.type === 'error') this.errors++;
    else if (event.type === 'playout.clear') this.#itemId = null;
    else if (event.type === 'response.audio') this.#play(event.itemId, event.samples.length);
    else if (event.type === 'duck') this.#duck(event.gainDb < 0);
    else if (event.type === 'turn.trace') {
      const { endpoint, firstAudio } = event.trace.timeline;
      if (endpoint !== null && firstAudio !== null) this.firstAudioMs.push(firstAudio - endpoint);
    }
  }

  #play(itemId: string, samples: number): void {
    const nowMs = this.#clock.nowMs();
    const lengthMs = samples / this.#samplesPerMs;
    this.heardMs += lengthMs;
    if (itemId !== this.#itemId) {
      this.#itemId = itemId;
      this.replies++;
      this.#playsUntilMs = nowMs;
    }
    const heldMs = this.#heldMs(nowMs);
    const gapMs = nowMs - this.#playsUntilMs - heldMs;
    this.longestHeldMs = Math.max(this.longestHeldMs, heldMs);
    if (gapMs > 0) {
      this.underruns++;
      this.longestGapMs = Math.max(this.longestGapMs, gapMs);
    }
    this.#playsUntilMs = Math.max(nowMs, this.#playsUntilMs) + lengthMs;
    this.#duckedMs = 0;
  }

  #duck(isDucked: boolean): void {
    const nowMs = this.#clock.nowMs();
    this.#duckedMs = this.#heldMs(nowMs);
    this.#duckedAtMs = isDucked ? nowMs : null;
  }

  /** Of the time since the reply ran dry. */
  #heldMs(nowMs: number): number {
    const sinceMs = this.#duckedAtMs === null ? 0 : nowMs - Math.max(this.#duckedAtMs, this.#playsUntilMs);
    return this.#duckedMs + Math.max(0, sinceMs);
  }
}
