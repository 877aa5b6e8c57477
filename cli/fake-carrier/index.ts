/** `longcat-rt fake-carrier`: a carrier's end of its protocol and a person who calls, for tests of a telephone door. */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../actors/core/clock.ts';
import { createRandom, RealClock, unixTimeMs } from '../../actors/core/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { bytesOfMs, CODECS, msOfBytes, resampleAll } from '../../protocols/media/index.ts';
import { plivoSignature } from '../../protocols/plivo/signature.ts';
import { twilioSignature } from '../../protocols/twilio/signature.ts';
import { mixed } from '../media/channels.ts';
import { checkOutput } from '../media/output.ts';
import { readSound } from '../media/sound.ts';
import { writeWav } from '../media/wav.ts';
import { AsteriskSide } from './asterisk-side.ts';
import { AudioSocketSide } from './audio-socket-side.ts';
import { FakeCall, FRAME_MS } from './fake-call.ts';
import type { Faults } from './faults.ts';
import { CarrierPerson } from './person.ts';
import { genesysHeaders, GenesysSide } from './genesys-side.ts';
import { PlivoSide } from './plivo-side.ts';
import type { CarrierSide } from './side.ts';
import { StreamSide } from './stream-side.ts';
import { TwilioSide } from './twilio-side.ts';
import { VonageSide } from './vonage-side.ts';
import { openTcpWire, openWire, type Wire } from './wire.ts';

export interface FakeCarrierOptions {
  readonly out?: string;
  readonly keys?: string;
  readonly interruptAfter?: number;
  readonly seed: string;
  readonly lose: number;
  readonly duplicate: number;
  readonly swap: number;
  readonly delay: number;
  readonly cut: number;
  readonly frames?: boolean;
  readonly json?: boolean;
}

interface Carrier {
  /** Of its door; absent: the address says it. */
  readonly path?: string;
  /** Plain TCP instead of a WebSocket. */
  readonly isTcp?: boolean;
  readonly subprotocol?: string;
  readonly side: (options: FakeCarrierOptions) => CarrierSide;
}

const numbered = (prefix: string) => `${prefix}${randomUUID().replaceAll('-', '')}`;
/** The carriers that can be played, with the path of their door. */
const CARRIERS: Readonly<Record<string, Carrier>> = {
  twilio: {
    path: '/twilio',
    side: () =>
      new TwilioSide({
        streamSid: numbered('MZ'),
        callSid: numbered('CA'),
        accountSid: process.env.LONGCAT_RT_TWILIO_ACCOUNT_SID ?? numbered('AC'),
        parameters: { from: '+15005550006', to: '+15005550001' },
      }),
  },
  telnyx: { path: '/telnyx', side: () => new StreamSide('telnyx') },
  exotel: { path: '/exotel', side: () => new StreamSide('exotel') },
  plivo: { path: '/plivo', side: () => new PlivoSide() },
  vonage: { path: '/vonage', side: () => new VonageSide() },
  genesys: { path: '/genesys', side: () => new GenesysSide() },
  'genesys-stereo': { path: '/genesys', side: () => new GenesysSide(true) },
  asterisk: { path: '/asterisk', subprotocol: 'media', side: () => new AsteriskSide('json') },
  'asterisk-plain': { path: '/asterisk', subprotocol: 'media', side: () => new AsteriskSide('plain-text') },
  audiosocket: { isTcp: true, side: () => new AudioSocketSide(randomUUID()) },
  'asterisk-wide': {
    path: '/asterisk',
    subprotocol: 'media',
    side: () => new AsteriskSide('json', 'slin16'),
  },
};

const CHECK_EVERY_MS = 50;
/** A shorter silence does not end what the agent says. */
const HOLE_MS = 200;

export async function fakeCarrier(
  name: string,
  address: string,
  files: readonly string[],
  options: FakeCarrierOptions,
): Promise<void> {
  const carrier = CARRIERS[name];
  if (!carrier) {
    const remedy = `Give one of ${Object.keys(CARRIERS).join(', ')}.`;
    throw new RuntimeError('cli.option', 'There is no such carrier.', { carrier: name }, remedy);
  }
  if (options.out) checkOutput(options.out, files);
  const side = carrier.side(options);
  const utterances: Buffer[] = [];
  for (const file of files) utterances.push(await inFormat(file, side));
  const report = new Report(options.json ?? false, new RealClock());
  const line = new CarrierWire(report);
  const url = addressOf(address, carrier.path);
  const open = carrier.isTcp ? openTcpWire : openWire;
  const wire = await open({
    url,
    subprotocol: carrier.subprotocol,
    signature: signatureOf(name, url),
    key: process.env.LONGCAT_RT_KEY,
    onFrame: frame => line.call?.receive(frame),
    onClose: (code, reason) => line.close(`the server closed with ${code}${reason && ` (${reason})`}`),
  });
  report.note(`calling ${url} as ${name}`);
  const call = await line.hold(side, wire, files, utterances, options);
  if (options.out) {
    const heard = CODECS[side.format.codec].decode(Buffer.concat(call.queue.ear));
    writeWav(options.out, { samples: heard, sampleRate: side.format.rateHz });
  }
  report.finish(call, side);
  if (call.complaints.length > 0 || line.closed !== null) process.exitCode = 1;
}

/** The call from its first frame to its last. */
class CarrierWire {
  call: FakeCall | null = null;
  /** How the server ended it. */
  closed: string | null = null;
  readonly #report: Report;
  #agentSpeaks = false;
  #silentMs = HOLE_MS;

  constructor(report: Report) {
    this.#report = report;
  }

