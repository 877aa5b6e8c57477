import { describe, expect, it } from 'vitest';
import { TwilioSide } from '../../cli/fake-carrier/twilio-side.ts';
import { DEFAULT_DIGITS } from '../../protocols/telephone/index.ts';
import { type TwilioOptions, twilioDoor } from '../../protocols/twilio/index.ts';
import { twilioSignature } from '../../protocols/twilio/signature.ts';
import { PhoneRig, PhoneWire } from '../support/phone-rig.ts';

const TOKEN = 'an auth token';

async function rigWith(options: Partial<TwilioOptions> = {}, keys: readonly string[] = []) {
  const rig = new PhoneRig({}, {}, keys);
  const given = { authToken: TOKEN, accountSid: null, publicUrl: null, digits: DEFAULT_DIGITS, ...options };
  await rig.openDoor(twilioDoor(given));
  return rig;
}
const signed = (url: string, form: URLSearchParams | null = null) => ({
  'x-twilio-signature': twilioSignature(TOKEN, url, form),
});

describe('Twilio’s signature', () => {
  // The example of twilio-node's own tests.
  it('is that of Twilio’s libraries', () => {
    const form = new URLSearchParams({
      CallSid: 'CA1234567890ABCDE',
      Caller: '+14158675309',
      Digits: '1234',
      From: '+14158675309',
      To: '+18005551212',
    });
    expect(twilioSignature('12345', 'https://mycompany.com/myapp.php?foo=1&bar=2', form)).toBe(
      'RSOYDt4T1cUTdK1PDd93/VVr8B8=',
    );
  });

  it('lets in, by the name Twilio knows the server by', async () => {
    const rig = await rigWith();
    for (const url of [
      'wss://localhost:8080/twilio',
      'wss://localhost:8080/twilio/',
      'https://localhost:8080/twilio',
    ])
      expect(rig.connect('/twilio', signed(url))).toBeInstanceOf(PhoneWire);
    const behind = await rigWith({ publicUrl: 'https://voice.example.com/' });
    expect(behind.connect('/twilio', signed('wss://voice.example.com/twilio'))).toBeInstanceOf(PhoneWire);
    expect(behind.connect('/twilio', signed('wss://localhost:8080/twilio'))).toMatchObject({ status: 403 });
  });

  it('is asked of everybody: without it, with that of another token or address, nobody comes in', async () => {
    const rig = await rigWith({}, ['key']);
    const other = { 'x-twilio-signature': twilioSignature('another', 'wss://localhost:8080/twilio') };
    const cases: Record<string, string>[] = [
      {},
      other,
      signed('wss://localhost:8080/other'),
      { authorization: 'Bearer key' },
    ];
    for (const headers of cases) expect(rig.connect('/twilio', headers)).toMatchObject({ status: 403 });
  });

  it('is not asked without a token; then keys are, where there are any', async () => {
    expect((await rigWith({ authToken: null })).connect('/twilio')).toBeInstanceOf(PhoneWire);
    const rig = await rigWith({ authToken: null }, ['key']);
    expect(rig.connect('/twilio')).toMatchObject({ status: 401 });
    expect(rig.connect('/twilio', { authorization: 'Bearer key' })).toBeInstanceOf(PhoneWire);
  });

  it('of another account is refused at its first frame', async () => {
    const rig = await rigWith({ authToken: null, accountSid: 'AC1' });
    for (const [accountSid, closed] of [
      ['AC1', null],
      ['AC2', { code: 1008, reason: 'carrier.refused' }],
    ] as const) {
      const wire = rig.connect('/twilio') as PhoneWire;
      const side = new TwilioSide({ streamSid: 'MZ', callSid: 'CA', accountSid, parameters: {} });
      for (const frame of side.opening()) wire.receive(frame);
      expect(wire.closed).toEqual(closed);
    }
  });
});

describe('the answer to Twilio’s webhook', () => {
  const form = new URLSearchParams({ From: '+1415', To: '<"&>', CallSid: 'CA1' });

  it('connects the call here and says who calls', async () => {
    const rig = await rigWith();
    const url = 'https://localhost:8080/twilio/voice';
    const headers = { ...signed(url, form), 'x-forwarded-proto': 'https' };
    const answer = await rig.routes.answer(rig.request('/twilio/voice', headers, form.toString()));
    expect(answer.status).toBe(200);
    expect(answer.body).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n<Response><Connect><Stream url="wss://localhost:8080/twilio">' +
        '<Parameter name="from" value="+1415"/><Parameter name="to" value="&lt;&quot;&amp;&gt;"/>' +
        '</Stream></Connect></Response>\n',
    );
  });

  it('is given to Twilio only, and only to a POST', async () => {
    const rig = await rigWith();
    const forged = { 'x-twilio-signature': twilioSignature(TOKEN, 'https://localhost:8080/twilio/voice') };
    expect((await rig.routes.answer(rig.request('/twilio/voice', forged, form.toString()))).status).toBe(403);
    expect((await rig.routes.answer(rig.request('/twilio/voice'))).status).toBe(405);
  });
});
