/** docs/validation.md as text. */
import { type Check, errorOf, holds } from '../../sim/validation/check.ts';
import type { Coverage } from '../../sim/validation/coverage.ts';
import type { Group } from '../../sim/validation/published.ts';
import { RHO } from '../../sim/validation/theory.ts';
import { table } from './markdown-table.ts';
import type { LiveRecord, RecordedEstimate, ReplayedRow, ValidationRecord } from './validation-record.ts';

const INTRODUCTION = `# How far the simulator can be believed

Written by \`longcat-rt sim validate --write\`; a test fails when it is not current. Published values and their grades are in
docs/spec/latency-data.md; "error" is simulated over published, less one. What is not in these tables has not been checked.`;

const DOUBTS = `## Doubts, and what is not there

- The target of 300 ms from a barge-in to silence at the ear is missed on a wired path: 200 ms of it is the speech that the
  decision waits for, the rest capture, network, and what had been sent: over RTP, sound that is under way and in the listener's
  buffer is heard to its end, and so is what the renderer has taken.
- The roofline of the whole step, without calibration, is two to three times faster than LongCat-Flash was measured. On H800
  LongCat-Flash decodes along the measured line, at other sizes than 128 devices with what the sheets say of the difference; other
  models and accelerators decode by the sheets alone unless \`blockOverheadMs\` or a table is given. With two numbers from
  LongCat-Flash's rows the roofline meets DeepSeek-V3's steps as SGLang measured them; it is off by a quarter and more for Moshi on a small card,
  for Qwen3-Omni on one card, and for what overlapping two batches gains.
- A step that verifies drafted tokens is shared by them evenly: the pace is right on average, the unevenness of acceptance is left out.
- A cascade's first clause (\`speech.headSteps\`) holds its whole batch up, which a serving engine would not let it do.
- Disaggregation is modelled within one step: the language-model actor drives both pools, so that a step takes the longer of
  the two.
- What the judge of a turn's end can tell (\`turnTaking.judge\`) was set by hand so that \`balanced\` comes near docs/turn-taking.md, and
  not fitted; what is understood of a lossy line follows a law of our own (docs/spec/latency-data.md §4.5).
- Live, the time after the endpoint alone is 10 to 36 ms at the median and the 95th percentile; simulated it is a tenth to a half
  shorter. The profile holds steps and late timers of an otherwise idle machine; the live runs share two processors with their own
  people. The goals are on the whole way from the last sound, of which 650 ms are silence. The tables "Live" and "Speed" are of the dates they
  bear, with the simulator as it was then.
- With packets of a second, which is what the report sends, voice activity that is judged behind the packets learns of the silence's
  beginning and end mostly at once, and the report's 100 ms after the endpoint are barely missed; judged before packets are formed, they hold.
- One run knows little of what is rare. Of a hundred turns one or two wait for a noise to end, for a second or more: one run in four sees none,
  and no arithmetic finds in its turns what is not there. Such waits therefore count by themselves, with what may have been missed of them; more
  runs (\`--replications\`) or longer ones narrow it. How busy devices are in a run of fewer than sixteen call lengths has no interval at
  all, and over five such runs Student's bounds hold too rarely. The weight of what was not seen was chosen on the first 150 of the seeds.
- The table "Replayed" compares times in virtual time alone, where settings of the engine cannot move them: that the turns are the
  same is what it says of those.
- A lost host (\`engine.outages\`) is the language model's alone, and callers whose call failed do not dial again; in a day
  (\`day\`) a replica is lost with its calls, and they do. Between the stretches of a day nothing is said.
- Of the fifteen rows that are held out seven are within the goal of 10 % and eight are not. Of six of these an input is not public (whether
  a step verified a drafted token, the width of the weights, what an engine takes beside the arithmetic: one thinker is published at
  13.3 and at 7.0 ms a token); of two the law leaves something out (what overlaps within one batch, Mimi). It stands beside each. No
  number was fitted to them.
- Sections 1.4, 2.4, 4.5 and 5.5 of docs/spec/latency-data.md were written from memory and never looked up. No check is against them, but
  they are inputs: the held-out rows of DeepSeek-V3, Moshi and Qwen3-Omni stand on the sizes in 2.4, costs and energy of small cards on
  1.4, turns said again on 4.5, what a loss does to sound on 5.5.
- Not there: a carrier's own door (\`carrier\` is bursts with marks), failures of other single devices than the language model's host;
  first audio of vLLM-Omni under load (325, 603 and 699 ms of 8, 16 and 24 requests), for which the prompts' length is not public, and of
  Qwen3-Omni on one H200 (0.34 s alone, 1 s of eight), whose source was not found again. A simulated tool takes no arguments, and a
  call is one tool's.
- The goals of ten times real time for a thousand RTP sessions of 20 ms on one core, and of three times the first build for two hundred, are
  missed. Silence costs next to nothing since 2026-12-01 (its packets travel when somebody speaks again), nor does the end of a session; of
  a run of 400 sessions a third are packets of the uplink with speech in them (a third of that the turn-taking machine), a fifth frames of
  the downlink, a third steps of the engines, and within each the profile is flat. Ten times real time leaves a hundred microseconds for a
  second of one conversation, and in packets of a second, the quickest there is, it took 180 before that: no other way for packets alone
  reaches it. A day of 500 lines takes minutes because it is simulated word by word in stretches alone.
- \`nano-laptop.yaml\` uses constants that were not measured; \`longcat-rt sim calibrate\` measures a machine.`;