  close(reason: string): void {
    this.closed = reason;
    this.call?.stop();
  }

  async hold(
    side: CarrierSide,
    wire: Wire,
    files: readonly string[],
    utterances: readonly Buffer[],
    options: FakeCarrierOptions,
  ): Promise<FakeCall> {
    const report = this.#report;
    const { clock } = report;
    const person = new CarrierPerson({
      utterances,
      frameBytes: bytesOfMs(side.format, FRAME_MS),
      keys: options.keys ?? '',
      interruptAfterMs: options.interruptAfter ?? null,
      onSpeaks: n => {
        const ms = Math.round(msOfBytes(side.format, utterances[n].length));
        report.note(`the caller says ${files[n]} (${ms} ms)`);
      },
      onKey: key => {
        report.note(`the caller presses ${key}`);
        this.call?.press(key);
      },
    });
    const call = new FakeCall({
      ...{ side, clock, random: createRandom(options.seed), faults: faultsOf(options) },
      send: frame => wire.send(frame),
      speech: () => person.next(this.#agentIsHeard()),
      onComplaint: text => report.note(`against the protocol: ${text}`),
      ...(options.frames && { onFrame: (way, frame) => report.frame(way, frame) }),
    });
    this.call = call;
    while (!person.isDone && !call.isHungUp)
      await new Promise<void>(resolve => clock.setTimer(CHECK_EVERY_MS, resolve));
    call.hangUp();
    wire.close();
    report.note(this.closed ?? 'the caller hangs up');
    return call;
  }

  #agentIsHeard(): boolean {
    this.#silentMs = this.call?.queue.isPlaying ? 0 : this.#silentMs + FRAME_MS;
    const speaks = this.#silentMs < HOLE_MS;
    if (speaks !== this.#agentSpeaks) this.#report.note(speaks ? 'the agent speaks' : 'the agent is silent');
    this.#agentSpeaks = speaks;
    return speaks;
  }
}

async function inFormat(file: string, { format }: CarrierSide): Promise<Buffer> {
  const { samples, sampleRate } = mixed(await readSound(file, process.stdin));
  return CODECS[format.codec].encode(resampleAll(samples, sampleRate, format.rateHz));
}

function signatureOf(carrier: string, url: string): Record<string, string> {
  const { LONGCAT_RT_TWILIO_AUTH_TOKEN: twilio, LONGCAT_RT_PLIVO_AUTH_TOKEN: plivo } = process.env;
  if (carrier === 'twilio' && twilio !== undefined)
    return { 'x-twilio-signature': twilioSignature(twilio, url) };
  if (carrier.startsWith('genesys')) return signedByGenesys(url);
  if (carrier !== 'plivo' || plivo === undefined) return {};
  const nonce = randomUUID();
  const [bare, query = ''] = url.split('?');
  const signature = plivoSignature(plivo, { url: bare, nonce, query: new URLSearchParams(query) });
  return { 'x-plivo-signature-v3': signature, 'x-plivo-signature-v3-nonce': nonce };
}

function signedByGenesys(url: string): Record<string, string> {
  const { LONGCAT_RT_GENESYS_CLIENT_SECRET: secret, LONGCAT_RT_KEY: key = 'none' } = process.env;
  if (secret === undefined) return { 'x-api-key': key };
  return genesysHeaders(secret, {
    url: new URL(url),
    key,
    created: Math.floor(unixTimeMs() / 1000),
    id: randomUUID,
  });
}

function addressOf(address: string, path = '/'): string {
  const url = new URL(/^[a-z]+:\/\//i.test(address) ? address.replace(/^http/i, 'ws') : `ws://${address}`);
  if (url.pathname === '/') url.pathname = path;
  return url.toString();
}

function faultsOf({ lose, duplicate, swap, delay, cut }: FakeCarrierOptions): Faults {
  const share = (percent: number) => percent / 100;
  return {
    lose: share(lose),
    duplicate: share(duplicate),
    swap: share(swap),
    delay: share(delay),
    cut: share(cut),
  };
}

/** What happened, as it happens, and the sum of it. */
class Report {
  readonly #json: boolean;
  readonly clock: Clock;
  readonly #events: { readonly atMs: number; readonly event: string }[] = [];

  constructor(json: boolean, clock: Clock) {
    this.#json = json;
    this.clock = clock;
  }

  note(event: string): void {
    const atMs = Math.round(this.clock.nowMs());
    this.#events.push({ atMs, event });
    if (!this.#json) console.log(`${(atMs / 1000).toFixed(2).padStart(7)} s  ${event}`);
  }

  frame(way: 'in' | 'out', frame: string | Uint8Array): void {
    const shown = typeof frame === 'string' ? frame.slice(0, 160) : `${frame.length} bytes`;
    console.error(`${way === 'in' ? '◄' : '►'} ${shown}`);
  }

  finish({ queue, marks, clears, complaints }: FakeCall, { format }: CarrierSide): void {
    const ms = (bytes: number) => Math.round(msOfBytes(format, bytes));
    const sums = {
      playedMs: ms(queue.played),
      clearedMs: ms(queue.cleared),
      underruns: queue.underruns,
      marks,
      clears,
    };
    if (this.#json) console.log(JSON.stringify({ ...sums, complaints, events: this.#events }, null, 2));
    else {
      console.log(
        `Heard ${sums.playedMs} ms of the agent, ${sums.clearedMs} ms thrown away by ${clears} clears, ` +
          `${sums.underruns} gaps, ${marks} marks, ${complaints.length} complaints.`,
      );
    }
  }
}
