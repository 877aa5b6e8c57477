/**
 * Whether a replay with a setting changed says what a real run with that setting does: one conversation is recorded,
 * replayed with each setting, and run again with it; the times to first audio of the turns are compared.
 *
 *   npm run bench -- replayed-against-live [--parts presets,silence,hearing,replies,limits,engines] [--settings a=b]
 *   [--clock virtual] [--within 600] [--state FOLDER] [--record]
 *
 * What was compared is kept in --state, so that it may be cut short and gone on with: throw the folder away where the
 * product has changed. After --within seconds no other setting is begun, and those that are left are named. `--record`
 * takes the table into docs/validation.md.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { recordedEvents } from '../actors/recording/index.ts';
import { readRecording } from '../cli/replay/recording-files.ts';
import { replayedTable, validationPage } from '../cli/sim/validation-page.ts';
import { PAGE_FILE, type ReplayedRow, readRecord, writeRecord } from '../cli/sim/validation-record.ts';
import { PACKAGE_ROOT } from '../kernels/package-root.ts';
import { publishedGroups } from '../sim/validation/published.ts';
import { assigned, PARTS } from './replayed-against-live/settings.ts';

interface Options {
  readonly parts: readonly string[];
  readonly settings?: readonly string[];
  readonly clock: string;
  readonly file: string;
  readonly within: number;
  readonly state: string;
  readonly record: boolean;
}

const list = (text: string) => text.split(',');
const options = new Command('replayed-against-live')
  .option('--parts <a,b>', 'which groups of settings', list, Object.keys(PARTS))
  .option('--settings <a=b,c=d>', 'these instead', list)
  .option('--clock <real|virtual>', 'of the real runs', 'virtual')
  .option('--file <wav>', 'what is said', 'test/fixtures/talk/two-turns.wav')
  .option('--within <s>', 'begin no other setting after this', Number, 600)
  .option('--state <folder>', 'what was compared already', '.cache/replayed-against-live')
  .option('--record', 'take the table into docs/validation.md', false)
  .parse()
  .opts<Options>();

/** Of one run; a reference engine on a busy machine takes a minute. */
const RUN_TIMEOUT_MS = 180_000;
/** Without a preset: whoever changes a silence alone keeps silence alone. */
const PLAIN = 'turnPreset=none';
const state = join(PACKAGE_ROOT, options.state);
mkdirSync(state, { recursive: true });

function run(args: readonly string[], set: Readonly<Record<string, string>> = {}): string {
  const { error, status, stderr, stdout } = spawnSync(process.execPath, ['cli/longcat-rt.js', ...args], {
    ...{ cwd: PACKAGE_ROOT, encoding: 'utf8', maxBuffer: 64 << 20, timeout: RUN_TIMEOUT_MS },
    env: { ...process.env, ...set },
  });
  if (status !== 0) throw new Error(`longcat-rt ${args.join(' ')}: ${error?.message ?? stderr}`);
  return stdout;
}

/** Not every command has a flag for every setting. */
const variable = (name: string) =>
  `LONGCAT_RT_${name.replace(/[A-Z]/g, letter => `_${letter}`).toUpperCase()}`;

/** Times to first audio of a real run with these settings, by turn; null where a turn was not answered. */
function live(file: string, settings: readonly string[]): (number | null)[] {
  if (!existsSync(file)) {
    const set = settings.map(setting => {
      const { name, value } = assigned(setting, state);
      return [variable(name), value];
    });
    const unfinished = `${file}.new`;
    rmSync(unfinished, { force: true });
    run(['talk', options.file, '--clock', options.clock, '--record', unfinished], Object.fromEntries(set));
    renameSync(unfinished, file);
  }
  const traces = [...recordedEvents(readRecording(file))].flatMap(({ json }) =>
    json.startsWith('{"type":"turn.trace"') ? [JSON.parse(json).trace] : [],
  );
  return traces.map(trace => trace.waterfall?.totalMs ?? null);
}

function replayed(file: string, setting: string): (number | null)[] {
  const { name, value } = assigned(setting, state);
  const yaml = name === 'place' ? `[${value}]` : value;
  const { turns } = JSON.parse(run(['replay', file, '--json', '--set', `${name}=${yaml}`]));
  return turns.flatMap((turn: { after: unknown; latencyMsAfter: number | null }) =>
    turn.after ? [turn.latencyMsAfter] : [],
  );
}

/** From the folder, or compared and kept there. */
function compared(setting: string): ReplayedRow {
  const stem = join(state, `${options.clock}-${setting.replace(/[^\w.]+/g, '-')}`);
  if (existsSync(`${stem}.json`)) return JSON.parse(readFileSync(`${stem}.json`, 'utf8'));
  const recorded = join(state, `${options.clock}.recording`);
  live(recorded, [PLAIN]);
  const others = setting.startsWith('turnPreset=') ? [] : [PLAIN];
  const [now, then] = [live(`${stem}.recording`, [...others, setting]), replayed(recorded, setting)];
  const errors = now.flatMap((ms, i) => {
    const other = then[i];
    return ms === null || other === null || other === undefined ? [] : [Math.abs(ms - other)];
  });
  const isWhole = now.length === then.length && errors.length === now.filter(ms => ms !== null).length;
  const row = { setting, live: now, replayed: then, worstMs: isWhole ? Math.max(0, ...errors) : null };
  writeFileSync(`${stem}.json`, JSON.stringify(row));
  return row;
}

const began = performance.now();
const wanted = options.settings ?? options.parts.flatMap(part => PARTS[part] ?? []);
const rows: ReplayedRow[] = [];
const left: string[] = [];
for (const setting of wanted) {
  if (performance.now() - began > options.within * 1000) left.push(setting);
  else {
    rows.push(compared(setting));
    console.log(JSON.stringify(rows.at(-1)));
  }
}
if (options.record && left.length === 0) {
  const known = readRecord();
  if (!known) throw new Error('There is no record yet: longcat-rt sim validate --write.');
  const date = new Date().toISOString().slice(0, 10);
  writeRecord({ ...known, replayed: { date, clock: options.clock, said: options.file, rows } });
  writeFileSync(PAGE_FILE, validationPage(publishedGroups(), readRecord()!));
}
console.log(replayedTable(rows));
if (left.length > 0) console.log(`left, in another call: --settings ${left.join(',')}`);
