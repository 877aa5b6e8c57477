/**
 * `npm run fuzz -- [--seed 1] [--frames 100000] [--minutes 5] [--sockets] [--live] [--sip] [--carriers] [--webrtc]`:
 * frames by the schemas, mutated, until one of the two bounds is reached; `--live` at the GPT-Live door, in process
 * only; `--sip` messages and packets at the SIP door; `--carriers` frames of theirs at their doors; `--webrtc`: so many
 * descriptions and packets of calls instead. Ends with 1 when a conversation was lost or stuck, or when anything failed
 * that is ours. For more processors: more of them, each with a seed of its own.
 */
import { Command, Option } from 'commander';
import { positiveNumber, wholeNumber } from '../../cli/options.ts';
import { fuzzCarriers } from './carriers.ts';
import { type FuzzReport, fuzzInProcess } from './in-process.ts';
import { LIVE, REALTIME } from './protocols.ts';
import { fuzzRtc } from './rtc-inputs.ts';
import { fuzzOverSockets } from './over-sockets.ts';
import { fuzzSip } from './sip.ts';

interface Values {
  readonly seed: number;
  readonly frames: number;
  readonly minutes: number;
  readonly sockets?: true;
  readonly live?: true;
  readonly sip?: true;
  readonly carriers?: true;
  readonly webrtc?: true;
}

/** One door at a time. */
const door = (name: string, meaning: string) =>
  new Option(`--${name}`, meaning).conflicts(
    ['sockets', 'live', 'sip', 'carriers', 'webrtc'].filter(one => one !== name),
  );

const values = new Command('npm run fuzz --')
  .description('Frames by the schemas, mutated, at a door; ends with 1 where something of ours failed.')
  .option('--seed <n>', 'the same frames again', wholeNumber, 1)
  .option('--frames <n>', 'until so many', wholeNumber, 100_000)
  .option('--minutes <n>', 'or for so long', positiveNumber, 60)
  .addOption(door('sockets', 'six clients at full speed against a server in a process of its own'))
  .addOption(door('live', 'the GPT-Live door'))
  .addOption(door('sip', 'messages and packets at the SIP door'))
  .addOption(door('carriers', 'frames at the doors of carriers'))
  .addOption(door('webrtc', 'descriptions and packets of calls over WebRTC'))
  .addHelpText('after', '\nExample:\n  npm run fuzz -- --sockets --minutes 1 --seed 7')
  .parse()
  .opts<Values>();
let escaped = 0;
for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, error => {
    escaped++;
    console.error(event, error);
  });
}
if (values.carriers) {
  const { frames, seed } = values;
  const found = await fuzzCarriers({ seed, frames });
  console.log(JSON.stringify({ seed, ...found, escaped }, null, 1));
  process.exit(escaped + found.stuck + found.faults.length + found.leftOver > 0 ? 1 : 0);
}
if (values.webrtc) {
  const found = await fuzzRtc(values.seed, values.frames);
  console.log(JSON.stringify(found, null, 1));
  process.exit(escaped + found.faults.length > 0 ? 1 : 0);
}
const options = {
  seed: values.seed,
  frames: values.frames,
  maxMs: values.minutes * 60_000,
  protocol: values.live ? LIVE : REALTIME,
  onProgress: (report: FuzzReport) =>
    console.error(
      `${report.frames} frames, ${report.seconds.toFixed(0)} s, heap ${report.heapMb.at(-1)} MiB`,
    ),
};
if (values.sip) {
  const { seed } = values;
  const found = await fuzzSip({ seed, messages: values.frames });
  console.log(JSON.stringify({ seed, ...found, escaped }, null, 1));
  process.exit(escaped + found.stuck + found.faults.length + found.leftOver > 0 ? 1 : 0);
}
const report = await (values.sockets ? fuzzOverSockets(options) : fuzzInProcess(options));
console.log(JSON.stringify({ seed: options.seed, ...report, escaped }, null, 1));
const { stuck, ended, faults } = report;
process.exitCode = escaped + stuck + ended.length + faults.length > 0 ? 1 : 0;
