/**
 * `npm run bench -- mouth-to-ear [--clicks 40]`: how long a caller's sound takes through a WebRTC call and back,
 * without the model. Chromium says clicks into a track and hears them come back over loopback; three ways are measured
 * in turn, twice: our door with sessions that say at once what they hear (Opus decoded and encoded, the jitter buffer
 * between), werift sending back the packets that come, and Chromium's own peer sending back the track that it gets
 * (libwebrtc, whose jitter buffer is then passed twice). What Chromium itself takes to encode, wait and decode is in
 * all three.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { loadavg } from 'node:os';
import { createInterface } from 'node:readline';
import { Command } from 'commander';
import { chromium } from 'playwright-core';
import { PACKAGE_ROOT } from '../kernels/package-root.ts';
import { findBrowser } from '../test/end-to-end/browser.ts';
import { printTable } from './kernels/table.ts';

const GOAL_MS = 60;
const ROUNDS = 2;

const options = new Command('mouth-to-ear')
  .option('--clicks <n>', 'of each way and round', '40')
  .parse()
  .opts<{ clicks: string }>();

/** Peers in a process of their own, as `video-calls` has them. */
async function served(mode: 'door-echo' | 'echo') {
  const args = ['--import', 'tsx', `${PACKAGE_ROOT}bench/video-calls/server.ts`, mode];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const url = await new Promise<string>(resolve => lines.once('line', line => resolve(JSON.parse(line).url)));
  return { url, end: () => child.stdin.end() };
}

async function exchange(url: string, sdp: string): Promise<string> {
  const headers = { 'content-type': 'application/sdp' };
  const answer = await fetch(url, { method: 'POST', headers, body: sdp });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  return await answer.text();
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
const heardMs = new Map<string, number[]>(ways.map(({ what }) => [what, []]));
const clicks = Number(options.clicks);
for (let round = 0; round < ROUNDS; round++) {
  for (const { what, where } of ways) {
    const call = `clicksThrough(${JSON.stringify(where)}, ${clicks})`;
    heardMs.get(what)!.push(...((await page.evaluate(call)) as number[]));
  }
}
await browser.close();
door.end();
werift.end();

const at = (sorted: readonly number[], share: number) =>
  sorted.length === 0
    ? '–'
    : sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))].toFixed(1);
console.log(
  `load average ${loadavg()
    .map(value => value.toFixed(1))
    .join(' ')}; goal ${GOAL_MS} ms for the door`,
);
printTable(
  ['way', 'clicks heard', 'p50 ms', 'p95 ms', 'least', 'most'],
  ways.map(({ what }) => {
    const sorted = [...heardMs.get(what)!].sort((a, b) => a - b);
    const count = `${sorted.length} of ${ROUNDS * clicks}`;
    return [what, count, at(sorted, 0.5), at(sorted, 0.95), at(sorted, 0), at(sorted, 1)];
  }),
);
process.exit(0);
