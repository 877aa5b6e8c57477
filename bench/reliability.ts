/**
 * npm run bench -- reliability [--calls 6] [--rounds 1] [--every 12] [--write]: what callers notice when parts
 * of a cluster fail.
 *
 * It starts a nats-server, three engine hosts and two frontends on this machine, each behind a relay. Callers say the
 * utterances of a recorded call (test/fixtures/talk/six-turns.wav) over the Realtime protocol, each as soon as the
 * answer to the one before has been played, so that pauses are left out; after the last they look whether all that they
 * were told is still in the conversation, hang up, and call the other frontend. Every `--every` seconds one part fails.
 * `--write` makes docs/reliability.md of it; `--only "an engine host"` strikes some kinds
 * alone.
 */
import { writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { wholeNumber } from '../cli/options.ts';
import { Caller } from './reliability/caller.ts';
import { Cluster } from './reliability/cluster.ts';
import { FAULT_KINDS } from './reliability/faults.ts';
import { utterancesOf } from './reliability/recording.ts';
import { pageOf } from './reliability/page.ts';
import { difference, lossesOf, type Strike, undisturbed } from './reliability/report.ts';

const RECORDING = 'test/fixtures/talk/six-turns.wav';
const PAGE = 'docs/reliability.md';
/** Before the first fault: as long as a call, for what is usual. */
const QUIET_MS = 20_000;
/** After a part is back, at least. */
const AFTERMATH_MS = 3000;

const options = new Command('reliability')
  .option('--calls <n>', 'at a time', wholeNumber, 6)
  .option('--rounds <n>', 'strikes of each kind', wholeNumber, 1)
  .option('--every <seconds>', 'between faults', wholeNumber, 12)
  .option('--hosts <n>', 'engine hosts', wholeNumber, 3)
  .option('--frontends <n>', 'servers that callers call', wholeNumber, 2)
  .option('--model <directory>', 'what talks', 'models/nano')
  .option('--only <words>', 'faults whose description has these words')
  .option('--write', `write ${PAGE}`)
  .parse()
  .opts<{
    calls: number;
    rounds: number;
    every: number;
    hosts: number;
    frontends: number;
    model: string;
    only?: string;
    write?: true;
  }>();

const wait = (ms: number) => new Promise<void>(resolve => setTimeout(resolve, Math.max(0, ms)));
const described = (kind: number) => `${FAULT_KINDS[kind].what}: ${FAULT_KINDS[kind].how}`;

async function struck(
  cluster: Cluster,
  callers: readonly Caller[],
  kind: number,
  n: number,
): Promise<Strike> {
  const before = lossesOf(callers);
  const atMs = performance.now();
  await FAULT_KINDS[kind].strike(cluster, n);
  const undoneAfterMs = performance.now() - atMs;
  await wait(Math.max(atMs + options.every * 1000 - performance.now(), AFTERMATH_MS));
  const untilMs = performance.now();
  const losses = difference(lossesOf(callers), before);
  console.error(`${described(kind)}: ${JSON.stringify(losses)}`);
  return { kind, atMs, untilMs, undoneAfterMs, losses };
}

const cluster = new Cluster(options);
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void cluster.stop().finally(() => process.exit(1)));
const kinds = FAULT_KINDS.map((_, kind) => kind).filter(kind => described(kind).includes(options.only ?? ''));
let page: string;
try {
  await cluster.start();
  console.error(`logs: ${cluster.logs}`);
  const doors = cluster.frontends.map(({ door }) => door.port);
  const utterances = utterancesOf(RECORDING);
  const callers = Array.from({ length: options.calls }, (_, n) => new Caller(doors, utterances, n));
  for (const caller of callers) {
    caller.call();
    await wait(1000 / options.calls);
  }
  await wait(QUIET_MS);
  const usual = undisturbed(callers, performance.now());
  const strikes: Strike[] = [];
  for (let n = 0; n < options.rounds; n++)
    for (const kind of kinds) strikes.push(await struck(cluster, callers, kind, n));
  await wait(3000);
  page = pageOf({ options, callers, strikes, kinds, usual });
  for (const caller of callers) caller.stop();
} finally {
  await cluster.stop();
}
console.log(page);
if (options.write) writeFileSync(PAGE, page);
process.exit(0);
