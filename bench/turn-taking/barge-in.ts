/**
 * What the runtime makes of sound during the agent's speech: interruptions, backchannels, coughs, side talk, its own
 * echo.
 */
import { createRandom, engineOnClock, normal, type Random, VirtualClock } from '../../actors/core/index.ts';
import { createRuntime } from '../../actors/index.ts';
import type { Engine } from '../../kernels/engine/index.ts';
import { type Clip, FRAME, joined, onTheLine, RATE, resampled, silence } from './material.ts';
import { recitingEngine } from './reciting-engine.ts';
import type { RecordedKind, Recording } from './recordings.ts';

export type SoundKind =
  | 'command'
  | 'interruption'
  | 'backchannel'
  | 'backchannel −3 dB'
  | 'backchannel 0 dB'
  | 'side talk'
  | 'cough'
  | 'door'
  | 'echo'
  | RecordedKind;

/** Sounds that take the turn. */
export const TAKES_TURN: readonly SoundKind[] = ['command', 'interruption', 'person'];

export interface Trial {
  readonly kind: SoundKind;
  readonly text: string;
  readonly yielded: boolean;
  /** From the first sample of the sound; null where it did not happen. */
  readonly duckMs: number | null;
  readonly silenceMs: number | null;
  readonly decisionMs: number | null;
  /** From the decision to go on to the next sample that left. */
  readonly resumeMs: number | null;
}

const LEAD_MS = 20;
/** docs/spec/latency-data.md §4.3 for the backchannel; side talk comes from across a room. */
const LEVEL_DB: Readonly<Record<SoundKind, number>> = {
  command: 0,
  interruption: 0,
  backchannel: -6,
  'backchannel −3 dB': -3,
  'backchannel 0 dB': 0,
  'side talk': -16,
  cough: -3,
  door: -3,
  echo: 0,
  ...{ music: -3, animal: -3, alarm: -3, laugh: -3, tool: -3, typing: -3 },
  person: 0,
};

const SOUND_KINDS = Object.keys(LEVEL_DB) as SoundKind[];
export const RECORDED: ReadonlySet<SoundKind> = new Set<SoundKind>([
  'music',
  'animal',
  'alarm',
  'laugh',
  'tool',
  'typing',
  'person',
]);
export const SYNTHESISED: readonly SoundKind[] = SOUND_KINDS.filter(kind => !RECORDED.has(kind));

/** @param recordings of people and of what is no speech; kinds of which there is none are left out */
export async function bargeInTrials(
  nano: Engine,
  clips: readonly Clip[],
  recordings: readonly Recording[],
  perKind: number,
  kinds: readonly SoundKind[] = SOUND_KINDS,
): Promise<Trial[]> {
  const of = (kind: SoundKind) =>
    clips.filter(clip => clip.kind === (kind.startsWith('backchannel') ? 'backchannel' : kind));
  const utterances = clips.filter(clip => clip.kind === 'utterance' && clip.parts.length === 1);
  const agent = utterances.filter(clip => clip.voice === 'awb').flatMap(clip => clip.parts);
  const recording = resampled(joined(agent.slice(0, 5)), RATE, 24_000);
  const clock = new VirtualClock();
  const runtime = createRuntime({
    engine: engineOnClock(recitingEngine(nano, recording), clock),
    clock,
    random: createRandom(1),
  });
  const trials: Trial[] = [];
  for (const kind of kinds) {
    const recorded = recordings.filter(recording => recording.kind === kind);
    const count = isRecorded(kind) ? Math.min(perKind, recorded.length) : perKind;
    for (let i = 0; i < count; i++) {
      const random = createRandom(`${kind} ${i}`);
      const question = utterances[(i * 7) % utterances.length].parts[0];
      const clip = of(kind)[i % Math.max(1, of(kind).length)];
      // Spread over the packages.
      const recording = recorded[Math.floor((i * recorded.length) / count)];
      const sound = recording?.samples ?? (clip ? joined(clip.parts) : noise(kind, random));
      const text = recording ? `${recording.package} ${recording.name}` : (clip?.text ?? '');
      trials.push(await trial(kind, text, question, sound, random, i, { clock, runtime }));
    }
  }
  await runtime.close();
  return trials;
}

const isRecorded = (kind: SoundKind) => RECORDED.has(kind);

