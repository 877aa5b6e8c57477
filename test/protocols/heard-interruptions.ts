/**
 * Random interruptions on telephone lines, each against what the simulated far end really played: what the ledger takes
 * for heard, and the words that the conversation would keep of it. The doors' dialects and speaker, in virtual time.
 * `npx tsx test/protocols/heard-interruptions.ts 100000 1` goes on from the first seed and prints what it saw.
 */
import { fileURLToPath } from 'node:url';
import { createRandom, integer, type Random, VirtualClock } from '../../actors/core/index.ts';
import { HeardLedger, PlayOut } from '../../actors/play-out/index.ts';
import { AsteriskSide } from '../../cli/fake-carrier/asterisk-side.ts';
import { AudioSocketSide } from '../../cli/fake-carrier/audio-socket-side.ts';
import { FakeCall } from '../../cli/fake-carrier/fake-call.ts';
import { GenesysSide } from '../../cli/fake-carrier/genesys-side.ts';
import { PlivoSide } from '../../cli/fake-carrier/plivo-side.ts';
import type { CarrierSide, Frame } from '../../cli/fake-carrier/side.ts';
import { StreamSide } from '../../cli/fake-carrier/stream-side.ts';
import { TwilioSide } from '../../cli/fake-carrier/twilio-side.ts';
import { VonageSide } from '../../cli/fake-carrier/vonage-side.ts';
import { AudioSocketDialect } from '../../protocols/asterisk/audio-socket-dialect.ts';
import { AsteriskDialect } from '../../protocols/asterisk/websocket-dialect.ts';
import { GenesysDialect } from '../../protocols/genesys/genesys-dialect.ts';
import { TELNYX } from '../../protocols/json-streams/carriers.ts';
import { StreamDialect } from '../../protocols/json-streams/stream-dialect.ts';
import { bytesOfMs } from '../../protocols/media/index.ts';
import { PlivoDialect } from '../../protocols/plivo/plivo-dialect.ts';
import { RtpSender } from '../../protocols/rtp/sender.ts';
import {
  type CarrierEvent,
  type Dialect,
  LineSpeaker,
  type PhoneLine,
} from '../../protocols/telephone/index.ts';
import { TwilioDialect } from '../../protocols/twilio/twilio-dialect.ts';
import { VonageDialect } from '../../protocols/vonage/vonage-dialect.ts';

const RATE_HZ = 24_000;
const WARM_UP_MS = 300;
/** A word of the reply takes so long; it counts as kept when all of its sound was counted. */
const WORD_MS = 240;

type Kind = 'twilio' | 'telnyx' | 'plivo' | 'asterisk' | 'vonage' | 'genesys' | 'audiosocket' | 'sip';
const KINDS: readonly Kind[] = [
  ...(['twilio', 'telnyx', 'plivo', 'asterisk', 'vonage', 'genesys', 'audiosocket', 'sip'] as const),
];

/** Of one kind of line, over all interruptions, in milliseconds. */
export interface KindSeen {
  interruptions: number;
  /** Counted, though not played even until the far end had stopped. */
  worstOverMs: number;
  /** Played when the agent was stopped, as far as could have been told by then, and not counted. */
  worstUnderMs: number;
  /** Kept, and not one sample of it was ever played. */
  unheardWords: number;
}

export const nothingSeen = (): Record<Kind, KindSeen> =>
  Object.fromEntries(
    KINDS.map(kind => [kind, { interruptions: 0, worstOverMs: 0, worstUnderMs: 0, unheardWords: 0 }]),
  ) as Record<Kind, KindSeen>;

const ids = { streamSid: 'MZ1', callSid: 'CA1', accountSid: 'AC1', parameters: {} };
const CARRIERS: Readonly<Record<Exclude<Kind, 'sip'>, [() => CarrierSide, () => Dialect]>> = {
  twilio: [() => new TwilioSide(ids), () => new TwilioDialect()],
  telnyx: [() => new StreamSide('telnyx'), () => new StreamDialect(TELNYX)],
  plivo: [() => new PlivoSide(), () => new PlivoDialect()],
  asterisk: [() => new AsteriskSide('json'), () => new AsteriskDialect()],
  vonage: [() => new VonageSide(8000), () => new VonageDialect()],
  genesys: [() => new GenesysSide(), () => new GenesysDialect()],
  audiosocket: [
    () => new AudioSocketSide('00000000-0000-4000-8000-000000000001'),
    () => new AudioSocketDialect(),
  ],
};

interface FarEnd {
  readonly clock: VirtualClock;
  readonly speaker: LineSpeaker;
  /** That reached the ear. */
  readonly playedMs: () => number;
}

/** A carrier's call, whose line our speaker has. */
function carrierEnd(kind: Exclude<Kind, 'sip'>, random: Random, wayMs: number): FarEnd {
  const clock = new VirtualClock();
  const [makeSide, makeDialect] = CARRIERS[kind];
  const [side, dialect] = [makeSide(), makeDialect()];
  const holder: { speaker: LineSpeaker | null; call: FakeCall | null } = { speaker: null, call: null };
  const waiting: Frame[] = [];
  const down = (frame: Frame) => {
    const copy = typeof frame === 'string' ? frame : Buffer.from(frame);
    if (holder.call) holder.call.receive(copy);
    else waiting.push(copy);
  };
  dialect.attach?.(down);
  const take = (event: CarrierEvent): void => {
    if (event.type === 'start') {
      holder.speaker = new LineSpeaker(
        dialect.line(event.start, down, () => {}),
        dialect.pace,
        clock,
      );
      if (event.first) take(event.first);
    } else if (event.type === 'mark') holder.speaker?.marked(event.name);
  };
  const call = new FakeCall({
    ...{ side, clock, random, networkMs: wayMs, speech: () => null },
    send: frame =>
      take(typeof frame === 'string' ? dialect.text(frame) : dialect.binary!(Buffer.from(frame))),
  });
  holder.call = call;
  for (const frame of waiting) call.receive(frame);
  clock.runForSync(WARM_UP_MS);
  if (!holder.speaker) throw new Error(`${kind} began no call.`);
  const perMs = bytesOfMs(side.format, 1);
  return { clock, speaker: holder.speaker, playedMs: () => call.queue.played / perMs };
}

