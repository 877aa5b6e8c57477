/**
 * What nano still knows after two hours: calls in virtual time in which the user tells his name in the first minute,
 * then says this and that, far more than the context holds, and asks for the name at the end. Needs flite; prints each
 * call and k of n.
 *
 *   npx tsx bench/long-memory.ts [--calls 4] [--turns 200] [--seed 1]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { createRandom, type VirtualClock } from '../actors/core/index.ts';
import type { Session } from '../actors/session-api.ts';
import { loadConfig } from '../cli/config/load.ts';
import { openHouse } from '../cli/house.ts';
import { resampled } from '../cli/media/resampled.ts';
import { readWav } from '../cli/media/wav.ts';

const CALL_MS = 2 * 3600_000;
const FIRST_MS = 30_000;
const NAMES = ['Ben', 'Clara', 'Emma', 'Peter', 'Tom', 'Nora', 'Lucy', 'Oscar', 'Anna', 'David'];
const TELLS = ['my name is {}', 'please call me {}'];
const ASKS = ['what is my name', 'do you know my name'];
/** Of the domain; the answer to any may be wrong, and is not looked at. */
const TALK = [
  ...['how are you', 'what is two plus three', 'what comes after seven', 'thank you', 'what can you do'],
  ...[
    'what is nine minus four',
    'are you a person',
    'count to five',
    'what comes before ten',
    'how old are you',
  ],
  ...['what is four plus four', 'good morning', 'name the days of the week', 'what is six minus two'],
];

const directory = mkdtempSync(join(tmpdir(), 'long-memory-'));
const voices = ['awb', 'rms', 'slt'];
const spoken = new Map<string, Float32Array>();

function speech(text: string, voice: string): Float32Array {
  const key = `${voice} ${text}`;
  const known = spoken.get(key);
  if (known) return known;
  const path = join(directory, `${spoken.size}.wav`);
  execFileSync('flite', ['-voice', voice, '-t', text, '-o', path]);
  const made = resampled(readWav(path), 16_000);
  spoken.set(key, made);
  return made;
}

const { calls, turns, seed } = new Command('long-memory')
  .description('calls of two virtual hours with nano: whether it still knows the name of the first minute')
  .option('--calls <n>', 'at the same time', Number, 4)
  .option('--turns <n>', 'between the name and the question for it', Number, 200)
  .option('--seed <n>', 'of what is said', Number, 1)
  .parse()
  .opts<{ calls: number; turns: number; seed: number }>();
const house = await openHouse(loadConfig({ logLevel: 'error' }, process.env), 'virtual');
const clock = house.clock as VirtualClock;
const random = createRandom(seed);
const pick = <T>(of: readonly T[]): T => of[Math.floor(random.next() * of.length)];

const FRAME = 320;

/**
 * Sends sound while it speaks and until it has been answered, as a microphone that is muted in between; two hours of
 * silence would say nothing.
 */
class MutingPerson {
  readonly #session: Session;
  #samples = new Float32Array(0);

  constructor(session: Session) {
    this.#session = session;
  }

  say(speech: Float32Array): void {
    this.#samples = new Float32Array(speech.length + 3 * 16_000);
    this.#samples.set(speech);
    this.#next(0);
  }

  #next(at: number): void {
    if (at + FRAME > this.#samples.length) return;
    clock.setTimer(20, () => {
      this.#session.send({ type: 'audio', samples: this.#samples.slice(at, at + FRAME) });
      this.#next(at + FRAME);
    });
  }
}

const people = Array.from({ length: calls }, (_, i) => {
  const session = house.runtime.openSession({
    ...house.sessionDefaults,
    delivery: { mode: 'paced', leadMs: 20 },
  });
  const person = new MutingPerson(session);
  const call = {
    session,
    person,
    name: NAMES[i % NAMES.length],
    voice: voices[i % voices.length],
    dropped: 0,
    first: '',
    isKept: true,
    said: '',
    heard: '',
    ended: '',
  };
  session.events$.subscribe(event => {
    if (event.type === 'input.committed') call.first ||= event.itemId;
    if (event.type === 'context.dropped') {
      call.dropped += event.itemIds.length;
      if (event.itemIds.includes(call.first)) call.isKept = false;
    }
    if (event.type === 'response.text') call.said += event.delta;
    if (event.type === 'input.transcript') call.heard += event.delta;
    if (event.type === 'ended') call.ended = event.reason;
  });
  return call;
});
type Call = (typeof people)[number];

async function turn(textOf: (call: Call) => string, forMs: number): Promise<void> {
  for (const call of people) {
    [call.said, call.heard] = ['', ''];
    call.person.say(speech(textOf(call), call.voice));
  }
  await clock.runFor(forMs);
}

await clock.runFor(FIRST_MS);
const slotMs = (CALL_MS - FIRST_MS) / (turns + 2);
await turn(({ name }) => pick(TELLS).replace('{}', name), slotMs);
const told = people.map(({ heard, said }) => `${heard} → ${said}`);
for (let i = 0; i < turns; i++) {
  await turn(() => pick(TALK), slotMs);
  if (i % 20 === 19) console.error(`turn ${i + 1} of ${turns}, minute ${Math.round(clock.nowMs() / 60_000)}`);
}
await turn(() => pick(ASKS), slotMs);
let known = 0;
people.forEach((call, i) => {
  const knows = call.said.includes(call.name);
  known += knows ? 1 : 0;
  const left = `${call.dropped} items left the context, the first turn ${call.isKept ? 'not' : 'too'}`;
  const ended = call.ended && `, ended: ${call.ended}`;
  const answer = `${told[i]} … ${call.heard} → ${call.said}`;
  console.log(`${knows ? 'knows' : 'does not know'} ${call.name}: ${answer} (${left}${ended})`);
});
console.log(
  `${known} of ${calls} know the name, seed ${seed}, after ${turns} turns in ${CALL_MS / 60_000} minutes`,
);
for (const { session } of people) session.close('the call is over');
await clock.runFor(1000);
await house.close();
rmSync(directory, { recursive: true });