async function trial(
  kind: SoundKind,
  text: string,
  question: Float32Array,
  sound: Float32Array,
  random: Random,
  index: number,
  { clock, runtime }: { clock: VirtualClock; runtime: ReturnType<typeof createRuntime> },
): Promise<Trial> {
  const session = runtime.openSession({ delivery: { mode: 'paced', leadMs: LEAD_MS } });
  const ear = new Ear();
  const echoDb = -20 - 20 * random.next();
  // Half of the callers hear themselves only.
  const echoGain = kind === 'echo' || index % 2 === 0 ? 10 ** (echoDb / 20) : 0;
  const echoDelayMs = 100 + 200 * random.next();
  const gain = 10 ** (LEVEL_DB[kind] / 20);
  const caller = joined([
    silence(400),
    question,
    silence(1400 + 2500 * random.next()),
    sound.map(v => gain * v),
    silence(1500),
  ]);
  const line = onTheLine(caller, random, 15 + 15 * random.next(), index % 4 >= 2);
  const onsetMs = ((caller.length - sound.length) * 1000) / RATE - 1500;
  const startMs = clock.nowMs();
  const now = () => clock.nowMs() - startMs;
  const seen = { duckMs: null, decisionMs: null, silenceMs: null, resumeMs: null } as Record<
    string,
    number | null
  >;
  let [yielded, speaking, lastLeftMs] = [false, false, 0];
  const subscription = session.events$.subscribe(event => {
    if (event.type === 'response.audio') {
      ear.hear(event.samples, now());
      lastLeftMs = now();
      if (seen.decisionMs !== null && !yielded) seen.resumeMs ??= now() - onsetMs - seen.decisionMs;
    }
    if (event.type === 'response.created') speaking = true;
    if (now() < onsetMs - 500 || !speaking) return;
    if (event.type === 'duck' && event.gainDb < 0) seen.duckMs ??= now() - onsetMs;
    if (event.type === 'duck' && event.gainDb === 0 && seen.duckMs !== null)
      seen.decisionMs ??= now() - onsetMs;
    if (event.type === 'response.done' && event.status.kind === 'cancelled') {
      yielded = true;
      // Of two decisions the one that stood.
      seen.decisionMs = now() - onsetMs;
      seen.silenceMs = lastLeftMs + LEAD_MS - onsetMs;
    }
  });
  for (let at = 0; at + FRAME <= line.length; at += FRAME) {
    await clock.runFor(20);
    const samples = ear.into(line.slice(at, at + FRAME), now(), echoDelayMs, echoGain);
    session.send({ type: 'audio', samples });
  }
  subscription.unsubscribe();
  session.close('measured');
  await clock.runFor(1);
  const { duckMs, decisionMs, silenceMs, resumeMs } = seen;
  return { kind, text, yielded, duckMs, decisionMs, silenceMs, resumeMs };
}

/** What the caller hears, and what of it his microphone hears again. */
class Ear {
  #samples = new Float32Array(24_000 * 15);
  #until = 0;

  hear(samples: Float32Array, atMs: number): void {
    const at = Math.max(this.#until, Math.round(atMs * 24));
    this.#samples.set(samples.subarray(0, Math.max(0, this.#samples.length - at)), at);
    this.#until = at + samples.length;
  }

  into(frame: Float32Array, endMs: number, delayMs: number, gain: number): Float32Array {
    if (gain === 0) return frame;
    return frame.map((value, i) => {
      const at = (endMs - 20 + (i * 1000) / RATE - delayMs) * 24;
      const whole = Math.floor(at);
      if (whole < 0) return value;
      const [a, b] = [this.#samples[whole] ?? 0, this.#samples[whole + 1] ?? 0];
      return value + gain * (a + (b - a) * (at - whole));
    });
  }
}

/** A cough: two bursts of shaped noise. A door: a dull thump. An echo alone: nothing. */
function noise(kind: SoundKind, random: Random): Float32Array<ArrayBuffer> {
  if (kind === 'echo') return silence(600);
  const burst = (ms: number, smooth: number) => {
    let last = 0;
    const out = silence(ms).map((_, i) => {
      last = smooth * last + (1 - smooth) * normal(random, 0, 1);
      const t = (i * 1000) / RATE / ms;
      return last * Math.min(1, t * 20) * Math.exp(-4 * t);
    });
    const power = out.reduce((sum, value) => sum + value * value, 0) / out.length;
    return out.map(value => (value * 0.1) / Math.sqrt(power));
  };
  if (kind === 'door') return burst(120 + 80 * random.next(), 0.97);
  return joined([
    burst(90 + 60 * random.next(), 0.6),
    silence(60 + 60 * random.next()),
    burst(80 + 60 * random.next(), 0.6),
  ]);
}
