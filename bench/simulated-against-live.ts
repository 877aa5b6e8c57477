/**
 * The simulator against this machine: the same people talk to nano live, and under virtual time with the steps as long as a
 * calibrated profile says. Each call does as many of the missing live runs as fit in --seconds and keeps them in --state, so
 * that a shared machine has to be quiet for short stretches only; once none is missing the table is printed.
 *
 *   npm run bench -- simulated-against-live --seconds 58      (again until the table comes)
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Command } from 'commander';
import { silentLogger } from '../actors/core/index.ts';
import { loadConfig } from '../cli/config/load.ts';
import { openEngine } from '../cli/house.ts';
import { resolveModelDirectory } from '../cli/model-directory.ts';
import { calibrationProfile } from '../cli/sim/calibrate.ts';
import { calibrate } from '../sim/calibrate/calibrate.ts';
import { type EngineScenario, engineSchema } from '../sim/scenarios/engine-schema.ts';
import {
  converse,
  liveWorld,
  type MeasuredTurn,
  simulatedWorld,
} from './simulated-against-live/conversations.ts';
import { table } from './simulated-against-live/table.ts';

interface Options {
  readonly sessions: readonly number[];
  readonly runs: number;
  readonly seconds: number;
  readonly state: string;
  readonly write?: string;
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
  .option('--write <file>', 'write the table there as Markdown')
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

function open() {
  const config = loadConfig({}, process.env);
  return openEngine(config, resolveModelDirectory(config.model, config.seed).path, silentLogger);
}

const missing = await measure();
if (missing) console.log(`still missing: ${missing}; call again`);
else {
  const simulated = new Map<number, MeasuredTurn[][]>();
  for (const sessions of options.sessions) simulated.set(sessions, await simulate(sessions));
  const rows = options.sessions.map(sessions => ({
    sessions,
    live: state.live[sessions].slice(0, options.runs),
    simulated: simulated.get(sessions)!,
  }));
  const text = table(rows);
  console.log(options.json ? JSON.stringify({ profile: state.profile, rows }) : text);
  if (options.write) writeFileSync(options.write, text);
}
process.exit(0);
