/**
 * Frames of carriers, well-formed and then spoilt, at the doors that carriers come by, over connections in memory, in
 * virtual time; now and then a call that is well-formed must still be answered.
 */
import { createRandom, integer, type Random } from '../../actors/core/index.ts';
import { AsteriskSide } from '../../cli/fake-carrier/asterisk-side.ts';
import { GenesysSide } from '../../cli/fake-carrier/genesys-side.ts';
import { PlivoSide } from '../../cli/fake-carrier/plivo-side.ts';
import type { CarrierSide, Frame } from '../../cli/fake-carrier/side.ts';
import { StreamSide } from '../../cli/fake-carrier/stream-side.ts';
import { TwilioSide } from '../../cli/fake-carrier/twilio-side.ts';
import { VonageSide } from '../../cli/fake-carrier/vonage-side.ts';
import { asteriskDoor } from '../../protocols/asterisk/index.ts';
import { genesysDoor } from '../../protocols/genesys/index.ts';
import { exotelDoor, telnyxDoor } from '../../protocols/json-streams/index.ts';
import { plivoDoor } from '../../protocols/plivo/index.ts';
import { DEFAULT_DIGITS as digits } from '../../protocols/telephone/index.ts';
import { twilioDoor } from '../../protocols/twilio/index.ts';
import { vonageDoor } from '../../protocols/vonage/index.ts';
import { PhoneRig, PhoneWire } from '../support/phone-rig.ts';

export interface CarrierFuzzReport {
  frames: number;
  connections: number;
  calls: number;
  /** Why connections were closed. */
  closed: Record<string, number>;
  faults: string[];
  /** Well-formed calls that were not taken. */
  stuck: number;
  leftOver: number;
}

const ids = {
  streamSid: 'MZ1',
  callSid: 'CA1',
  accountSid: 'AC1',
  parameters: { instructions: 'Be brief.' },
};
const SIDES: readonly [string, () => CarrierSide][] = [
  ['/twilio', () => new TwilioSide(ids)],
  ['/telnyx', () => new StreamSide('telnyx')],
  ['/exotel', () => new StreamSide('exotel')],
  ['/plivo', () => new PlivoSide()],
  ['/vonage', () => new VonageSide()],
  ['/genesys', () => new GenesysSide()],
  ['/genesys', () => new GenesysSide(true)],
  ['/asterisk', () => new AsteriskSide('json')],
  ['/asterisk', () => new AsteriskSide('plain-text')],
];
const TOKENS = [
  'null',
  '-1',
  '1e999',
  '"',
  '{',
  '}',
  '[',
  ']',
  ',',
  '\0',
  '💥',
  '\\u0000',
  '9'.repeat(30),
  '{}',
  '""',
];
const FRAMES_A_CONNECTION = 60;
const PROBE_EVERY = 2000;

export async function fuzzCarriers(options: { seed: number; frames: number }): Promise<CarrierFuzzReport> {
  const random = createRandom(`carrier fuzz ${options.seed}`);
  const rig = new PhoneRig({ replies: [[{ text: 'One two.', frames: 4 }]] });
  await rig.openDoor(twilioDoor({ authToken: null, accountSid: null, publicUrl: null, digits }));
  await rig.openDoor(plivoDoor({ authToken: null, publicUrl: null, digits }));
  await rig.openDoor(genesysDoor({ clientSecret: null, publicUrl: null, digits }));
  for (const door of [asteriskDoor, telnyxDoor, exotelDoor, vonageDoor]) await rig.openDoor(door(digits));
  const report: CarrierFuzzReport = {
    ...{ frames: 0, connections: 0, calls: 0, closed: {}, faults: [], stuck: 0, leftOver: 0 },
  };
  let nextProbe = PROBE_EVERY;
  while (report.frames < options.frames) {
    await connection(rig, random, report);
    if (report.frames < nextProbe) continue;
    nextProbe += PROBE_EVERY;
    const [path, make] = SIDES[integer(random, SIDES.length)];
    const wire = rig.connect(path) as PhoneWire;
    for (const frame of make().opening()) wire.receive(frame);
    if (rig.runtime.sessions.size === 0) report.stuck += 1;
    wire.drop();
    keepFaults(rig, report);
  }
  await rig.clock.runFor(700_000);
  keepFaults(rig, report);
  report.leftOver = rig.runtime.sessions.size + rig.context.switchboard.entries().length;
  return report;
}

