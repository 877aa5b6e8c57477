/**
 * Whether a replay with a setting changed says what a real run with that setting does: one conversation is recorded,
 * replayed with each setting, and run again with it; the times to first audio of the turns are compared.
 *
 *   npm run bench -- replayed-against-live [--settings turnPreset=fast,endpointSilenceMs=400] [--clock virtual]
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { recordedEvents } from '../actors/recording/index.ts';
import { readRecording } from '../cli/replay/recording-files.ts';
import { PACKAGE_ROOT } from '../kernels/package-root.ts';

/** One other value of every setting that a replay can change and a conversation of two turns can show. */
const SETTINGS = [
  'turnPreset=fast',
  'turnPreset=balanced',
  'turnPreset=patient',
  'turnPreset=telephone',
  'endpointSilenceMs=400',
  'endpointSilenceMs=900',
  'speculateSilenceMs=650',
  'vadThreshold=0.7',
  'prefixPaddingMs=100',
  'truncateAt=sample',
  'maxReplySteps=24',
  'babbleGuard=off',
  'maxTokensPerPicture=32',
  'maxBatch=1',
  'prefillTokenBudget=16',
  'seed=7',
  'maxSessions=2',
];

const options = new Command('replayed-against-live')
  .option('--settings <a=b,c=d>', 'which', text => text.split(','), SETTINGS)
  .option('--clock <real|virtual>', 'of the real runs', 'virtual')
  .option('--file <wav>', 'what is said', 'test/fixtures/talk/two-turns.wav')
  .option('--json', 'print JSON', false)
  .parse()
  .opts<{ settings: string[]; clock: string; file: string; json: boolean }>();

const folder = mkdtempSync(join(tmpdir(), 'replayed-against-live-'));

function run(...args: string[]): string {
  const { status, stderr, stdout } = spawnSync(process.execPath, ['cli/longcat-rt.js', ...args], {
    cwd: PACKAGE_ROOT,
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  if (status !== 0) throw new Error(`longcat-rt ${args.join(' ')}: ${stderr}`);
  return stdout;
}

const flag = (name: string) => `--${name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`;
let recordings = 0;

/** Times to first audio of a real run with these settings, by turn; null where a turn was not answered. */
function live(settings: readonly string[]): { readonly file: string; readonly latencies: (number | null)[] } {
  const file = join(folder, `${recordings++}.recording`);
  const flags = settings.flatMap(setting => {
    const [name, value] = setting.split('=');
    return [flag(name), value];
  });
  run('talk', options.file, '--clock', options.clock, '--record', file, ...flags);
  const traces = [...recordedEvents(readRecording(file))].flatMap(({ json }) =>
    json.startsWith('{"type":"turn.trace"') ? [JSON.parse(json).trace] : [],
  );
  return { file, latencies: traces.map(trace => trace.waterfall?.totalMs ?? null) };
}

function replayed(file: string, setting: string): (number | null)[] {
  const { turns } = JSON.parse(run('replay', file, '--json', '--set', setting));
  return turns.flatMap((turn: { after: unknown; latencyMsAfter: number | null }) =>
    turn.after ? [turn.latencyMsAfter] : [],
  );
}

const recorded = live(['turnPreset=none']);
const rows = options.settings.map(setting => {
  // Whoever changes a silence alone keeps silence alone.
  const others = setting.startsWith('turnPreset=') ? [] : ['turnPreset=none'];
  const [now, then] = [live([...others, setting]).latencies, replayed(recorded.file, setting)];
  const errors = now.flatMap((ms, i) => {
    const other = then[i];
    return ms === null || other === null || other === undefined ? [] : [Math.abs(ms - other)];
  });
  const isWhole = now.length === then.length && errors.length === now.filter(ms => ms !== null).length;
  return { setting, live: now, replayed: then, worstMs: isWhole ? Math.max(0, ...errors) : null };
});
rmSync(folder, { recursive: true });
const shown = (all: readonly (number | null)[]) =>
  all.map(ms => (ms === null ? 'none' : ms.toFixed(1))).join(', ');
if (options.json) console.log(JSON.stringify(rows, null, 2));
else
  for (const { live: now, replayed: then, setting, worstMs } of rows)
    console.log(
      `${setting.padEnd(26)} live ${shown(now).padEnd(18)} replayed ${shown(then).padEnd(18)} ${worstMs === null ? 'other turns' : `${worstMs.toFixed(1)} ms apart`}`,
    );
