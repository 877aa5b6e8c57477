/** `longcat-rt call sip:…`: a telephone in the terminal. */
import { randomBytes } from 'node:crypto';
import { createRandom, RealClock, silentLogger, unixTimeMs } from '../../actors/core/index.ts';
import { CODECS, resampleAll, SESSION_INPUT_RATE_HZ } from '../../protocols/media/index.ts';
import { udpNetwork } from '../../protocols/rtp/index.ts';
import { Telephone } from '../../protocols/sip/index.ts';
import { mixed } from '../media/channels.ts';
import { checkOutput } from '../media/output.ts';
import { readSound } from '../media/sound.ts';
import { writeWav } from '../media/wav.ts';
import { PersonEnd, SPEECH_FORMAT } from './person-end.ts';

const PASSWORD_VARIABLE = 'LONGCAT_RT_SIP_PASSWORD';
/** Of a demonstration or a test: nobody wants to wait longer. */
const MAX_CALL_MS = 10 * 60_000;

export interface SipCommandOptions {
  readonly out?: string;
  readonly json?: boolean;
  readonly keys?: string;
  readonly interruptAfter?: number;
  readonly from?: string;
  readonly srtp?: boolean;
  readonly codec?: 'opus' | 'g722' | 'pcmu' | 'pcma';
  readonly keysInSound?: boolean;
}

export async function sipCall(
  target: string,
  files: readonly string[],
  options: SipCommandOptions,
): Promise<void> {
  if (options.out) checkOutput(options.out, files);
  const utterances: Buffer[] = [];
  for (const file of files) utterances.push(await speechOf(file));
  const clock = new RealClock();
  const notes = new Notes(options.json ?? false, () => clock.nowMs());
  const telephone = new Telephone({
    ...{ clock, log: silentLogger, unixTimeMs, network: udpNetwork, randomBytes },
    random: createRandom(randomBytes(16).toString('hex')),
    codecs: options.codec ? [options.codec] : ['opus', 'g722', 'pcmu', 'pcma'],
    isSecure: options.srtp ?? false,
    offersKeys: !options.keysInSound,
  });
  const from = options.from ?? 'sip:caller@localhost';
  const user = from.replace(/^sips?:/i, '').split('@')[0];
  const password = process.env[PASSWORD_VARIABLE];
  let onEnded: (reason: string) => void = () => {};
  const ended = new Promise<string>(resolve => (onEnded = resolve));
  const holder: { end: PersonEnd | null } = { end: null };
  notes.note(`calling ${target}`);
  try {
    const call = await telephone.dial({
      ...{ target, from, credentials: password === undefined ? null : { user, password } },
      end: media => {
        holder.end = new PersonEnd({
          ...{ clock, media, utterances, keys: options.keys ?? '' },
          interruptAfterMs: options.interruptAfter ?? null,
          onNote: text => notes.note(text),
          onSpeaks: n => notes.note(`the caller says ${files[n]}`),
          onDone: () => call.hangUp('the caller hangs up'),
        });
        return holder.end;
      },
      onRinging: () => notes.note('it rings'),
      onEnded,
    });
    const late = clock.setTimer(MAX_CALL_MS, () => call.hangUp('the call has lasted long enough'));
    const interrupt = () => call.hangUp('the caller hangs up');
    process.once('SIGINT', interrupt);
    const reason = await ended;
    process.off('SIGINT', interrupt);
    late.cancel();
    notes.note(reason);
    if (!/^the caller hangs up$/.test(reason)) process.exitCode = 1;
    // The goodbye is answered, or not waited for.
    await new Promise<void>(resolve => clock.setTimer(200, resolve));
  } finally {
    await telephone.close();
  }
  const heard = joined(holder.end?.heard ?? []);
  if (options.out) writeWav(options.out, { samples: heard, sampleRate: SESSION_INPUT_RATE_HZ });
  notes.finish(heard, holder.end);
}

async function speechOf(file: string): Promise<Buffer> {
  const { samples, sampleRate } = mixed(await readSound(file, process.stdin));
  return CODECS.pcm16.encode(resampleAll(samples, sampleRate, SPEECH_FORMAT.rateHz));
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** What happened, as it happens, and the sum of it. */
class Notes {
  readonly #json: boolean;
  readonly #nowMs: () => number;
  readonly #events: { readonly atMs: number; readonly event: string }[] = [];

  constructor(json: boolean, nowMs: () => number) {
    this.#json = json;
    this.#nowMs = nowMs;
  }

  note(event: string): void {
    const atMs = Math.round(this.#nowMs());
    this.#events.push({ atMs, event });
    if (!this.#json) console.log(`${(atMs / 1000).toFixed(2).padStart(7)} s  ${event}`);
  }

  finish(heard: Float32Array, end: PersonEnd | null): void {
    const heardMs = Math.round((heard.length * 1000) / SESSION_INPUT_RATE_HZ);
    const { lost = 0, late = 0, reordered = 0 } = end?.counts ?? {};
    const sums = { heardMs, lost, late, reordered, keysHeard: end?.keysHeard ?? '' };
    if (this.#json) console.log(JSON.stringify({ ...sums, events: this.#events }, null, 2));
    else console.log(`${heardMs} ms came, ${lost} packets lost, ${late} late, ${reordered} out of order.`);
  }
}
