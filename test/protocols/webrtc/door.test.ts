import { describe, expect, it } from 'vitest';
import { OFFER, RtcRig } from '../../support/rtc-rig.ts';

const KEY = 'sk-secret';
const SDP = { 'content-type': 'application/sdp' };
const WITH_KEY = { ...SDP, authorization: `Bearer ${KEY}` };
const CALLS = '/v1/realtime/calls';

async function doorRig(keys: readonly string[] = []) {
  const rig = new RtcRig({ replies: [[{ text: 'One.', frames: 4 }]] }, {}, keys);
  await rig.openDoor();
  return rig;
}

const codeOf = ({ body }: { body: string | Buffer }) => JSON.parse(String(body)).error.code;

async function form(fields: Record<string, string>) {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.set(name, value);
  const request = new Request('http://x/', { method: 'POST', body: data });
  return {
    headers: { 'content-type': request.headers.get('content-type') ?? '' },
    body: Buffer.from(await request.arrayBuffer()),
  };
}

describe('the door for WebRTC', () => {
  it('answers an offer with 201, the address of the call and a description of one Opus and VP8', async () => {
    const rig = await doorRig();
    const answer = await rig.request('POST', CALLS, SDP, OFFER);
    expect(answer.status).toBe(201);
    expect(answer.headers['content-type']).toBe('application/sdp');
    expect(answer.headers.location).toMatch(/^\/v1\/realtime\/calls\/rtc_[0-9a-f]{32}$/);
    expect(String(answer.body)).toContain('m=audio 9 UDP/TLS/RTP/SAVPF 63 111 110\r\n');
    expect(String(answer.body)).toContain('m=video 9 UDP/TLS/RTP/SAVPF 96\r\n');
    expect(String(answer.body)).toContain('a=fmtp:111 minptime=10;useinbandfec=1;stereo=0\r\n');
  });

  it('takes a form with a session, as the first thing that the session knows', async () => {
    const rig = await doorRig();
    const session = { type: 'realtime', instructions: 'Be brief.' };
    const { headers, body } = await form({ sdp: OFFER, session: JSON.stringify(session) });
    expect((await rig.request('POST', CALLS, headers, body)).status).toBe(201);
    rig.peers[0].listener.onChannel();
    expect(rig.peers[0].texts[0]).toMatchObject({ type: 'session.created', session });
  });

  it('gives an ephemeral key its own session, and lets it attach to none', async () => {
    const rig = await doorRig([KEY]);
    const ephemeral = rig.authentication.issueEphemeral({ type: 'realtime', instructions: 'Count.' }, 60_000);
    const headers = { ...SDP, authorization: `Bearer ${ephemeral}` };
    expect((await rig.request('POST', CALLS, headers, OFFER)).status).toBe(201);
    rig.peers[0].listener.onChannel();
    expect(rig.peers[0].texts[0]).toMatchObject({ session: { instructions: 'Count.' } });
  });

  it('refuses with a code, and opens nothing', async () => {
    const rig = await doorRig([KEY]);
    const refused = async (headers: Record<string, string>, body: string | Buffer, method = 'POST') => {
      const answer = await rig.request(method, CALLS, headers, body);
      return [answer.status, codeOf(answer)];
    };
    expect(await refused(SDP, OFFER)).toEqual([401, 'missing_api_key']);
    expect(await refused({ ...WITH_KEY, authorization: 'Bearer no' }, OFFER)).toEqual([
      401,
      'invalid_api_key',
    ]);
    expect(await refused(WITH_KEY, OFFER, 'GET')).toEqual([405, 'method_not_allowed']);
    expect(await refused(WITH_KEY, '')).toEqual([400, 'bad_offer']);
    expect(await refused(WITH_KEY, 'v=0\r\n')).toEqual([400, 'bad_offer']);
    expect(await refused(WITH_KEY, `${OFFER}${'a=x:1\r\n'.repeat(10_000)}`)).toEqual([400, 'bad_offer']);
    expect(await refused({ ...WITH_KEY, 'content-type': 'text/plain' }, OFFER)).toEqual([
      415,
      'unsupported_media_type',
    ]);
    const type = { ...WITH_KEY, 'content-type': 'multipart/form-data; boundary=x' };
    expect(await refused(type, 'no form')).toEqual([400, 'bad_form']);
    const without = await form({ session: '{}' });
    expect(await refused({ ...WITH_KEY, ...without.headers }, without.body)).toEqual([400, 'no_sdp']);
    const broken = await form({ sdp: OFFER, session: '{"instructions": 1}' });
    expect(await refused({ ...WITH_KEY, ...broken.headers }, broken.body)).toEqual([400, 'invalid_value']);
    const origin = { ...WITH_KEY, origin: 'https://elsewhere.example' };
    expect(await refused(origin, OFFER)).toEqual([403, 'origin_not_allowed']);
    expect(rig.runtime.sessions.size).toBe(0);
    expect(rig.peers.every(({ closed }) => closed)).toBe(true);
  });

  it('refuses when all places are taken', async () => {
    const rig = new RtcRig({ replies: [], limits: { maxSessions: 1 } });
    await rig.openDoor();
    await rig.call();
    const answer = await rig.request('POST', CALLS, SDP, OFFER);
    expect([answer.status, codeOf(answer)]).toEqual([503, 'runtime_full']);
  });

  it('is a WHIP endpoint as well (RFC 9725): address, trickle, end', async () => {
    const rig = await doorRig();
    const offer = OFFER.split(/(?=^m=)/m)
      .filter(section => !section.startsWith('m=application'))
      .join('');
    const caller = await rig.call('/whip', offer);
    expect(caller.location).toMatch(/^\/whip\/rtc_/);
    const fragment = [
      `${/a=ice-ufrag:.*/.exec(offer)![0]}`,
      'm=audio 9 RTP/AVP 0',
      'a=mid:0',
      'a=candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host',
      'a=candidate:2 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active',
      'a=candidate:3 1 udp 2130706431 host.local 5001 typ host',
    ].join('\r\n');
    const type = { 'content-type': 'application/trickle-ice-sdpfrag' };
    expect((await rig.request('PATCH', caller.location, type, fragment)).status).toBe(204);
    // Over UDP and to an address; nothing is looked up or dialled for a caller.
    expect(caller.peer.candidates).toEqual(['candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host']);
    await rig.request('PATCH', caller.location, type, fragment.repeat(100));
    expect(caller.peer.candidates).toHaveLength(32);
    // Another name: ICE restarts. What comes for the one before is refused.
    const tag = { ...type, 'if-match': '"other"' };
    expect((await rig.request('PATCH', caller.location, tag, fragment)).status).toBe(412);
    const anew = `a=ice-ufrag:anew\r\na=ice-pwd:${'p'.repeat(22)}\r\n${fragment}`;
    const restarted = await rig.request('PATCH', caller.location, { ...type, 'if-match': '*' }, anew);
    expect([restarted.status, restarted.headers.etag]).toEqual([200, '"anew"']);
    expect(String(restarted.body)).toMatch(/^a=ice-ufrag:anew\r\na=ice-pwd:p+\r\nm=audio [\s\S]*a=mid:0\r\n/);
    expect(caller.peer.offers.at(-1)!.match(/^a=ice-ufrag:.*$/gm)).toEqual([
      'a=ice-ufrag:anew',
      'a=ice-ufrag:anew',
    ]);
    expect(caller.peer.offers).toHaveLength(2);
    // Asked again, the same answer; a candidate that overtakes its restart is none.
    const again = await rig.request('PATCH', caller.location, { ...type, 'if-match': '*' }, anew);
    expect([again.status, String(again.body)]).toEqual([200, String(restarted.body)]);
    const early = anew.replace('anew', 'next');
    const kept = { ...type, 'if-match': '"anew"' };
    expect((await rig.request('PATCH', caller.location, kept, early)).status).toBe(204);
    expect(caller.peer.offers).toHaveLength(2);
    expect((await rig.request('PATCH', caller.location, SDP, offer)).status).toBe(200);
    expect(caller.peer.offers).toHaveLength(3);
    for (let n = 2; n < 200; n++) await rig.request('PATCH', caller.location, SDP, offer);
    const tooOften = await rig.request('PATCH', caller.location, SDP, offer);
    expect([tooOften.status, String(tooOften.body)]).toEqual([
      400,
      expect.stringContaining('too_many_changes'),
    ]);
    expect(caller.peer.offers).toHaveLength(201);
    await caller.say(600);
    await caller.silence(2000);
    expect(caller.heardMs).toBeGreaterThan(0);
    expect((await rig.request('DELETE', caller.location)).status).toBe(200);
    expect(rig.runtime.sessions.size).toBe(0);
    expect((await rig.request('OPTIONS', '/whip')).status).toBe(204);
  });
});
