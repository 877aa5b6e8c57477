/**
 * `npm run fuzz -- [--seed 1] [--frames 100000] [--minutes 5] [--sockets] [--live] [--sip] [--webrtc]`: frames by the schemas, mutated, until
 * one of the two bounds is reached; `--live` at the GPT-Live door, in process only; `--sip` messages and packets at the SIP door;
 * `--webrtc`: so many descriptions and packets of calls instead. Ends with 1 when a conversation was lost or stuck, or when anything of
 * ours failed. For more processors: more of them, each with a seed of its own.
 */
import { parseArgs } from 'node:util';
import { type FuzzReport, fuzzInProcess } from './in-process.ts';
import { LIVE, REALTIME } from './protocols.ts';
import { fuzzRtc } from './rtc-inputs.ts';
import { fuzzOverSockets } from './over-sockets.ts';
import { fuzzSip } from './sip.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    frames: { type: 'string', default: '100000' },
    minutes: { type: 'string', default: '60' },
    sockets: { type: 'boolean', default: false },
    live: { type: 'boolean', default: false },
    sip: { type: 'boolean', default: false },
    webrtc: { type: 'boolean', default: false },
  },
});
let escaped = 0;
for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, error => {
    escaped++;
    console.error(event, error);
  });
}
if (values.webrtc) {
  const found = await fuzzRtc(Number(values.seed), Number(values.frames));
  console.log(JSON.stringify(found, null, 1));
  process.exit(escaped + found.faults.length > 0 ? 1 : 0);
}
const options = {
  seed: Number(values.seed),
  frames: Number(values.frames),
  maxMs: Number(values.minutes) * 60_000,
  protocol: values.live ? LIVE : REALTIME,
  onProgress: (report: FuzzReport) =>
    console.error(
      `${report.frames} frames, ${report.seconds.toFixed(0)} s, heap ${report.heapMb.at(-1)} MiB`,
    ),
};
if (values.sip) {
  const seed = Number(values.seed);
  const found = await fuzzSip({ seed, messages: Number(values.frames) });
  console.log(JSON.stringify({ seed, ...found, escaped }, null, 1));
  process.exit(escaped + found.stuck + found.faults.length + found.leftOver > 0 ? 1 : 0);
}
const report = await (values.sockets ? fuzzOverSockets(options) : fuzzInProcess(options));
console.log(JSON.stringify({ seed: options.seed, ...report, escaped }, null, 1));
const { stuck, ended, faults } = report;
process.exitCode = escaped + stuck + ended.length + faults.length > 0 ? 1 : 0;
