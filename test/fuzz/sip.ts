/**
 * SIP messages, descriptions and RTP packets, well-formed and then spoilt, at the SIP door over a network in memory, in
 * virtual time. Calls come up, are asked things, and end between what is spoilt; now and then the door is asked whether
 * it still answers.
 */
import { createRandom, integer, type Random } from '../../actors/core/index.ts';
import { rtpPacket } from '../../protocols/rtp/packet.ts';
import { goodbye, report } from '../../protocols/rtp/rtcp.ts';
import { keyPackets } from '../../protocols/rtp/telephone-event.ts';
import { offer, opusOffer, PHONE, SERVER, type SipPhone, SipRig } from '../support/sip-phone.ts';

export interface SipFuzzReport {
  messages: number;
  packets: number;
  calls: number;
  answers: Record<string, number>;
  /** Errors that were ours. */
  faults: string[];
  /** Well-formed requests that nobody answered. */
  stuck: number;
  probes: number;
  /** Sockets and timers that were left over. */
  leftOver: number;
}

const METHODS = [
  'INVITE',
  'ACK',
  'BYE',
  'CANCEL',
  'OPTIONS',
  'INFO',
  'UPDATE',
  'REFER',
  'NOTIFY',
  'REGISTER',
  'X',
];
const TOKENS = [
  ...[
    '\r\n',
    '\r\n\r\n',
    '\0',
    ',',
    ';',
    '"',
    '<',
    '>',
    '@',
    ':',
    '=',
    '\\',
    ' ',
    '\t',
    'ÿ',
    '💥',
    '-1',
    '0',
    '4294967296',
  ],
  ...[
    '99999999999999999999',
    ';tag=',
    ';branch=z9hG4bK',
    'sip:',
    '%00',
    'SIP/2.0',
    'm=audio 0 RTP/AVP 0',
    'a=sendonly',
  ],
  ...[
    'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:',
    'a=rtpmap:0 ',
    'Content-Length: 99999',
    'c=IN IP4 0.0.0.0',
    'Via: ',
    'Require: x',
  ],
];
const PROBE_EVERY = 500;

export async function fuzzSip(options: { seed: number; messages: number }): Promise<SipFuzzReport> {
  const random = createRandom(`sip fuzz ${options.seed}`);
  const codecs = ['opus', 'g722', 'pcmu', 'pcma'] as const;
  const rig = await SipRig.open({}, { callsPerSecond: 1000, maxCalls: 30, codecs });
  const before = rig.net.open;
  const phones: SipPhone[] = [];
  for (let n = 0; n < 4; n++) phones.push(await rig.phone({ host: PHONE.host, port: PHONE.port + n }));
  const result: SipFuzzReport = {
    ...{ messages: 0, packets: 0, calls: 0, answers: {}, faults: [], stuck: 0, probes: 0, leftOver: 0 },
  };
  const sources = await rig.net.bind({ host: PHONE.host, port: 6000 }, () => {});
  while (result.messages + result.packets < options.messages) {
    const phone = phones[integer(random, phones.length)];
    phone.answers = random.next() < 0.7 ? said => phone.ok(said) : null;
    if (random.next() < 0.4) {
      const to = { host: SERVER.host, port: 20_000 + integer(random, 60) };
      sources.send(spoilt(packet(random), random, random.next() < 0.5 ? 0 : 1 + integer(random, 4)), to);
      result.packets++;
    } else {
      result.messages++;
      say(phone, random, result.messages);
    }
    if (random.next() < 0.3) await rig.clock.runFor(integer(random, 40));
    if ((result.messages + result.packets) % PROBE_EVERY === 0) await probe(rig, phones[0], result);
    for (const one of phones) tally(one, result);
  }
  rig.net.fate = () => [5];
  for (const phone of phones) phone.answers = said => phone.ok(said);
  await rig.close();
  await rig.clock.runFor(700_000);
  result.faults.push(...faultsOf(rig));
  sources.close();
  // The telephones' own, of which the door's is gone.
  result.leftOver = rig.net.open - phones.length - before + 1 + rig.runtime.sessions.size;
  return result;
}

