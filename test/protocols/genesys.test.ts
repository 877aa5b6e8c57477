/** Genesys AudioHook beyond what all carriers are held to (carrier-conformance.test.ts). */
import { describe, expect, it } from 'vitest';
import { genesysHeaders, GenesysSide } from '../../cli/fake-carrier/genesys-side.ts';
import { genesysDoor } from '../../protocols/genesys/index.ts';
import { genesysSignature } from '../../protocols/genesys/signature.ts';
import { DEFAULT_DIGITS } from '../../protocols/telephone/index.ts';
import { PhoneRig, PhoneWire } from '../support/phone-rig.ts';

async function genesysRig() {
  const rig = new PhoneRig({ replies: [[{ text: 'One two three four five.', frames: 40 }]] });
  await rig.openDoor(genesysDoor({ clientSecret: null, publicUrl: null, digits: DEFAULT_DIGITS }));
  return rig;
}

describe('Genesys', () => {
  const SECRET = 'TXlTdXBlclNlY3JldEtleVRlbGxOby0xITJAMyM0JDU=';

  it('signs as its own documentation has it', () => {
    const values: Record<string, string> = {
      '@request-target': '/api/v1/voicebiometrics/ws',
      '@authority': 'audiohook.example.com',
      'audiohook-organization-id': 'd7934305-0972-4844-938e-9060eef73d05',
      'audiohook-session-id': '30b0e395-84d3-4570-ac13-9a62d8f514c0',
      'audiohook-correlation-id': 'e160e428-53e2-487c-977d-96989bf5c99d',
      'x-api-key': 'SGVsbG8sIEkgYW0gdGhlIEFQSSBrZXkh',
    };
    const names = Object.keys(values);
    const input =
      `(${names.map(name => `"${name}"`).join(' ')});keyid="SGVsbG8sIEkgYW0gdGhlIEFQSSBrZXkh";` +
      'nonce="VGhpc0lzQVVuaXF1ZU5vbmNl";alg="hmac-sha256";created=1641013200;expires=3282026430';
    const signature = genesysSignature(SECRET, { names, input, value: name => values[name] });
    expect(signature).toBe('NZBwyBHRRyRoeLqy1IzOa9VYBuI8TgMFt2GRDkDuJh4=');
  });

  it('comes in with its key and what it signed, once and for a few seconds', async () => {
    const rig = new PhoneRig({}, {}, ['akey']);
    await rig.openDoor(genesysDoor({ clientSecret: SECRET, publicUrl: null, digits: DEFAULT_DIGITS }));
    let n = 0;
    const at = { url: new URL('ws://localhost:8080/genesys'), key: 'akey', created: 0 };
    const headers = (over = {}) =>
      genesysHeaders(SECRET, { ...at, ...over, id: () => `0000-1111-2222-${n++}` });
    const good = headers();
    expect(rig.connect('/genesys', good)).toBeInstanceOf(PhoneWire);
    expect(rig.connect('/genesys', good)).toMatchObject({ status: 401 });
    const refused = [
      { ...headers(), 'x-api-key': 'another' },
      { ...headers(), 'audiohook-session-id': 'another' },
      { ...headers(), signature: 'sig1=:AAAA:' },
      { 'x-api-key': 'akey' },
      headers({ created: -31 }),
      headers({ created: 60 }),
      headers({ url: new URL('ws://elsewhere/genesys') }),
    ];
    for (const one of refused) expect(rig.connect('/genesys', one)).toMatchObject({ status: 401 });
  });

  it('is answered its questions, also where it only tries the connection, which is no call', async () => {
    const rig = await genesysRig();
    const wire = rig.connect('/genesys') as PhoneWire;
    const side = new GenesysSide();
    const [open] = side.opening();
    const probe = { ...JSON.parse(String(open)) };
    probe.parameters.conversationId = '00000000-0000-0000-0000-000000000000';
    wire.receive(JSON.stringify(probe));
    wire.receive(side.marked());
    wire.receive(side.closing());
    const said = wire.sent.map(frame => JSON.parse(String(frame)));
    expect(said.map(({ seq, type }) => [seq, type])).toEqual([
      [1, 'opened'],
      [2, 'pong'],
      [3, 'closed'],
    ]);
    expect(rig.runtime.sessions.size).toBe(0);
    expect(wire.closed?.code).toBe(1000);
  });

  it('throws away what waits when the caller speaks, and is told that the agent ends the call', async () => {
    const rig = await genesysRig();
    const caller = rig.call('/genesys', new GenesysSide(), { networkMs: 40 });
    await caller.say(600);
    await caller.silence(1500);
    await caller.say(800);
    expect(caller.call.clears).toBe(1);
    await caller.silence(200);
    expect(caller.call.queue.isPlaying).toBe(false);
    caller.session.close('enough');
    expect(JSON.parse(String(caller.wire.sent.at(-1)))).toMatchObject({ type: 'disconnect', clientseq: 1 });
    expect(caller.call.complaints).toEqual([]);
  });
});
