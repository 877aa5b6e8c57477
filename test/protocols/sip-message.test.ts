import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCSeq, parseNameAddress, parseUri, parseVia } from '../../protocols/sip/address.ts';
import { keyOfInfo, sdpBody } from '../../protocols/sip/bodies.ts';
import { authorization, chooseChallenge } from '../../protocols/sip/digest.ts';
import { Headers } from '../../protocols/sip/headers.ts';
import {
  isRequest,
  messageBytes,
  parseMessage,
  request,
  type SipRequest,
} from '../../protocols/sip/message.ts';
import { answerOffer, makeOffer, type Ours, readAnswer, sdpOf } from '../../protocols/sip/offer-answer.ts';
import { parseSdp } from '../../protocols/sip/sdp.ts';
import { MessageFramer } from '../../protocols/sip/stream-transport.ts';
import { codeOf } from '../support/code-of.ts';
import { offer } from '../support/sip-phone.ts';

// The shape of RFC 4475 §3.1.1.1, "a short tortuous INVITE": folded lines, compact and odd names, spaces, commas,
// escapes.
const TORTUOUS = [
  'INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0',
  'TO :',
  ' sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n',
  'from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>',
  '  ;',
  '  tag = 98asjd8',
  'MaX-fOrWaRdS: 0068',
  'Call-ID: 98asdh@example.com',
  'cseq: 0009',
  '  INVITE',
  'Via  : SIP  /   2.0',
  ' /UDP',
  '    192.0.2.2;branch=390skdjuw',
  's :',
  'NewFangledHeader:   newfangled value',
  ' continued newfangled value',
  'v:  SIP  / 2.0  / TCP     spindle.example.com   ;',
  '  branch  =   z9hG4bK9ikj8  ,',
  ' SIP  /    2.0   / UDP  192.168.255.111   ; branch=',
  ' z9hG4bK30239',
  'm:"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam =',
  '      newvalue ;',
  '  secondparam ; q = 0.33',
  '',
  'v=0',
].join('\r\n');

describe('messages', () => {
  it('are read as RFC 4475 torments them', () => {
    const message = parseMessage(Buffer.from(TORTUOUS)) as SipRequest;
    expect(isRequest(message) && message.method).toBe('INVITE');
    const { headers } = message;
    expect(headers.list('via').map(parseVia)).toMatchObject([
      { protocol: 'UDP', host: '192.0.2.2' },
      { protocol: 'TCP', host: 'spindle.example.com' },
      { protocol: 'UDP', host: '192.168.255.111' },
    ]);
    expect(parseNameAddress(headers.get('from')!)).toMatchObject({
      display: 'J Rosenberg \\"',
      uri: 'sip:jdrosen@example.com',
    });
    expect(parseNameAddress(headers.get('from')!)?.params.get('tag')).toBe('98asjd8');
    expect(parseNameAddress(headers.get('to')!)?.params.get('tag')).toBe('1918181833n');
    expect(parseCSeq(headers.get('cseq'))).toEqual({ number: 9, method: 'INVITE' });
    expect(headers.get('contact')).toContain('secondparam');
    expect(message.body.toString()).toBe('v=0');
  });

  it('come back as they went, and can smuggle no line in', () => {
    const headers = new Headers([
      ['call-id', 'a'],
      ['subject', 'hello\r\nX-Evil: yes'],
    ]);
    const bytes = messageBytes(request('OPTIONS', 'sip:a@b', headers, Buffer.from('body')));
    const back = parseMessage(bytes) as SipRequest;
    expect(back.headers.get('x-evil')).toBeUndefined();
    expect(back.headers.get('subject')).toBe('hello X-Evil: yes');
    expect(back.body.toString()).toBe('body');
    expect(bytes.toString()).toContain('Call-ID: a\r\n');
  });

  it.each([
    ['no SIP', 'GET / HTTP/1.1\r\n\r\n'],
    ['a field without a name', 'OPTIONS sip:a SIP/2.0\r\n: x\r\n\r\n'],
    ['a body that is not there', 'OPTIONS sip:a SIP/2.0\r\nContent-Length: 10\r\n\r\nabc'],
    ['a length that is none', 'OPTIONS sip:a SIP/2.0\r\nContent-Length: -1\r\n\r\nabc'],
    ['too many fields', `OPTIONS sip:a SIP/2.0\r\n${'a: b\r\n'.repeat(201)}\r\n`],
    [
      'a field that is too long',
      `OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP ${' '.repeat(5000)}\u2028;\r\n\r\n`,
    ],
    ['a header without end', `OPTIONS sip:a SIP/2.0\r\nx: ${'y'.repeat(33_000)}`],
  ])('are refused: %s', (_what, text) => {
    expect(codeOf(() => parseMessage(Buffer.from(text)))).toBe('sip.bad_message');
  });

  it('are cut from a stream wherever it is cut, with keep-alives between', () => {
    const one = messageBytes(
      request('OPTIONS', 'sip:a@b', new Headers([['call-id', 'x']]), Buffer.from('body')),
    );
    const stream = Buffer.concat([one, Buffer.from('\r\n\r\n'), one, one]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 40 }), cuts => {
        const framer = new MessageFramer();
        const got: (Buffer | null)[] = [];
        let at = 0;
        for (const cut of cuts) {
          got.push(...framer.push(stream.subarray(at, at + cut)));
          at += cut;
        }
        if (at < stream.length) got.push(...framer.push(stream.subarray(at)));
        expect(got.filter(Boolean).every(message => message!.equals(one))).toBe(true);
        expect(got.filter(Boolean)).toHaveLength(3);
      }),
    );
    expect(codeOf(() => new MessageFramer().push(Buffer.alloc(40_000, 65)))).toBe('sip.bad_message');
    expect(
      codeOf(() => new MessageFramer().push(Buffer.from('A sip:a SIP/2.0\r\nl: 999999999\r\n\r\n'))),
    ).toBe('sip.bad_message');
  });

  it('and their parts are read or not, whatever comes', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200, unit: 'binary' }), text => {
        parseUri(text);
        parseNameAddress(text);
        parseVia(text);
        parseSdp(`v=0\r\n${text}`);
        chooseChallenge([`Digest ${text}`]);
        new Headers([['via', text]]).list('via');
      }),
      { numRuns: 300 },
    );
  });
});

