/**
 * The account of a telephone turn against what a caller's wire sees: packets, jitter buffer and all, to the
 * millisecond.
 */
import { describe, expect, it } from 'vitest';
import type { TurnTrace } from '../../actors/session-api.ts';
import { CODECS } from '../../protocols/media/index.ts';
import { parseRtp, rtpPacket } from '../../protocols/rtp/packet.ts';
import { PHONE, SipRig } from '../support/sip-phone.ts';

const PACKET_MS = 60;
const NETWORK_MS = 5;
/** From leaving us to the ear, as long as no report of RTCP says otherwise (`protocols/rtp/rtp-session.ts`). */
const TO_THE_EAR_MS = 60;
const SILENCE = Buffer.alloc(160, 0xff);

/**
 * A caller whose telephone has packets of 60 ms stops speaking so far into one of them. `lost`: of the packets behind
 * it, this one never comes. Returns the account and what the wire saw of the same.
 */
async function turn(spokenInPacketMs: number, lost: number | null) {
  const rig = await SipRig.open({
    replies: [[{ text: 'One two.', frames: 10 }]],
    costs: { languageModel: () => 7 },
  });
  const phone = await rig.phone();
  await phone.call();
  const { events } = rig.listen();
  let firstLeftMs: number | null = null;
  const socket = await rig.net.bind({ host: PHONE.host, port: 6000 }, bytes => {
    const packet = parseRtp(Buffer.from(bytes));
    if (packet && !packet.payload.equals(SILENCE)) firstLeftMs ??= rig.clock.nowMs() - NETWORK_MS;
  });
  const speechMs = 600 + spokenInPacketMs;
  const whole = new Float32Array(8 * 60 * PACKET_MS);
  whole.fill(0.1, 0, 8 * speechMs);
  const coded = CODECS['mu-law'].encode(whole);
  const beganMs = rig.clock.nowMs();
  for (let n = 0; n < 60; n++) {
    // It is sent when it is full.
    await rig.clock.runFor(PACKET_MS);
    const header = { payloadType: 0, marker: false, sequence: n, timestamp: n * PACKET_MS * 8, ssrc: 7 };
    const payload = coded.subarray(n * PACKET_MS * 8, (n + 1) * PACKET_MS * 8);
    if (lost === null || n !== 11 + lost) socket.send(rtpPacket(header, payload), phone.mediaAt());
  }
  const traces = events.flatMap(event => (event.type === 'turn.trace' ? [event.trace as TurnTrace] : []));
  await rig.close();
  const { waterfall } = traces[0];
  const spokenMs = beganMs + speechMs + NETWORK_MS;
  return {
    ms: new Map(waterfall!.entries.map(({ cause, ms }) => [cause, ms])),
    totalMs: waterfall!.totalMs,
    sumMs: waterfall!.entries.reduce((sum, { ms }) => sum + ms, 0),
    wireMs: firstLeftMs! + TO_THE_EAR_MS - spokenMs,
  };
}

describe('the account of a telephone turn', () => {
  it.each([20, 40, 60])('is what the wire saw, %i ms into a packet of 60', async spokenMs => {
    const { ms, sumMs, totalMs, wireMs } = await turn(spokenMs, null);
    expect(Math.abs(totalMs - wireMs)).toBeLessThanOrEqual(1);
    expect(Math.abs(sumMs - totalMs)).toBeLessThanOrEqual(1e-6);
    expect(ms.has('jitter buffer')).toBe(false);
  });

  it('names what a lost packet cost, whichever it was', async () => {
    const waits: number[] = [];
    for (let lost = 0; lost < 14; lost += 2) {
      const { ms, sumMs, totalMs, wireMs } = await turn(20, lost);
      expect(Math.abs(totalMs - wireMs), `packet ${lost}`).toBeLessThanOrEqual(1);
      expect(Math.abs(sumMs - totalMs)).toBeLessThanOrEqual(1e-6);
      waits.push(ms.get('jitter buffer') ?? 0);
    }
    // Most of them came before anything was decided; on one the decision hung.
    expect(Math.max(...waits)).toBeGreaterThanOrEqual(20);
    expect(Math.min(...waits)).toBe(0);
  });
});
