import { describe, expect, it } from 'vitest';
import { narrowOffer, payloadTypes, termsOf } from '../../../protocols/webrtc/sdp.ts';
import { codeOf } from '../../support/code-of.ts';
import { OFFER } from '../../support/rtc-rig.ts';

const linesOf = (sdp: string, start: string) => sdp.split('\r\n').filter(line => line.startsWith(start));

describe('an offer', () => {
  const narrowed = narrowOffer(OFFER);

  it('keeps one Opus, once alone and once with copies, telephone-event at its rate, and VP8', () => {
    const maps = linesOf(narrowed, 'a=rtpmap:').map(line => line.split(' ')[1]);
    expect(maps).toEqual(['opus/48000/2', 'red/48000/2', 'telephone-event/48000', 'VP8/90000']);
    expect(linesOf(narrowed, 'm=')).toEqual([
      'm=audio 9 UDP/TLS/RTP/SAVPF 111 63 110',
      'm=video 9 UDP/TLS/RTP/SAVPF 96',
      'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
    ]);
    expect([...payloadTypes(narrowed).events]).toEqual([110]);
  });

  it('never takes comfort noise, redundant pictures, copies of another codec, or feedback for every packet', () => {
    expect(narrowOffer(OFFER.replace('a=fmtp:63 111/111', 'a=fmtp:63 0/0'))).not.toMatch(/red\//);
    expect(narrowed).not.toMatch(/CN\/|red\/90000|rtx|transport-cc|goog-remb/);
    expect(linesOf(narrowed, 'a=rtcp-fb:')).toEqual([
      'a=rtcp-fb:96 ccm fir',
      'a=rtcp-fb:96 nack',
      'a=rtcp-fb:96 nack pli',
    ]);
    expect(linesOf(narrowed, 'a=extmap:')).toHaveLength(3);
  });

  it('keeps few candidates, over UDP and with an address', () => {
    const many = Array.from(
      { length: 40 },
      (_, i) => `a=candidate:${i} 1 udp 1 192.0.2.${i} 5000 typ host\r\n`,
    );
    const others = [
      'a=candidate:1 1 tcp 1 192.0.2.1 9 typ host\r\n',
      'a=candidate:1 2 udp 1 192.0.2.1 9 typ host\r\n',
      'a=candidate:1 1 udp 1 db.internal 9 typ host\r\n',
      'a=candidate:1 1 udp 1 2001:db8::1 9 typ host\r\n',
    ];
    const offer = OFFER.replace('a=mid:0', () => `${others.join('')}${many.join('')}a=mid:0`);
    const kept = linesOf(narrowOffer(offer), 'a=candidate:');
    expect(kept).toHaveLength(16);
    expect(kept[0]).toContain('2001:db8::1');
    expect(kept.every(line => / udp /.test(line) && !/internal|local/.test(line))).toBe(true);
  });

  it.each([
    ['nothing', ''],
    ['something else', 'GET / HTTP/1.1'],
    ['no media', 'v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n'],
    ['sound in the clear', OFFER.replaceAll('UDP/TLS/RTP/SAVPF', 'RTP/AVP')],
    ['no Opus', OFFER.replaceAll('opus/48000', 'speex/48000')],
    ['no VP8', OFFER.replaceAll('VP8/', 'VP7/')],
    ['another medium', OFFER.replace('m=video', 'm=text')],
    ['too many sections', OFFER + OFFER.slice(OFFER.indexOf('m=application')).repeat(8)],
    ['too much', OFFER + 'a=x\r\n'.repeat(2000)],
    ['too long', `${OFFER}a=${'x'.repeat(70_000)}\r\n`],
  ])('is refused with %s', (_what, offer) => {
    expect(codeOf(() => narrowOffer(offer))).toBe('webrtc.bad_offer');
  });
});

it('our answer asks for each packet twice where that is offered, FEC, one channel and little video', () => {
  const answer = termsOf(narrowOffer(OFFER), { videoKbps: 600 });
  expect(linesOf(answer, 'm=audio')).toEqual(['m=audio 9 UDP/TLS/RTP/SAVPF 63 111 110']);
  const plain = narrowOffer(OFFER.replace('a=rtpmap:63 red/48000/2\r\n', ''));
  expect(linesOf(termsOf(plain, { videoKbps: 600 }), 'm=audio')).toEqual([
    'm=audio 9 UDP/TLS/RTP/SAVPF 111 110',
  ]);
  expect(linesOf(answer, 'a=fmtp:111')).toEqual(['a=fmtp:111 minptime=10;useinbandfec=1;stereo=0']);
  expect(linesOf(answer, 'b=')).toEqual(['b=AS:600']);
  const video = answer.slice(answer.indexOf('m=video')).split('\r\n');
  // RFC 8866 §5: bandwidth stands behind the connection.
  expect(video.slice(1, 3)).toEqual(['c=IN IP4 0.0.0.0', 'b=AS:600']);
});
