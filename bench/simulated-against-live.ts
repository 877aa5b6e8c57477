/**
 * The simulator against this machine: the same people talk to nano live, and under virtual time with the steps as long
 * as a calibrated profile says. Each call does as many of the missing live runs as fit in --seconds and keeps them in
 * --state, so that a shared machine has to be quiet for short stretches only; once none is missing the table is
 * printed.
 *
 *   npm run bench -- simulated-against-live --seconds 58      (again until the table comes)
 *
 * `--record` takes the table into docs/validation.md.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { dirname } from 'node:path';
import { Command } from 'commander';
import { silentLogger } from '../actors/core/index.ts';
import { loadConfig } from '../cli/config/load.ts';
import { openEngine } from '../cli/house.ts';
import { resolveModelDirectory } from '../cli/model-directory.ts';
import { calibrationProfile } from '../cli/sim/calibrate.ts';
import { liveTable, validationPage } from '../cli/sim/validation-page.ts';
import { type LiveRecord, PAGE_FILE, readRecord, writeRecord } from '../cli/sim/validation-record.ts';
import { calibrate } from '../sim/calibrate/calibrate.ts';
import { type EngineScenario, engineSchema } from '../sim/scenarios/engine-schema.ts';
import { publishedGroups } from '../sim/validation/published.ts';
import {
  converse,
  liveWorld,
  type MeasuredTurn,
  simulatedWorld,
} from './simulated-against-live/conversations.ts';
import { liveRows } from './simulated-against-live/table.ts';

interface Options {
  readonly sessions: readonly number[];
  readonly runs: number;
  readonly seconds: number;
  readonly state: string;
  readonly record: boolean;
  readonly json: boolean;
}

/** What earlier calls measured. */
interface State {
  profile: EngineScenario | null;
  readonly live: Record<string, MeasuredTurn[][]>;
}

const LIVE_RUN_S = 46;
const CALIBRATION_S = 50;
const CALIBRATION = { repetitions: 30, togetherMs: 5000 };

const number = (text: string) => Number.parseInt(text, 10);
const options = new Command('simulated-against-live')
  .option('--sessions <a,b>', 'loads', text => text.split(',').map(number), [1, 4, 16])
  .option('--runs <n>', 'live runs of each load', number, 3)
  .option('--seconds <n>', 'no live run is begun that would end later', number, 600)
  .option('--state <file>', 'where measurements are kept', '.cache/simulated-against-live.json')
  .option('--record', 'take the table into docs/validation.md', false)
  .option('--json', 'print every turn as JSON', false)
  .parse()
  .opts<Options>();

const beganMs = performance.now();
const fits = (seconds: number) => (performance.now() - beganMs) / 1000 + seconds <= options.seconds;
const state: State = existsSync(options.state)
  ? JSON.parse(readFileSync(options.state, 'utf8'))
  : { profile: null, live: {} };

function keep(): void {
  mkdirSync(dirname(options.state), { recursive: true });
  writeFileSync(options.state, JSON.stringify(state));
}

/** Returns what is still missing, in words; null when nothing is. */
async function measure(): Promise<string | null> {
  if (!state.profile) {
    if (!fits(CALIBRATION_S)) return 'the calibration';
    const engine = await open();
    state.profile = engineSchema.parse(calibrationProfile(await calibrate(engine, CALIBRATION)));
    await engine.close();
    keep();
  }
  // Turn by turn over the loads, so that a change of the machine's mood meets all of them.
  for (let run = 0; run < options.runs; run++) {
    for (const sessions of options.sessions) {
      const runs = (state.live[sessions] ??= []);
      if (runs.length > run) continue;
      if (!fits(LIVE_RUN_S)) return `run ${run + 1} of ${sessions} sessions`;
      const engine = await open();
      const world = liveWorld(engine, run + 1);
      runs.push(await converse(world, sessions, run + 1));
      await world.runtime.close();
      await engine.close();
      keep();
    }
  }
  return null;
}

/** The people of each live run again. */
async function simulate(sessions: number): Promise<MeasuredTurn[][]> {
  const engine = await open();
  const runs: MeasuredTurn[][] = [];
  for (let run = 0; run < options.runs; run++) {
    const world = simulatedWorld(engine, state.profile!, run + 1);
    runs.push(await converse(world, sessions, run + 1));
    await world.runtime.close();
  }
  await engine.close();
  return runs;
}

function record(live: LiveRecord): void {
  const known = readRecord();
  if (!known) throw new Error('There is no record yet: longcat-rt sim validate --write.');
  writeRecord({ ...known, live });
  writeFileSync(PAGE_FILE, validationPage(publishedGroups(), readRecord()!));
}

function open() {
  const config = loadConfig({}, process.env);
  return openEngine(config, resolveModelDirectory(config.model, config.seed).path, silentLogger);
}

const missing = await measure();
if (missing) console.log(`still missing: ${missing}; call again`);
else {
  const simulated = new Map<number, MeasuredTurn[][]>();
  for (const sessions of options.sessions) simulated.set(sessions, await simulate(sessions));
  const loads = options.sessions.map(sessions => ({
    sessions,
    live: state.live[sessions].slice(0, options.runs),
    simulated: simulated.get(sessions)!,
  }));
  const live: LiveRecord = {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus()[0].model.trim()}, ${availableParallelism()} processors, Node ${process.version}`,
    runs: options.runs,
    rows: liveRows(loads),
  };
  if (options.record) record(live);
  console.log(options.json ? JSON.stringify({ profile: state.profile, loads }) : liveTable(live));
}
process.exit(0);
