/** Listening in on a call, over the real door, with peers in memory. */
import { describe, expect, it } from 'vitest';
import { type MemoryPeer, OFFER, RtcRig } from '../../support/rtc-rig.ts';

const SDP = { 'content-type': 'application/sdp' };
const KEY = 'sk-secret';
const BEARER = { authorization: `Bearer ${KEY}` };

/** As a player offers: sound towards it, and no channel. */
const LISTENS = OFFER.split(/(?=^m=)/m)
  .filter(part => !part.startsWith('m=application') && !part.startsWith('m=video'))
  .join('')
  .replace('a=sendrecv', 'a=recvonly');

async function rigWithCall(keys: readonly string[] = []) {
  const rig = new RtcRig({ replies: [[{ text: 'One two three four five.', frames: 40 }]] }, {}, keys);
  await rig.openDoor();
  return rig;
}

const listen = async (rig: RtcRig, callId: string, headers = {}) => {
  const answer = await rig.request('POST', `/whep/${callId}`, { ...SDP, ...headers }, LISTENS);
  return { answer, peer: rig.peers.at(-1)!, location: answer.headers.location };
};

/** What sounds in the packets from one on, in milliseconds. */
const soundMs = (peer: MemoryPeer, from = 0) =>
  peer.voice.slice(from).filter(({ payload }) => payload[1] > 0).length * 20;

describe('listening in on a call', () => {
  it('hears the caller and the agent in one, every 20 ms, from when it came', async () => {
    const rig = await rigWithCall();
    const caller = await rig.call();
    const { answer, peer, location } = await listen(rig, caller.id);
    expect([answer.status, location]).toEqual([201, expect.stringMatching(`^/whep/${caller.id}/`)]);
    expect(peer.voice).toEqual([]);
    peer.listener.onConnected();
    await caller.say(600);
    const said = peer.voice.length;
    expect(soundMs(peer)).toBeGreaterThan(500);
    await caller.silence(3000);
    expect(caller.heardMs).toBeGreaterThan(1500);
    // Nothing of the answer is missing, and it is hardly later than at the caller's.
    expect(soundMs(peer, said)).toBeGreaterThanOrEqual(caller.heardMs - 40);
    const first = peer.voice.slice(said + 5).find(({ payload }) => payload[1] > 0)!;
    const begun = caller.peer.voice.find(({ payload }) => payload[1] > 0)!;
    expect(first.atMs - begun.atMs).toBeLessThanOrEqual(60);
    const gaps = peer.voice.slice(1).map(({ timestamp }, n) => timestamp - peer.voice[n].timestamp);
    expect(new Set(gaps)).toEqual(new Set([960]));

    expect((await rig.request('PATCH', location, SDP, LISTENS)).status).toBe(200);
    expect((await rig.request('DELETE', location)).status).toBe(200);
    expect(peer.closed).toBe(true);
    const heard = peer.voice.length;
    await caller.say(200);
    expect(peer.voice).toHaveLength(heard);
    expect((await rig.request('DELETE', location)).status).toBe(404);
    expect(caller.peer.closed).toBe(false);
  });

  it('is for whoever holds a key, at most eight at once, and not for callers', async () => {
    const rig = await rigWithCall([KEY]);
    const call = await rig.request('POST', '/v1/realtime/calls', { ...SDP, ...BEARER }, OFFER);
    const id = call.headers.location.split('/').at(-1)!;
    const value = rig.authentication.issueEphemeral({ type: 'realtime' }, 60_000);
    const status = async (headers: object, path = id, body = LISTENS) =>
      (await rig.request('POST', `/whep/${path}`, { ...SDP, ...headers }, body)).status;
    expect(await status({})).toBe(401);
    expect(await status({ authorization: `Bearer ${value}` })).toBe(401);
    expect(await status(BEARER, 'rtc_none')).toBe(404);
    expect(await status(BEARER, id, 'v=0\r\n')).toBe(400);
    for (let n = 0; n < 8; n++) expect(await status(BEARER)).toBe(201);
    expect(await status(BEARER)).toBe(400);
    expect((await rig.request('GET', `/whep/${id}`, BEARER)).status).toBe(405);
  });

  it('ends with the call, or where nothing comes of it for ten seconds', async () => {
    const rig = await rigWithCall();
    const caller = await rig.call();
    const [gone, never, here] = [
      await listen(rig, caller.id),
      await listen(rig, caller.id),
      await listen(rig, caller.id),
    ];
    gone.peer.listener.onConnected();
    here.peer.listener.onConnected();
    for (let second = 0; second < 21; second++) {
      await caller.silence(1000);
      here.peer.listener.onAlive();
    }
    expect([gone, never, here].map(({ peer }) => peer.closed)).toEqual([true, true, false]);
    await rig.request('DELETE', caller.location);
    expect(here.peer.closed).toBe(true);
  });
});