async function connection(rig: PhoneRig, random: Random, report: CarrierFuzzReport): Promise<void> {
  const [path, make] = SIDES[integer(random, SIDES.length)];
  const side = make();
  const wire = rig.connect(path);
  if (!(wire instanceof PhoneWire)) return void (report.stuck += 1);
  report.connections += 1;
  const frames: Frame[] = [...side.opening()];
  for (let n = 0; n < FRAMES_A_CONNECTION; n++) {
    const kind = integer(random, 10);
    if (kind < 6)
      frames.push(side.media(Buffer.alloc([160, 320, 0, 1, 4000][integer(random, 5)], integer(random, 256))));
    else if (kind === 6) frames.push(side.key('0123456789*#ABCDx'[integer(random, 17)]));
    else if (kind === 7) frames.push(side.marked(`m${integer(random, 9)}`));
    else if (kind === 8) frames.push(side.closing() ?? side.media(Buffer.alloc(160)));
    else frames.push(...side.opening());
  }
  const isSpoilt = random.next() < 0.9;
  for (const [n, frame] of frames.entries()) {
    if (wire.closed) break;
    report.frames += 1;
    const spoils = n === 0 && random.next() < 0.7 ? 0 : isSpoilt ? integer(random, 4) : 0;
    wire.receive(spoilt(frame, random, spoils));
    if (random.next() < 0.1) await rig.clock.runFor(integer(random, 60));
  }
  report.calls += rig.runtime.sessions.size;
  const { code, reason } = wire.closed ?? { code: 0, reason: 'dropped here' };
  const why = `${code} ${reason.replace(/\(.*|\d+/g, '')}`;
  report.closed[why] = (report.closed[why] ?? 0) + 1;
  wire.drop();
}

function spoilt(frame: Frame, random: Random, times: number): Frame {
  if (times === 0) return frame;
  if (typeof frame !== 'string') {
    const bytes = Buffer.from(frame);
    return random.next() < 0.5
      ? bytes.subarray(0, integer(random, bytes.length + 1))
      : bytes.toString('latin1');
  }
  let text = frame;
  for (let n = 0; n < times; n++) {
    const at = integer(random, text.length + 1);
    const until = Math.min(text.length, at + integer(random, 12));
    const kind = integer(random, 4);
    if (kind === 0) text = text.slice(0, at) + text.slice(until);
    else if (kind === 1)
      text = text.slice(0, at) + TOKENS[integer(random, TOKENS.length)] + text.slice(until);
    else if (kind === 2)
      text = text.slice(0, at) + text.slice(at, until).repeat(1 + integer(random, 50)) + text.slice(until);
    else text = withOtherValue(text, random);
  }
  return random.next() < 0.05 ? Buffer.from(text) : text;
}

/** One value of it is something else. */
function withOtherValue(text: string, random: Random): string {
  const values = [...text.matchAll(/:("[^"]*"|-?[\d.]+|\{[^{}]*\})/g)];
  if (values.length === 0) return text;
  const { index, 0: found } = values[integer(random, values.length)];
  const other = [...TOKENS, '"x"', '[[[]]]', 'true', '{"length":{}}', '0.5'][
    integer(random, TOKENS.length + 5)
  ];
  return `${text.slice(0, index)}:${other}${text.slice(index + found.length)}`;
}

function keepFaults({ logged }: PhoneRig, report: CarrierFuzzReport): void {
  for (const { text, values } of logged)
    if (/failed/.test(text)) report.faults.push(`${text} ${String((values as { err?: unknown }).err)}`);
  logged.length = 0;
}