describe('addresses', () => {
  it('have user, host, port and parameters', () => {
    expect(parseUri('sip:+1555;phone-context=x:pw@[2001:db8::1]:5070;transport=tcp?a=b')).toMatchObject({
      ...{ scheme: 'sip', user: '+1555;phone-context=x', host: '2001:db8::1', port: 5070 },
    });
    expect(parseUri('sips:EXAMPLE.com')).toMatchObject({
      scheme: 'sips',
      host: 'example.com',
      port: null,
      user: '',
    });
    for (const text of ['tel:+1', 'sip:', 'sip:a@', 'sip:a@b:99999', 'sip:a@b c'])
      expect(parseUri(text)).toBeNull();
  });
});

describe('digest', () => {
  const HTTP =
    'Digest realm="http-auth@example.org", qop="auth, auth-int", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"';
  const asked = { method: 'GET', uri: '/dir/index.html' };
  const cnonce = 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ';

  // RFC 7616 §3.9.1.
  it.each([
    ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
    ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
  ])('answers as the RFC does, %s', (algorithm, response) => {
    const challenge = chooseChallenge([`${HTTP}, algorithm=${algorithm}`])!;
    const field = authorization(challenge, { user: 'Mufasa', password: 'Circle of Life' }, asked, cnonce);
    expect(field).toContain(`response="${response}"`);
    expect(field).toContain('opaque="FQhe');
  });

  it('takes the stronger one, and none that it does not know', () => {
    expect(chooseChallenge([`${HTTP}, algorithm=MD5`, `${HTTP}, algorithm=SHA-256`])?.algorithm).toBe(
      'SHA-256',
    );
    expect(chooseChallenge([`${HTTP}, algorithm=SHA-512-256`])).toBeNull();
    expect(chooseChallenge(['Basic realm="x"'])).toBeNull();
    expect(chooseChallenge(['Digest realm="x", nonce="y", qop="auth-int"'])).toBeNull();
  });
});

