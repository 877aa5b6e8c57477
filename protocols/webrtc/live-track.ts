/**
 * The sound of a GPT-Live session on a call's tracks, and its reflection for the servers at the side
 * (docs/spec/gpt-live.md §5): they hear both voices as PCM of 16 bits at 24 kHz, the agent's with its place on the
 * timeline, where silence is a gap.
 */
import type { Session, SessionEvent } from '../../actors/session-api.ts';
import type { LiveTrack, LineOutlet, SidebandEventType } from '../live/index.ts';
import {
  CODECS,
  createAudioEncoder,
  SESSION_INPUT_RATE_HZ,
  SESSION_OUTPUT_RATE_HZ,
  type TrackSound,
} from '../media/index.ts';
import type { CallEnds, CallSession } from './call-protocol.ts';

const SAMPLES_PER_MS = SESSION_OUTPUT_RATE_HZ / 1000;
const SIDE_FORMAT = { codec: 'pcm16', rateHz: SESSION_OUTPUT_RATE_HZ } as const;

export class CallTrack implements LiveTrack {
  readonly outlet: LineOutlet;
  readonly #ends: CallEnds;
  readonly #heard = createAudioEncoder(SIDE_FORMAT, SESSION_INPUT_RATE_HZ);
  /** Of stretches of speech; each is one for the speaker. */
  #stretches = 0;
  #speaks = false;
  #keys = 0;

  constructor(ends: CallEnds) {
    this.#ends = ends;
    const { speaker } = ends;
    this.outlet = {
      ...{ leadMs: speaker.leadMs, latencyMs: speaker.latencyMs },
      sound: (samples, fromMs) => this.#say(samples, fromMs),
      silence: () => this.#endStretch(),
      cut: () => {
        this.#speaks = false;
        speaker.flush();
      },
    };
  }

  opened(session: Session, hear: (sound: TrackSound) => void): void {
    const call: CallSession = {
      session,
      hear: sound => {
        this.#reflect(sound.samples);
        hear(sound);
      },
      pressed: key => this.#tellKey(key),
    };
    this.#ends.opened(call);
  }

  observe(event: SessionEvent): void {
    this.#ends.observe(event);
  }

  get #stretch(): string {
    return `stretch ${this.#stretches}`;
  }

  #say(samples: Float32Array, fromMs: number): void {
    const { line, speaker } = this.#ends;
    if (!this.#speaks) this.#stretches += 1;
    this.#speaks = true;
    speaker.write(this.#stretch, samples);
    if (!line.hasSides) return;
    const [start_ms, end_ms] = [Math.round(fromMs), Math.round(fromMs + samples.length / SAMPLES_PER_MS)];
    const delta = CODECS.pcm16.encode(samples).toString('base64');
    this.#tell('session.output_audio.delta', { delta, start_ms, end_ms });
  }

  #endStretch(): void {
    if (this.#speaks) this.#ends.speaker.end(this.#stretch);
    this.#speaks = false;
  }

  /** Before it is muted. */
  #reflect(samples: Float32Array): void {
    const { line } = this.#ends;
    if (!line.hasSides) return;
    const audio = this.#heard.push(samples).toString('base64');
    if (audio !== '') this.#tell('session.input_audio.append', { audio });
  }

  #tellKey(event: string): void {
    this.#tell('transport.dtmf.received', { event_id: `event_key_${++this.#keys}`, event });
  }

  #tell(type: SidebandEventType, fields: object): void {
    this.#ends.line.toSides(JSON.stringify({ type, ...fields }));
  }
}
