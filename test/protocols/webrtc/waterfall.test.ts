/**
 * The account of a turn over WebRTC against the timestamps of its packets: from the last sample of the caller's voice
 * to the first of the agent's, to the millisecond, whatever the network does in between.
 */
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../actors/core/index.ts';
import type { TurnTrace } from '../../../actors/session-api.ts';
import { RtcRig } from '../../support/rtc-rig.ts';

const SPOKEN_MS = 600;
const PACKET_MS = 20;
/** From a packet's time to the ear (`protocols/webrtc/voice-speaker.ts`). */
const TO_THE_EAR_MS = 60;
const CLOCK_HZ = 48_000;

/** `delayMs`: of each packet of the caller's, beyond the least; null: it is lost. */
async function turn(delayMs: (index: number) => number | null) {
  const rig = new RtcRig({
    ...{ replies: [[{ text: 'One two.', frames: 10 }]], costs: { languageModel: () => 7 } },
  });
  await rig.openDoor();
  const caller = await rig.call();
  const openedMs = rig.clock.nowMs();
  const traces: TurnTrace[] = [];
  const [session] = rig.runtime.sessions.values();
  session.events$.subscribe(event => void (event.type === 'turn.trace' && traces.push(event.trace)));
  const spokenMs = await caller.sayOver(SPOKEN_MS, 2000, delayMs);
  const [first] = caller.peer.voice;
  const { waterfall } = traces[0];
  return {
    ms: new Map(waterfall!.entries.map(({ cause, ms }) => [cause, ms])),
    sumMs: waterfall!.entries.reduce((sum, { ms }) => sum + ms, 0),
    wireMs: openedMs + (first.timestamp * 1000) / CLOCK_HZ + TO_THE_EAR_MS - spokenMs,
  };
}

describe('the account of a turn over WebRTC', () => {
  it('is what the timestamps say, on a line that takes nothing and always the same', async () => {
    const { ms, sumMs, wireMs } = await turn(() => 0);
    expect(Math.abs(sumMs - wireMs)).toBeLessThanOrEqual(1);
    expect(ms.has('uplink')).toBe(false);
    expect(ms.has('jitter buffer')).toBe(false);
  });

  it('names what a network took whose packets scatter', async () => {
    const uplinks: number[] = [];
    for (let seed = 1; seed <= 3; seed++) {
      const random = createRandom(seed);
      const { ms, sumMs, wireMs } = await turn(index => (index % 5 === 2 ? 0 : random.next() * 15));
      expect(Math.abs(sumMs - wireMs), `seed ${seed}`).toBeLessThanOrEqual(1);
      uplinks.push(ms.get('uplink') ?? 0);
    }
    expect(Math.max(...uplinks)).toBeGreaterThan(3);
    // Two silences decide, that the reply is begun and that it is said.
    expect(Math.max(...uplinks)).toBeLessThanOrEqual(2 * 15);
  });

  it('names what a lost packet cost, whichever it was', async () => {
    const waits: number[] = [];
    // The silence of 600 ms in which the turn ends is 30 packets.
    for (let lost = 0; lost < 30; lost += 3) {
      const gone = SPOKEN_MS / PACKET_MS + lost;
      const { ms, sumMs, wireMs } = await turn(index => (index === gone ? null : 0));
      expect(Math.abs(sumMs - wireMs), `packet ${lost}`).toBeLessThanOrEqual(1);
      waits.push(ms.get('jitter buffer') ?? 0);
    }
    expect(Math.max(...waits)).toBeGreaterThanOrEqual(PACKET_MS);
    expect(Math.min(...waits)).toBe(0);
  });
});