export function validationPage(groups: readonly Group[], record: ValidationRecord): string {
  return [
    INTRODUCTION,
    '## Published figures',
    ...groups.map(groupText),
    theoryText(record),
    conversationText(record),
    record.coverage && coverageText(record.coverage),
    record.live && liveText(record.live),
    record.replayed && replayedText(record.replayed),
    speedText(record),
    DOUBTS,
    '',
  ]
    .filter(part => part !== null)
    .join('\n\n')
    .trimEnd()
    .concat('\n');
}

function groupText({ title, about, checks }: Group): string {
  const areExplained = checks.some(({ why }) => why !== undefined);
  const rows = checks.map(check => {
    const { quantity, unit, published, simulated, digits, why = '' } = check;
    const show = (value: number) => `${value.toFixed(digits)}${unit && ` ${unit}`}`;
    const verdict = holds(check) ? '' : ' **missed**';
    const cells = [quantity, show(published), show(simulated), `${percent(errorOf(check))}${verdict}`];
    return areExplained ? [...cells, why] : cells;
  });
  const heads = ['quantity', 'published', 'simulated', 'error', ...(areExplained ? ['why'] : [])];
  return `### ${title}\n\n${about}\n\n${table(heads, rows)}`;
}

function theoryText({ theory }: ValidationRecord): string {
  const rows = theory.map(({ system, expected, simulated }) => [
    system,
    expected.toFixed(4),
    shown(simulated, '', 4),
    percent((simulated.value ?? Number.NaN) / expected - 1),
  ]);
  const about = `Mean wait at ρ = ${RHO} in mean services; n independent runs of 30,000 customers, 95 % interval. Erlang's share that
waits, Little's law, Gilbert–Elliott loss and bursts, ITU-T P.59, the ex-Gaussian gap and the lognormal pause are held by
\`npx vitest run test/sim/queueing.test.ts test/sim/worlds.test.ts\`.`;
  return `## Theory\n\n${about}\n\n${table(['queue', 'exact', 'simulated', 'error'], rows)}`;
}

function conversationText({ conversations }: ValidationRecord): string {
  const rows = conversations.map(({ scenario, figure, expected, unit, estimate }) => [
    scenario,
    figure,
    expected,
    shown(estimate, unit, 1, unit === '%' ? 100 : 1),
  ]);
  const about = `\`longcat-rt sim sim/scenarios/NAME.yaml\`, seed 1; 95 % intervals that allow for what sessions and stretches of time have in common. Expected shares of pauses
follow from the lognormal law of docs/spec/latency-data.md §4.2, given that pauses below 200 ms are bridged. Latencies are at the ear: network
and devices of the listener included. "After the endpoint" is nothing with speculation because decoding ran under the silence.`;
  return `## Conversations\n\n${about}\n\n${table(['scenario', 'figure', 'expected', 'simulated'], rows)}`;
}