function say(phone: SipPhone, random: Random, n: number): void {
  const fresh = random.next() < 0.3;
  if (fresh) {
    phone.callId = `call ${n}`;
    phone.branch = 100 * n;
    phone.sequence = 1;
    phone.tag = `t${n}`;
  }
  const method = fresh ? 'INVITE' : METHODS[integer(random, METHODS.length)];
  const lines = ['a=sendrecv', 'a=sendonly', 'a=inactive', 'a=rtcp-mux'][integer(random, 4)];
  const body =
    method === 'INVITE' || method === 'UPDATE'
      ? [
          offer({ lines }),
          offer({ lines, codecs: 'G722 PCMA' }),
          opusOffer({ lines, fmtp: 'useinbandfec=1;maxaveragebitrate=20000' }),
        ][integer(random, 3)]
      : '';
  const spoils = random.next() < 0.35 ? 0 : 1 + integer(random, 5);
  const raw = phone.raw.bind(phone);
  phone.raw = text => raw(spoilt(Buffer.from(text), random, spoils).toString('latin1'));
  try {
    if (fresh || random.next() < 0.2) phone.request(method, {}, body);
    else phone.within(method, method === 'NOTIFY' ? { Event: 'refer' } : {}, body);
  } catch {
    phone.request(method, {}, body); // Nothing was answered yet that it could stand in.
  } finally {
    phone.raw = raw;
  }
}

function packet(random: Random): Buffer {
  const header = {
    payloadType: [0, 8, 9, 13, 101, 77, 111][integer(random, 7)],
    marker: random.next() < 0.1,
    sequence: integer(random, 65_536),
    timestamp: integer(random, 2 ** 32),
    ssrc: integer(random, 3),
  };
  const kind = integer(random, 5);
  if (kind === 0) return report(integer(random, 9), 'x', null, []);
  if (kind === 1) return goodbye(1, 'x');
  if (kind === 2) return rtpPacket(header, keyPackets('5', 40, 8000)![0].payload);
  // Opus knows a packet by its bytes: most of these are some.
  if (header.payloadType === 111)
    return rtpPacket(
      header,
      Buffer.from(Array.from({ length: integer(random, 80) }, () => integer(random, 256))),
    );
  return rtpPacket(
    header,
    Buffer.alloc([0, 1, 160, 160, 161, 1400][integer(random, 6)], integer(random, 256)),
  );
}

/** Bytes turned, cut out, doubled, moved, and things put in that mean something. */
function spoilt(bytes: Buffer, random: Random, times: number): Buffer {
  let out = Buffer.from(bytes);
  for (let n = 0; n < times && out.length > 0; n++) {
    const at = integer(random, out.length);
    const length = 1 + integer(random, Math.min(40, out.length - at));
    const kind = integer(random, 6);
    if (kind === 0) out[at] = integer(random, 256);
    else if (kind === 1) out = Buffer.concat([out.subarray(0, at), out.subarray(at + length)]);
    else if (kind === 2) out = Buffer.concat([out.subarray(0, at + length), out.subarray(at)]);
    else if (kind === 3) out = Buffer.concat([out.subarray(0, at), token(random), out.subarray(at)]);
    else if (kind === 4) out = Buffer.concat([out.subarray(0, at), token(random), out.subarray(at + length)]);
    else out = Buffer.from(out.subarray(0, random.next() < 0.2 ? at : out.length));
  }
  return out;
}

function token(random: Random): Buffer {
  const text = TOKENS[integer(random, TOKENS.length)];
  return Buffer.from(random.next() < 0.05 ? text.repeat(1 + integer(random, 2000)) : text);
}

async function probe(rig: SipRig, phone: SipPhone, result: SipFuzzReport): Promise<void> {
  result.probes++;
  tally(phone, result);
  phone.request('OPTIONS', {
    Via: `SIP/2.0/UDP 10.0.0.2:5070;branch=z9hG4bK-probe${result.probes};rport`,
    To: '<sip:a@b>',
    'Call-ID': `probe ${result.probes}`,
  });
  await rig.clock.runFor(50);
  if (
    !phone.said.some(({ headers, status }) => status === 200 && headers.get('call-id')?.startsWith('probe'))
  )
    result.stuck++;
}

/** What was counted already. */
const counted = new WeakSet<object>();

function tally(phone: SipPhone, result: SipFuzzReport): void {
  for (const said of phone.said) {
    if (counted.has(said)) continue;
    counted.add(said);
    const { first, status } = said;
    if (status === 180) result.calls++;
    const name = status ? String(status) : first.split(' ')[0];
    result.answers[name] = (result.answers[name] ?? 0) + 1;
  }
  // The last answer is what later requests stand in.
  phone.said.splice(0, Math.max(0, phone.said.length - 20));
  phone.unanswered.length = 0;
}

function faultsOf(rig: SipRig): string[] {
  return rig.logged.flatMap(({ values, text }) => {
    const { err } = values as { err?: Error };
    return err ? [`${text} ${err.stack ?? err}`] : [];
  });
}
