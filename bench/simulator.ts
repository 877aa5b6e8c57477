/**
 * The simulator's speed: an M/M/1 queue of a million customers beside SimPy (Debian's python3-simpy, where installed),
 * in the same run, taking turns; 100 sessions of ten minutes at chunk fidelity: people, networks, actors and engines,
 * packets of a second; and paced sessions of 20 ms, with silence given in bunches and packet by packet, taking turns as
 * well.
 *
 *   node --import tsx bench/simulator.ts [--json] [--customers 1000000] [--minutes 10] [--paced 200x20,1000x10]
 *   [--record]
 *
 * `--record` takes the figures into docs/validation.md.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { pathToFileURL } from 'node:url';
import { Command } from 'commander';
import { createRandom, exponential, VirtualClock } from '../actors/core/index.ts';
import { positiveNumber, wholeNumber } from '../cli/options.ts';
import { validationPage } from '../cli/sim/validation-page.ts';
import { PAGE_FILE, readRecord, writeRecord } from '../cli/sim/validation-record.ts';
import { Device } from '../sim/engines/device.ts';
import { runScenario } from '../sim/run.ts';
import { parseScenario } from '../sim/scenarios/schema.ts';
import { publishedGroups } from '../sim/validation/published.ts';

const REPETITIONS = 3;
const RHO = 0.8;

/** The interface of SimPy 2, which is what Debian packages. */
const SIMPY = `
import random, sys, time
from SimPy.Simulation import Simulation, Process, Resource, hold, request, release
customers = int(sys.argv[1]); rng = random.Random(1); waited = 0.0
class Customer(Process):
    def visit(self, server):
        global waited
        came = self.sim.now()
        yield request, self, server
        waited += self.sim.now() - came
        yield hold, self, rng.expovariate(1.0)
        yield release, self, server
class Source(Process):
    def run(self, server):
        for _ in range(customers):
            yield hold, self, rng.expovariate(${RHO})
            customer = Customer(sim=self.sim)
            self.sim.activate(customer, customer.visit(server))
sim = Simulation(); sim.initialize(); server = Resource(capacity=1, sim=sim); source = Source(sim=sim)
sim.activate(source, source.run(server)); began = time.perf_counter(); sim.simulate(until=1e12)
print(time.perf_counter() - began, waited / customers)
`;

/** Seconds of the machine, and the mean wait (4.0 in theory). */
interface Timing {
  readonly seconds: number;
  readonly meanWait: number;
}

/** Each customer is two events, as in SimPy: the arrival and the end of service. */
function ours(customers: number): Timing {
  const clock = new VirtualClock();
  let waited = 0;
  const device = new Device('server', 1, clock, undefined, job => {
    waited += job.startedMs - job.arrivedMs;
  });
  const random = createRandom(1);
  const [arrivals, services] = [random.split('arrivals'), random.split('services')];
  let ended = 0;
  const arrive = () => {
    clock.setTimer(device.occupy(exponential(services, 1), 'customer'), () => {
      ended += 1;
    });
    if (device.jobs < customers) clock.setTimer(exponential(arrivals, 1 / RHO), arrive);
  };
  const began = performance.now();
  arrive();
  clock.runToCompletionSync();
  const seconds = (performance.now() - began) / 1000;
  return { seconds, meanWait: waited / ended };
}

/** Null where SimPy is not installed. */
function simpy(customers: number): Timing | null {
  const { status, stdout } = spawnSync('/usr/bin/python3', ['-c', SIMPY, String(customers)], {
    encoding: 'utf8',
  });
  if (status !== 0) return null;
  const [seconds, meanWait] = stdout.trim().split(' ').map(Number);
  return { seconds, meanWait };
}

/**
 * What a simulation took: on the clock of the wall, and of the processors (with the compiler's and the collector's
 * threads).
 */
interface Run {
  readonly wallS: number;
  readonly processorS: number;
}

const SESSIONS = 100;

/** A packet is a chunk of the model, one second. */
async function conversation(minutes: number): Promise<Run> {
  const scenario = parseScenario({
    name: 'bench',
    durationS: minutes * 60,
    load: { sessions: SESSIONS },
    engine: { law: 'cluster', decodeDevices: 64, sideDevices: 4 },
    transport: { kind: 'websocket', packetMs: 1000 },
  });
  const began = process.cpuUsage();
  const beganMs = performance.now();
  await runScenario(scenario, 1);
  const { user, system } = process.cpuUsage(began);
  return { wallS: (performance.now() - beganMs) / 1000, processorS: (user + system) / 1e6 };
}

/** Simulated seconds a second of processor time, with the compiler's and the collector's threads. */
async function paced(sessions: number, seconds: number, givesAllSilence: boolean): Promise<number> {
  const scenario = parseScenario({
    name: 'bench',
    durationS: seconds,
    warmUpS: 0,
    load: { sessions },
    engine: { law: 'cluster', decodeDevices: 64, sideDevices: 8 },
    transport: { kind: 'rtp', packetMs: 20 },
  });
  const began = process.cpuUsage();
  await runScenario(scenario, 1, { givesAllSilence });
  const { user, system } = process.cpuUsage(began);
  return seconds / ((user + system) / 1e6);
}

interface PacedSize {
  readonly sessions: number;
  readonly seconds: number;
}

const pacedSizes = (text: string): PacedSize[] =>
  text.split(',').map(size => {
    const [sessions, seconds] = size.split('x');
    return { sessions: wholeNumber(sessions), seconds: positiveNumber(seconds) };
  });

