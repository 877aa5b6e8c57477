/**
 * `npm run bench -- mouth-to-ear [--clicks 12] [--rounds 5]`: how long a caller's sound takes through a WebRTC call and
 * back, without the model. Chromium says clicks into a track and hears them come back over loopback; three ways are
 * measured in turn: our door with sessions that say at once what they hear (Opus decoded and encoded, the jitter buffer
 * between), werift sending back the packets that come, and Chromium's own peer sending back the track that it gets
 * (libwebrtc, whose jitter buffer is then passed twice). What Chromium itself takes to encode, wait and decode is in
 * all three, and differs from call to call by some 10 ms each way (where its clocks stand to its packets), so calls are
 * many and short. The first of each way warms up and is not counted. Of each way its account: what the browser's jitter
 * buffer held back, as it says; from a packet in to a packet out of the server, as a relay between sees it; the rest.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { loadavg } from 'node:os';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { Command } from 'commander';
import { chromium } from 'playwright-core';
import { PACKAGE_ROOT } from '../kernels/package-root.ts';
import { findBrowser } from '../test/end-to-end/browser.ts';
import { type LossyRelay, openLossyRelay } from '../test/support/lossy-relay.ts';
import { printTable } from './kernels/table.ts';

const GOAL_MS = 60;
const CANDIDATE = /^(a=candidate:.* 127\.0\.0\.1 )(\d+)( typ host.*)$/gm;

const options = new Command('mouth-to-ear')
  .option('--clicks <n>', 'of each way and round', '12')
  .option('--rounds <n>', 'calls of each way that are counted', '5')
  .parse()
  .opts<{ clicks: string; rounds: string }>();

/** Peers in a process of their own, as `video-calls` has them. */
async function served(mode: 'door-echo' | 'echo') {
  const args = ['--import', 'tsx', `${PACKAGE_ROOT}bench/video-calls/server.ts`, mode];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const url = await new Promise<string>(resolve => lines.once('line', line => resolve(JSON.parse(line).url)));
  return { url, end: () => child.stdin.end() };
}

/** Of the call under way: from a packet of the caller's to the next of the server's. */
let turnsMs: number[] = [];
const lines: LossyRelay[] = [];

/** RTP and no RTCP (RFC 5761 §4), and nothing of ICE or DTLS. */
const isMedia = (packet: Buffer) =>
  packet[0] >> 6 === 2 && ((packet[1] & 127) < 64 || (packet[1] & 127) > 95);

async function exchange(url: string, sdp: string): Promise<string> {
  const headers = { 'content-type': 'application/sdp' };
  // Nobody learns of the way around the relay.
  const body = sdp.replace(/^a=candidate:.*\r\n/gm, '');
  const response = await fetch(url, { method: 'POST', headers, body });
  const answer = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${answer}`);
  let serverPort = 0;
  let cameMs: number | null = null;
  const relay = await openLossyRelay({
    ...{ serverPort: () => serverPort, loss: 0, seed: 1 },
    onPacket(packet, isOfCaller) {
      if (!isMedia(packet)) return;
      if (!isOfCaller && cameMs !== null) turnsMs.push(performance.now() - cameMs);
      cameMs = isOfCaller ? performance.now() : null;
    },
  });
  lines.push(relay);
  return answer.replace(CANDIDATE, (_line, before, port, after) => {
    serverPort = Number(port);
    return `${before}${relay.port}${after}`;
  });
}

const found = await findBrowser();
if (typeof found === 'string') {
  console.error(`There is no browser: ${found}`);
  process.exit(1);
}
const script = readFileSync(`${PACKAGE_ROOT}bench/mouth-to-ear/page.js`, 'utf8');
const site = createServer((_, response) => {
  response.writeHead(200, { 'content-type': 'text/html' }).end(`<!doctype html><script>${script}</script>`);
});
await new Promise<void>(resolve => site.listen(0, '127.0.0.1', resolve));
const [door, werift] = [await served('door-echo'), await served('echo')];
const browser = await chromium.launch({
  executablePath: found.path,
  ...(found.libraries && { env: { ...process.env, LD_LIBRARY_PATH: found.libraries } }),
  args: ['--no-sandbox', '--disable-gpu', '--mute-audio', '--allow-loopback-in-peer-connection'].concat([
    '--autoplay-policy=no-user-gesture-required',
    '--disable-features=WebRtcHideLocalIpsWithMdns',
  ]),
});
const page = await browser.newPage();
await page.exposeFunction('exchange', exchange);
await page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`);

const ways = [
  { what: 'this door, saying back what it hears', where: door.url },
  { what: 'werift, sending back the packets', where: werift.url },
  { what: 'Chromium’s own peer (libwebrtc), sending back the track', where: 'page' },
];
interface Heard {
  readonly clicksMs: number[];
  readonly heldBackMs: number[];
  readonly turnsMs: number[];
}

const heard = new Map<string, Heard>(
  ways.map(({ what }) => [what, { clicksMs: [], heldBackMs: [], turnsMs: [] }]),
);
const [clicks, rounds] = [Number(options.clicks), Number(options.rounds)];
for (let round = 0; round <= rounds; round++) {
  for (const { what, where } of ways) {
    turnsMs = [];
    const call = `clicksThrough(${JSON.stringify(where)}, ${clicks})`;
    const { clicksMs, heldBackMs } = await page.evaluate<{ clicksMs: number[]; heldBackMs: number }>(call);
    for (const line of lines.splice(0)) line.close();
    if (round === 0) continue;
    const all = heard.get(what)!;
    all.clicksMs.push(...clicksMs);
    all.heldBackMs.push(heldBackMs);
    all.turnsMs.push(...turnsMs);
  }
}
await browser.close();
door.end();
werift.end();

const at = (values: readonly number[], share: number) => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
};
const ms = (value: number) => (Number.isNaN(value) ? '–' : value.toFixed(1));
console.log(
  `load average ${loadavg()
    .map(value => value.toFixed(1))
    .join(' ')}; goal ${GOAL_MS} ms for the door`,
);
printTable(
  [
    ...['way', 'clicks heard', 'p50 ms', 'p95 ms', 'least', 'most'],
    ...['of p50: the browser’s jitter buffer', 'in the server', 'the rest'],
  ],
  ways.map(({ what }) => {
    const { clicksMs, heldBackMs, turnsMs } = heard.get(what)!;
    const [middle, held, turn] = [at(clicksMs, 0.5), at(heldBackMs, 0.5), at(turnsMs, 0.5)];
    const rest = middle - held - (Number.isNaN(turn) ? 0 : turn);
    const quantiles = [middle, at(clicksMs, 0.95), at(clicksMs, 0), at(clicksMs, 1)];
    return [
      ...[what, `${clicksMs.length} of ${rounds * clicks}`],
      ...[...quantiles, held, turn, rest].map(ms),
    ];
  }),
);
process.exit(0);
