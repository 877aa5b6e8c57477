/** Who may call at the SIP door: peers, passwords, and what strangers hear (docs/spec/sip.md §2). */
import { describe, expect, it } from 'vitest';
import { authorization, chooseChallenge, Gatekeeper } from '../../protocols/sip/digest.ts';
import { SipRig } from '../support/sip-phone.ts';

describe('who may call', () => {
  const STRANGER = { host: '203.0.113.9', port: 5060 };

  it('is a named peer; a stranger hears 403 a few times and then nothing, and what is no SIP hears nothing at all', async () => {
    const rig = await SipRig.open();
    const stranger = await rig.phone(STRANGER);
    for (let n = 0; n < 200; n++) {
      stranger.branch += 1;
      stranger.callId = `scan ${n}`;
      if (n % 2) stranger.request('OPTIONS');
      else stranger.invite();
    }
    await rig.clock.runFor(100);
    expect(stranger.said.length).toBe(20);
    expect(new Set(stranger.said.map(({ status }) => status))).toEqual(new Set([403]));
    stranger.raw('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    stranger.raw('INVITE sip:x SIP/2.0\r\nVia: nonsense\r\n\r\n');
    stranger.raw('x'.repeat(70_000));
    await rig.clock.runFor(2000);
    expect(stranger.said.length).toBe(20);
    expect(rig.runtime.sessions.size).toBe(0);
    await rig.close();
  });

  it.each(['MD5', 'SHA-256'])(
    'is who knows a password (%s), once for each nonce and count',
    async algorithm => {
      const rig = await SipRig.open({}, { users: [{ user: 'ann', password: 's3cret' }] });
      const phone = await rig.phone(STRANGER);
      const ask = async (credentials: string) => {
        phone.branch += 1;
        phone.sequence += 1;
        phone.invite({
          Contact: `<sip:ann@${STRANGER.host}>`,
          ...(credentials && { Authorization: credentials }),
        });
        await rig.clock.runFor(50);
        return phone.said.at(-1)!;
      };
      const challenged = await ask('');
      expect(challenged.status).toBe(401);
      const fields = challenged.headers.get('www-authenticate')!.split(/, (?=Digest)/);
      expect(fields).toHaveLength(2);
      const challenge = chooseChallenge(fields.filter(field => field.includes(`algorithm=${algorithm}`)))!;
      const uri = 'sip:agent@10.0.0.1';
      const answer = (password: string, count: number) =>
        authorization(challenge, { user: 'ann', password }, { method: 'INVITE', uri }, 'c0ffee', count);
      expect((await ask(answer('wrong', 1))).status).toBe(403);
      expect((await ask(answer('s3cret', 1))).status).toBe(200);
      const taken = phone.answer();
      phone.request('ACK', { To: taken.headers.get('to')! });
      phone.callId = 'replayed';
      const replayed = await ask(answer('s3cret', 1));
      expect(replayed.status).toBe(401);
      expect(replayed.headers.get('www-authenticate')).toContain('stale=true');
      await rig.close();
    },
  );

  it('asks no more of us than the limits: calls a second, and calls at once', async () => {
    const rig = await SipRig.open({}, { maxCalls: 3, callsPerSecond: 2 });
    const phone = await rig.phone();
    const dial = async (name: string) => {
      phone.callId = name;
      phone.branch += 100;
      phone.sequence = 1;
      phone.tag = name;
      await rig.clock.runFor(0);
      phone.invite();
      await rig.clock.runFor(20);
      const { status } = phone.said.at(-1)!;
      phone.request('ACK', { To: phone.said.at(-1)!.headers.get('to')! });
      return status;
    };
    expect([await dial('a'), await dial('b'), await dial('c')]).toEqual([200, 200, 503]);
    await rig.clock.runFor(1000);
    expect([await dial('d'), await dial('e')]).toEqual([200, 503]);
    expect(rig.runtime.sessions.size).toBe(3);
    await rig.close();
  });

  it('makes nonces that cannot be forged and grow old', () => {
    let nowMs = 1000;
    const keeper = new Gatekeeper('here', [{ user: 'a', password: 'b' }], Buffer.alloc(32, 1), () => nowMs);
    const answer = (nonce?: string) => {
      const challenge = chooseChallenge(keeper.challenges(false))!;
      const used = nonce === undefined ? challenge : { ...challenge, nonce };
      return [authorization(used, { user: 'a', password: 'b' }, { method: 'INVITE', uri: 'sip:x' }, 'c')];
    };
    const field = answer();
    expect(keeper.verdict('INVITE', [])).toBe('missing');
    expect(keeper.verdict('BYE', field)).toBe('wrong');
    expect(keeper.verdict('INVITE', answer('abc.def'))).toBe('stale');
    nowMs += 61_000;
    expect(keeper.verdict('INVITE', field)).toBe('stale');
    expect(keeper.verdict('INVITE', answer())).toBe('right');
    expect(keeper.verdict('INVITE', ['Digest realm="here", username="é", response="é", nonce="x"'])).toBe(
      'stale',
    );
  });
});