/** Live figure, least and greatest run, simulated figure, error and what it may be. */
export function liveTable({ rows }: LiveRecord): string {
  const cells = rows.map(({ sessions, figure, goal, liveMs, simulatedMs, runsMs, turns }) => {
    const error = simulatedMs / liveMs - 1;
    const verdict = Math.abs(error) <= (goal ?? 1) ? 'holds' : '**missed**';
    return [
      `${sessions} session${sessions > 1 ? 's' : ''}: ${figure}`,
      `${liveMs.toFixed(1)} ms (${Math.min(...runsMs).toFixed(1)} – ${Math.max(...runsMs).toFixed(1)})`,
      `${simulatedMs.toFixed(1)} ms`,
      percent(error),
      goal === null ? '–' : `≤ ${goal * 100} %: ${verdict}`,
      `${turns.live} / ${turns.simulated}`,
    ];
  });
  const heads = ['load and figure', 'live (least – greatest run)', 'simulated', 'error', 'goal', 'n turns'];
  return table(heads, cells);
}

/** One row a scenario and figure: how many of the intervals held the truth. */
export function coverageTable(rows: readonly Coverage[]): string {
  const share = ({ held, intervals }: Coverage) =>
    intervals === 0 ? 'none formed' : `${((100 * held) / intervals).toFixed(1)} % (${held} of ${intervals})`;
  const pairs = rows.filter(({ kind }) => kind === 'within a run');
  const cells = pairs.map(row => {
    const { figure, scenario } = row;
    const over = rows.find(
      other => other.kind === 'over 5 runs' && other.scenario === scenario && other.figure === figure,
    );
    return [scenario, figure, share(row), over ? share(over) : '–'];
  });
  return table(['scenario', 'figure', 'within one run', 'over 5 runs'], cells);
}

function coverageText({ rows, seeds }: NonNullable<ValidationRecord['coverage']>): string {
  return `## Intervals

\`npm run bench -- coverage\`: how many of the 95 % intervals of ${seeds} seeds hold the figure of all seeds together. The goal is 93 to
97 %, over all of them; these are ${seeds}, of which intervals that each hold it with 95 % hold between ${bounds(seeds)} of the time. Scenarios are in
sim/validation/coverage.ts. "None formed": the run is too short to say. All together: ${pooled(rows, 'within a run')} within one run,
${pooled(rows, 'over 5 runs')} over five.

${coverageTable(rows)}`;
}

function pooled(rows: readonly Coverage[], kind: Coverage['kind']): string {
  const { held, intervals } = pooledCoverage(rows, kind);
  return `${((100 * held) / intervals).toFixed(1)} % of ${intervals.toLocaleString('en')}`;
}

/** Of all figures and scenarios. */
export function pooledCoverage(
  rows: readonly Coverage[],
  kind: Coverage['kind'],
): Pick<Coverage, 'held' | 'intervals'> {
  const of = rows.filter(row => row.kind === kind);
  const sum = (value: (row: Coverage) => number) => of.reduce((total, row) => total + value(row), 0);
  return { held: sum(({ held }) => held), intervals: sum(({ intervals }) => intervals) };
}

/** Of so many intervals, the shares between which 95 % of cases lie. */
function bounds(seeds: number): string {
  const half = 1.96 * Math.sqrt((0.95 * 0.05) / seeds);
  return `${(100 * (0.95 - half)).toFixed(1)} and ${(100 * Math.min(1, 0.95 + half)).toFixed(1)} %`;
}

function liveText(live: LiveRecord): string {
  return `## Live

\`npm run bench -- simulated-against-live\`, ${live.date}, ${live.machine}; ${live.runs} live runs of each load. Nano with the fastest
engine, six recorded turns a person, speculation off, so that the engine’s time shows in full; the endpoint waits for 650 ms of
silence. The profile was calibrated on single components (\`longcat-rt sim calibrate\`), never on conversations. The simulated
runs use the profile’s step times, its servers and its late timers; arithmetic, actors, people and seeds are those of the live runs.

${liveTable(live)}`;
}