describe('offer and answer', () => {
  const ours: Ours = {
    codecs: ['g722', 'pcmu', 'pcma'],
    opus: null,
    rtp: { host: '10.0.0.1', port: 20_000 },
    rtcpPort: 20_001,
    id: '1',
    version: 1,
    master: () => Buffer.alloc(30, 1),
  };
  const answered = (text: string) => answerOffer(sdpOf(Buffer.from(text))!, ours)!;

  it('takes our first choice, with the clock that RFC 3551 gives it', () => {
    const { plan, sdp } = answered(offer({ codecs: 'PCMA PCMU G722' }));
    expect(plan.payloadType).toBe(9);
    expect(plan.formats.get(9)).toEqual({ format: { codec: 'g722', rateHz: 16_000 }, clockRateHz: 8000 });
    expect(sdp).toContain('m=audio 20000 RTP/AVP 9 101');
    expect(plan.keys).toEqual({ payloadType: 101, clockRateHz: 8000 });
    expect([plan.remote.port, plan.remoteRtcp.port]).toEqual([6000, 6001]);
  });

  it('knows static payload types without their lines, dynamic ones by them', () => {
    const bare =
      'v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\ns=-\r\nc=IN IP4 1.2.3.4\r\nt=0 0\r\nm=audio 9 RTP/AVP 8\r\n';
    expect(answered(bare).plan.payloadType).toBe(8);
    expect(answered(`${bare.replace('AVP 8', 'AVP 8 96')}a=rtpmap:96 G722/8000\r\n`).plan.payloadType).toBe(
      96,
    );
    expect(answered(bare).plan.keys).toBeNull();
  });

  it.each([
    ['a=sendonly', 'a=recvonly', true],
    ['a=recvonly', 'a=sendonly', false],
    ['a=inactive', 'a=inactive', true],
    ['a=sendrecv', 'a=sendrecv', false],
  ])('%s is answered with %s', (theirs, mine, isHeld) => {
    const answer = answered(offer({ lines: theirs }));
    expect(answer.sdp).toContain(mine);
    expect(answer.isHeld).toBe(isHeld);
    expect(answer.plan.direction === 'inactive').toBe(isHeld);
  });

  it('is held by an address that is none, refuses other streams, and keeps their order', () => {
    expect(answered(offer({ host: '0.0.0.0' })).isHeld).toBe(true);
    const both = offer().replace('m=audio', 'm=video 7000 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\nm=audio');
    const lines = answered(both)
      .sdp.split('\r\n')
      .filter(line => line.startsWith('m='));
    expect(lines).toEqual(['m=video 0 RTP/AVP 96', 'm=audio 20000 RTP/AVP 0 101']);
  });

  it('shares one port, or names another, as the offer does', () => {
    const mux = answered(offer({ lines: 'a=rtcp-mux' }));
    expect(mux.plan.rtcpMux).toBe(true);
    expect(mux.sdp).toContain('a=rtcp-mux');
    expect(answered(offer({ lines: 'a=rtcp:7777 IN IP4 9.9.9.9' })).plan.remoteRtcp).toEqual({
      host: '9.9.9.9',
      port: 7777,
    });
  });

  it("reads its own offer's answer, whoever made it", () => {
    const theirs: Ours = {
      ...ours,
      rtp: { host: '10.0.0.2', port: 7000 },
      rtcpPort: 7001,
      codecs: ['pcma'],
      master: () => Buffer.alloc(30, 2),
    };
    for (const isSecure of [false, true]) {
      const made = makeOffer(ours, false, isSecure);
      const back = answerOffer(sdpOf(Buffer.from(made))!, theirs)!;
      const agreed = readAnswer(sdpOf(Buffer.from(back.sdp))!, ours, false, isSecure)!;
      expect(agreed.plan.payloadType).toBe(8);
      expect(agreed.plan.remote).toEqual({ host: '10.0.0.2', port: 7000 });
      expect(agreed.plan.srtp?.send.master ?? null).toEqual(back.plan.srtp?.receive.master ?? null);
      expect(agreed.plan.srtp?.receive.master ?? null).toEqual(back.plan.srtp?.send.master ?? null);
      expect(agreed.plan.srtp !== null).toBe(isSecure);
    }
  });

  it('finds a description among other parts', () => {
    const body = [
      '--b1',
      'Content-Type: text/plain',
      '',
      'hello',
      '--b1',
      'Content-Type: application/sdp',
      '',
      offer(),
      '--b1--',
    ].join('\r\n');
    const headers = new Headers([['content-type', 'multipart/mixed; boundary=b1']]);
    expect(sdpOf(sdpBody(request('INVITE', 'sip:a', headers, Buffer.from(body)))!)?.media).toHaveLength(1);
    const info = (type: string, text: string) =>
      keyOfInfo(request('INFO', 'sip:a', new Headers([['content-type', type]]), Buffer.from(text)));
    expect(info('application/dtmf-relay', 'Signal= a\nDuration= 200')).toBe('A');
    expect(info('application/dtmf-relay', 'Signal=77')).toBe('');
    expect(info('text/plain', '5')).toBeUndefined();
  });
});
