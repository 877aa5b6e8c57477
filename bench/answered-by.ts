/**
 * npm run bench -- answered-by [--seed N]: who answers a call of ours, as the runtime judges it, over telephone lines
 * (µ-law, noise 25–40 dB below, 0.2–1.5 s of ringing-off before anybody speaks), and fax tones. Counted in sound, so a
 * busy machine changes nothing. bench/answered-by/material.py says whose voices they are.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { Command } from 'commander';
import { createRandom, normal, type Random } from '../actors/core/index.ts';
import { wholeNumber } from '../cli/options.ts';
import { CODECS, lineDecoder } from '../protocols/media/index.ts';
import { type AnsweredBy, AnswerScreen, FaxCaller } from '../protocols/telephone/answered-by/index.ts';

const PLACE = '.cache/answered-by';
const RATE = 16_000;
const LOOK = 320;
/** Of what comes after a greeting, and after a beep. */
const AFTER_S = 3;

interface Greeting {
  readonly kind: 'machine' | 'person' | 'synthesised' | 'fax';
  readonly greeting: Float32Array;
  readonly beep: Float32Array;
}

interface Judged {
  readonly by: AnsweredBy | null;
  /** From the first sound of the greeting. */
  readonly decidedMs: number | null;
  /** From the end of the beep to the agent's turn; null: never, or before it. */
  readonly beepMs: number | null;
  readonly isEarly: boolean;
  readonly isFaxCaller: boolean;
}

const { seed } = new Command('answered-by')
  .option('--seed <n>', 'of lines and noise', wholeNumber, 21)
  .parse()
  .opts<{ seed: number }>();

if (!existsSync(`${PLACE}/greetings.json`))
  spawnSync(process.env.PYTHON ?? 'python3', ['bench/answered-by/material.py', PLACE], { stdio: 'inherit' });
const all = [...recorded(), ...Array.from({ length: 50 }, (_, n) => faxAnswer(createRandom(`fax ${n}`)))];
const judged = all.map((one, n) => ({ kind: one.kind, ...judge(one, createRandom(`${seed} ${n}`)) }));

console.log('| who answers | n | human | machine | fax | nobody | decided after, ms p50 (p99, longest) |');
console.log('| --- | --- | --- | --- | --- | --- | --- |');
for (const kind of ['machine', 'person', 'synthesised', 'fax'] as const) {
  const of = judged.filter(one => one.kind === kind);
  const counts = (['human', 'machine', 'fax', 'nobody'] as const).map(
    by => of.filter(one => one.by === by).length,
  );
  console.log(`| ${kind} | ${of.length} | ${counts.join(' | ')} | ${spread(of.map(one => one.decidedMs))} |`);
}
const machines = judged.filter(({ kind }) => kind === 'machine');
const waited = machines.filter(({ beepMs }) => beepMs !== null);
const early = machines.filter(({ isEarly }) => isEarly).length;
const behind = spread(waited.map(({ beepMs }) => beepMs));
console.log(
  `Beeps: ${waited.length} of ${machines.length} waited for, ${early} turns before it, the others ${behind} ms behind.`,
);
const voices = judged.filter(({ kind }) => kind !== 'fax');
const mistaken = voices.filter(({ isFaxCaller }) => isFaxCaller).length;
console.log(`Taken for a fax that calls: ${mistaken} of ${voices.length}.`);
const callers = Array.from({ length: 50 }, (_, n) => faxCalls(createRandom(`caller ${n}`)));
console.log(`Fax machines that call: ${callers.filter(Boolean).length} of ${callers.length} known.`);

function recorded(): Greeting[] {
  const bytes = readFileSync(`${PLACE}/greetings.s16`);
  const sound = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  const index: { kind: 'machine' | 'person' | 'synthesised'; span: [number, number, number] }[] = JSON.parse(
    readFileSync(`${PLACE}/greetings.json`, 'utf8'),
  );
  const cut = (at: number, count: number) =>
    Float32Array.from(sound.subarray(at, at + count), value => value / 32_768);
  return index.map(({ kind, span: [at, greeting, beep] }) => ({
    ...{ kind, greeting: cut(at, greeting), beep: cut(at + greeting, beep) },
  }));
}