/** RTP by the wheel, to an ear whose distance reports have told. */
function sipEnd(random: Random, wayMs: number): FarEnd {
  const clock = new VirtualClock();
  let playedMs = 0;
  const holder: { speaker: LineSpeaker | null } = { speaker: null };
  const sender = new RtpSender(
    {
      random,
      onMark: (name, atMs) => holder.speaker?.marked(name, atMs),
      write: packet => {
        // After its way, and the buffer at the far end; silence is no sound of ours.
        const isSound = packet.subarray(12).some(byte => byte !== 0xff);
        if (isSound) clock.setTimer(wayMs + 40 + 20, () => void (playedMs += 20));
      },
    },
    wayMs + 40,
  );
  const format = { codec: 'mu-law', rateHz: 8000 } as const;
  sender.use(0, { format, clockRateHz: 8000 }, null);
  const tick = (dueAtMs: number): void => {
    sender.tick(dueAtMs, clock.nowMs(), true);
    clock.setTimer(20, () => tick(dueAtMs + 20));
  };
  tick(0);
  const line: PhoneLine = {
    format,
    play: frame => sender.play(frame),
    mark: name => sender.mark(name, clock.nowMs()),
    clear: () => sender.clear(),
    hangUp() {},
  };
  holder.speaker = new LineSpeaker(line, { frameMs: 20, leadMs: 60, latencyMs: 80 }, clock);
  clock.runForSync(WARM_UP_MS);
  return { clock, speaker: holder.speaker, playedMs: () => playedMs };
}

/** One reply, made faster than it plays, in pieces, and stopped at any moment. */
export function interruption(seed: number, seen: Record<Kind, KindSeen>): readonly string[] {
  const random = createRandom(`interruption ${seed}`);
  const kind = KINDS[seed % KINDS.length];
  const wayMs = 5 + integer(random, 96);
  const { clock, playedMs, speaker } =
    kind === 'sip' ? sipEnd(random, wayMs) : carrierEnd(kind, random, wayMs);
  const ledger = new HeardLedger(clock, RATE_HZ, speaker.latencyMs);
  speaker.played$.subscribe(({ itemId, samples, atMs }) => ledger.report(itemId, samples, atMs));
  const playOut = new PlayOut({
    clock,
    ledger,
    speaker,
    sampleRate: RATE_HZ,
    reportGraceMs: 2000,
    emit() {},
  });
  playOut.openGate();
  const lengthMs = 600 + integer(random, 2400);
  for (let madeMs = 0; madeMs < lengthMs; ) {
    const pieceMs = Math.min(lengthMs - madeMs, 60 + integer(random, 400));
    playOut.add('a', new Float32Array((pieceMs * RATE_HZ) / 1000).fill(0.3));
    madeMs += pieceMs;
    clock.runForSync(integer(random, Math.max(1, pieceMs - 20)));
  }
  playOut.finish('a');
  clock.runForSync(integer(random, lengthMs));
  const heardMs = (ledger.freeze('a') * 1000) / RATE_HZ;
  const atStopMs = playedMs();
  playOut.clear();
  clock.runForSync(2 * wayMs + 500);
  const inAllMs = Math.min(lengthMs, playedMs());
  return judge(seen[kind], { seed, kind, wayMs, heardMs, atStopMs: Math.min(lengthMs, atStopMs), inAllMs });
}

interface Found {
  readonly seed: number;
  readonly kind: Kind;
  readonly wayMs: number;
  readonly heardMs: number;
  readonly atStopMs: number;
  readonly inAllMs: number;
}

function judge(seen: KindSeen, found: Found): readonly string[] {
  const { atStopMs, heardMs, inAllMs, kind, wayMs } = found;
  const isPaced = kind === 'vonage' || kind === 'genesys' || kind === 'audiosocket';
  // What a mark tells is as old as its way; by the clock nothing is told at all, and the way is what is not known.
  const overMs = Math.max(0, heardMs - inAllMs);
  const underMs = Math.max(0, atStopMs - (isPaced || kind === 'sip' ? 0 : wayMs) - heardMs);
  seen.interruptions += 1;
  seen.worstOverMs = Math.max(seen.worstOverMs, overMs);
  seen.worstUnderMs = Math.max(seen.worstUnderMs, underMs);
  const kept = Math.floor(heardMs / WORD_MS);
  const unheard = Math.max(0, kept - Math.ceil(inAllMs / WORD_MS));
  seen.unheardWords += unheard;
  return unheard > 0 ? [`seed ${found.seed}: ${JSON.stringify(found)}`] : [];
}

async function main(wanted: number, first: number): Promise<void> {
  const seen = nothingSeen();
  const broken: string[] = [];
  for (let n = 0; n < wanted; n++) broken.push(...interruption(first + n, seen));
  for (const [kind, one] of Object.entries(seen)) console.log(kind.padEnd(12), JSON.stringify(one));
  for (const line of broken.slice(0, 20)) console.log(line);
  process.exitCode = broken.length === 0 ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await main(Number(process.argv[2] ?? 1000), Number(process.argv[3] ?? 1));