interface Options {
  readonly customers: number;
  readonly minutes: number;
  readonly paced: readonly PacedSize[];
  readonly json: boolean;
  readonly record: boolean;
}

async function main(): Promise<void> {
  const options = new Command('simulator')
    .option('--customers <n>', 'of the queue', wholeNumber, 1_000_000)
    .option('--minutes <n>', 'of each conversation', positiveNumber, 10)
    .option('--paced <NxS,…>', 'sessions of 20 ms and seconds', pacedSizes, pacedSizes('200x20,1000x10'))
    .option('--json', 'print everything as JSON', false)
    .option('--record', 'take the figures into docs/validation.md', false)
    .parse()
    .opts<Options>();
  const { customers, minutes, paced: sizes } = options;
  const mine: Timing[] = [];
  const theirs: Timing[] = [];
  const runs: Run[] = [];
  const pacedRuns = sizes.map(size => ({ ...size, bunches: [] as number[] }));
  const packets: number[] = [];
  ours(Math.min(customers, 100_000)); // Warms the compiler up.
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    mine.push(ours(customers));
    const peer = simpy(customers);
    if (peer) theirs.push(peer);
    runs.push(await conversation(minutes));
    for (const { bunches, seconds, sessions } of pacedRuns)
      bunches.push(await paced(sessions, seconds, false));
    packets.push(await paced(sizes[0].sessions, sizes[0].seconds, true));
  }
  const result = {
    customers,
    ours: mine,
    simpy: theirs.length > 0 ? theirs : null,
    timesFaster: theirs.length > 0 ? median(theirs) / median(mine) : null,
    conversations: { sessions: SESSIONS, minutes, runs },
    paced: pacedRuns,
    packets,
  };
  if (options.record) record(result);
  if (options.json) console.log(JSON.stringify(result, null, 2));
  else print(result);
}

interface Result {
  readonly customers: number;
  readonly ours: readonly Timing[];
  readonly simpy: readonly Timing[] | null;
  readonly timesFaster: number | null;
  readonly conversations: {
    readonly sessions: number;
    readonly minutes: number;
    readonly runs: readonly Run[];
  };
  /** Times real time. */
  readonly paced: readonly (PacedSize & { readonly bunches: readonly number[] })[];
  /** The first of them, with every packet of silence at its time. */
  readonly packets: readonly number[];
}

function record({ customers, ours: mine, simpy: theirs, conversations, paced: sizes }: Result): void {
  const known = readRecord();
  if (!known) throw new Error('There is no record yet: longcat-rt sim validate --write.');
  const secondsOf = (timings: readonly Timing[]) => timings.map(({ seconds }) => seconds);
  const timing = (all: readonly number[]) => ({ median: medianOf(all), all: [...all] });
  const machine = `${availableParallelism()} processors, ${cpus()[0].model.trim()}, Node ${process.version}`;
  writeRecord({
    ...known,
    speed: {
      date: new Date().toISOString().slice(0, 10),
      machine,
      customers,
      ours: timing(secondsOf(mine)),
      simpy: theirs && timing(secondsOf(theirs)),
      conversations: {
        sessions: conversations.sessions,
        minutes: conversations.minutes,
        wall: timing(conversations.runs.map(({ wallS }) => wallS)),
        processor: timing(conversations.runs.map(({ processorS }) => processorS)),
      },
      paced: sizes.map(({ bunches, ...size }) => ({ ...size, times: timing(bunches) })),
    },
  });
  writeFileSync(PAGE_FILE, validationPage(publishedGroups(), readRecord()!));
}

function print(result: Result): void {
  const line = (name: string, timings: readonly Timing[]) =>
    `${name.padEnd(8)} median ${median(timings).toFixed(2)} s  [${timings.map(({ seconds }) => seconds.toFixed(2)).join(', ')}]  mean wait ${timings[0].meanWait.toFixed(3)}`;
  console.log(`M/M/1, ρ = ${RHO}, ${result.customers} customers (theory: mean wait 4.0)`);
  console.log(line('ours', result.ours));
  console.log(result.simpy ? line('SimPy', result.simpy) : 'SimPy    not installed (python3-simpy)');
  if (result.timesFaster !== null) console.log(`${result.timesFaster.toFixed(1)} times faster`);
  const { sessions, minutes, runs } = result.conversations;
  const seconds = (of: readonly number[]) =>
    `median ${medianOf(of).toFixed(1)} s  [${of.map(value => value.toFixed(1)).join(', ')}]`;
  console.log(`${sessions} sessions of ${minutes} minutes, packets of a second`);
  console.log(`wall       ${seconds(runs.map(({ wallS }) => wallS))}`);
  console.log(`processor  ${seconds(runs.map(({ processorS }) => processorS))}`);
  const times = (of: readonly number[]) =>
    `median ${medianOf(of).toFixed(2)} × real time  [${of.map(value => value.toFixed(2)).join(', ')}]`;
  console.log('Paced sessions, packets of 20 ms, of processor time');
  for (const { bunches, seconds, sessions: count } of result.paced)
    console.log(`${count} of ${seconds} s`.padEnd(26) + times(bunches));
  console.log(`${'the first, each packet'.padEnd(26)}${times(result.packets)}`);
}

function median(timings: readonly Timing[]): number {
  return medianOf(timings.map(({ seconds }) => seconds));
}

function medianOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await main();