/** One row a setting: what a real run and a replay say of each turn, and how far they are apart. */
export function replayedTable(rows: readonly ReplayedRow[]): string {
  const all = (times: readonly (number | null)[]) =>
    times.map(ms => (ms === null ? 'none' : ms.toFixed(1))).join(', ');
  const cells = rows.map(({ setting, live, replayed, worstMs }) => [
    setting,
    all(live),
    all(replayed),
    worstMs === null ? '**other turns**' : worstMs.toFixed(1),
  ]);
  return table(['setting', 'real run, ms', 'replayed, ms', 'apart, ms'], cells);
}

function replayedText({ clock, date, rows, said }: NonNullable<ValidationRecord['replayed']>): string {
  return `## Replayed

\`npm run bench -- replayed-against-live\`, ${date}: one conversation (${said}) recorded without a preset, replayed with each setting that a
replay can change, and spoken anew with it, ${clock === 'virtual' ? 'in virtual time, in which arithmetic takes none' : 'in real time'}. Times to first audio of its turns.

${replayedTable(rows)}`;
}

function speedText({ speed }: ValidationRecord): string | null {
  if (!speed) return null;
  const { date, machine, customers, ours, simpy, conversations, paced } = speed;
  const all = (values: readonly number[]) => values.map(value => value.toFixed(2)).join(', ');
  const peer = simpy
    ? ` SimPy 2.3.1 in the same run: ${simpy.median.toFixed(2)} s [${all(simpy.all)}], ${(simpy.median / ours.median).toFixed(1)} times slower.`
    : '';
  const { sessions, minutes, wall, processor } = conversations;
  const seconds = ({ median, all }: typeof wall) =>
    `median ${median.toFixed(1)} s [${all.map(value => value.toFixed(1)).join(', ')}]`;
  return `## Speed

\`npm run bench -- simulator\`, ${date}, ${machine}. M/M/1 with ${customers.toLocaleString('en')} customers: median ${ours.median.toFixed(2)} s [${all(ours.all)}], n ${ours.all.length}.${peer}
${sessions} sessions of ${minutes} minutes, in packets of a second: ${seconds(wall)}, n ${wall.all.length}; goal: 10 s, ${wall.median <= 10 ? 'holds' : 'missed'}.
Processor time, with the compiler's and the collector's threads: ${seconds(processor)}.${pacedText(paced)}`;
}

function pacedText(paced: NonNullable<ValidationRecord['speed']>['paced']): string {
  const rows = paced.map(
    ({ seconds, sessions, times }) =>
      `${sessions} sessions of ${seconds} s: ${times.median.toFixed(2)} × real time [${times.all.map(value => value.toFixed(2)).join(', ')}]`,
  );
  return rows.length === 0 ? '' : `\nRTP in packets of 20 ms, by processor time: ${rows.join('; ')}.`;
}

function shown({ n, value, interval }: RecordedEstimate, unit: string, digits: number, factor = 1): string {
  if (value === null) return `no data, n ${n}`;
  const number = (each: number) => (each * factor).toFixed(digits);
  const bounds = interval ? `[${number(interval[0])}, ${number(interval[1])}]` : '[n too small]';
  return `${number(value)}${unit && ` ${unit}`} ${bounds}, n ${n}`;
}

function percent(share: number): string {
  const text = (share * 100).toFixed(1);
  return `${share > 0 && text !== '0.0' ? '+' : ''}${text === '-0.0' ? '0.0' : text.replace('-', '−')} %`;
}

/** For a terminal: one line a check, and what does not hold. */
export function publishedText(groups: readonly Group[]): string {
  return groups.map(({ title, checks }) => [title, ...checks.map(checkText)].join('\n')).join('\n\n');
}

function checkText(check: Check): string {
  const { quantity, unit, published, simulated, digits } = check;
  const numbers = [published, simulated]
    .map(value => `${value.toFixed(digits)} ${unit}`.padStart(14))
    .join('');
  return `  ${quantity.padEnd(52)}${numbers}  ${percent(errorOf(check))}${holds(check) ? '' : '  MISSED'}`;
}