/** 2100 Hz, off by up to 15 Hz, its phase turned every 450 ms in half of them (ITU-T V.8). */
function faxAnswer(random: Random): Greeting {
  const hz = 2085 + 30 * random.next();
  const isTurned = random.next() < 0.5;
  const level = 10 ** -(1 + 0.8 * random.next());
  const sine = (n: number) =>
    level *
    (isTurned && Math.floor(n / (0.45 * RATE)) % 2 ? -1 : 1) *
    Math.sin((2 * Math.PI * hz * n) / RATE);
  const greeting = Float32Array.from({ length: 3 * RATE }, (_, n) => sine(n));
  return { kind: 'fax', greeting, beep: new Float32Array(0) };
}

function faxCalls(random: Random): boolean {
  const hz = 1100 + 76 * (random.next() - 0.5);
  const level = 10 ** -(1 + 0.8 * random.next());
  const tone = Float32Array.from(
    { length: (0.425 + 0.15 * random.next()) * RATE },
    (_, n) => level * Math.sin((2 * Math.PI * hz * n) / RATE),
  );
  const line = onALine([tone, new Float32Array(RATE)], random);
  return new FaxCaller().isHeardIn(line.sound);
}

/** µ-law at 8 kHz, as the session is given it; where the first piece begins. */
function onALine(pieces: readonly Float32Array[], random: Random): { sound: Float32Array; startMs: number } {
  const startMs = 200 + 1300 * random.next();
  const silence = new Float32Array(Math.round((startMs * RATE) / 1000));
  const length = pieces.reduce((sum, piece) => sum + piece.length, silence.length);
  const noiseLevel = 0.08 * 10 ** -((25 + 15 * random.next()) / 20);
  const wide = new Float32Array(length);
  let at = silence.length;
  for (const piece of pieces) {
    wide.set(piece, at);
    at += piece.length;
  }
  const narrow = Float32Array.from({ length: length >> 1 }, (_, n) => (wide[2 * n] + wide[2 * n + 1]) / 2);
  const wire = CODECS['mu-law'].encode(narrow.map(value => value + normal(random, 0, noiseLevel)));
  const decoder = lineDecoder({ codec: 'mu-law', rateHz: RATE / 2 });
  const sound = new Float32Array(length);
  for (let packet = 0, filled = 0; packet < wire.length; packet += 160) {
    const heard = decoder.sound(wire.subarray(packet, packet + 160))!;
    sound.set(heard.subarray(0, length - filled), filled);
    filled += heard.length;
  }
  return { sound, startMs };
}

function judge({ beep, greeting, kind }: Greeting, random: Random): Judged {
  const isMachine = kind === 'machine';
  const pause = new Float32Array(isMachine ? 0.3 * RATE : 0);
  const { sound, startMs } = onALine([greeting, pause, beep, new Float32Array(AFTER_S * RATE)], random);
  const endMs = startMs + ((greeting.length + pause.length + beep.length) * 1000) / RATE;
  const seen: { by: AnsweredBy | null; decidedMs: number | null; recordingMs: number | null } = {
    ...{ by: null, decidedMs: null, recordingMs: null },
  };
  const screen = new AnswerScreen('leave_message', {
    onAnsweredBy: (by, afterMs) => Object.assign(seen, { by, decidedMs: afterMs - startMs }),
    onRecording: afterMs => void (seen.recordingMs = afterMs),
    hangUp: () => {},
  });
  const fax = new FaxCaller();
  let isFaxCaller = false;
  for (let at = 0; at < sound.length; at += LOOK) {
    const samples = sound.subarray(at, at + LOOK);
    screen.hear({ samples, lost: false, waitedMs: 0 });
    isFaxCaller = fax.isHeardIn(samples) || isFaxCaller;
  }
  const { by, decidedMs, recordingMs } = seen;
  const behindMs = recordingMs === null ? null : recordingMs - endMs;
  const isEarly = isMachine && behindMs !== null && behindMs < (-beep.length * 1000) / RATE;
  return { by, decidedMs, isEarly, isFaxCaller, beepMs: isEarly || !isMachine ? null : behindMs };
}

function spread(values: readonly (number | null)[]): string {
  const known = values.filter(value => value !== null).sort((a, b) => a - b);
  const at = (share: number) =>
    Math.round(known[Math.min(known.length - 1, Math.floor(share * known.length))] ?? Number.NaN);
  return `${at(0.5)} (${at(0.99)}, ${at(1)})`;
}
