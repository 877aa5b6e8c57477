/** docs/reliability.md. */
import { cpus, loadavg } from 'node:os';
import type { Caller } from './caller.ts';
import { FAULT_KINDS } from './faults.ts';
import { delays, type Losses, quantile, type Strike } from './report.ts';

export interface PageOptions {
  readonly options: {
    readonly calls: number;
    readonly rounds: number;
    readonly every: number;
    readonly hosts: number;
    readonly frontends: number;
  };
  readonly callers: readonly Caller[];
  readonly strikes: readonly Strike[];
  /** Of the faults, by their places in the list of all. */
  readonly kinds: readonly number[];
  /** From the last sample said to the first sound, without a fault, in milliseconds. */
  readonly usual: readonly number[];
}

const HEAD = [
  ...['what', 'fault', 'times', 'later, ms', 'calls lost', 'words lost', 'turns failed'],
  ...['not answered', 'twice'],
];
const LOST = ['calls', 'words', 'failed', 'unanswered', 'twice'] as const;

const cells = (row: readonly unknown[]) => `| ${row.join(' | ')} |`;
const spread = (ms: readonly number[]) => `${quantile(ms, 0.5)} / ${quantile(ms, 0.99)}`;

export function pageOf(given: PageOptions): string {
  const { kinds, strikes, usual, callers } = given;
  const usualMs = Number(quantile(usual, 0.5));
  const delaysOf = (some: readonly Strike[]) => some.flatMap(strike => delays(callers, strike, usualMs));
  const lost = (some: readonly Strike[], key: keyof Losses) =>
    some.reduce((sum, { losses }) => sum + losses[key], 0);
  const row = (what: string, how: string, some: readonly Strike[]) => {
    const ms = delaysOf(some);
    const figures = LOST.map(key => lost(some, key));
    return cells([what, how, some.length, `${spread(ms)} (${ms.length})`, ...figures]);
  };
  const rows = kinds.map(kind => {
    const { what, how } = FAULT_KINDS[kind];
    return row(
      what,
      how,
      strikes.filter(strike => strike.kind === kind),
    );
  });
  const inHosts = delaysOf(strikes.filter(({ kind }) => FAULT_KINDS[kind].what === 'an engine host'));
  return [
    '# What callers notice when parts fail',
    '',
    ...introduction(given),
    '',
    cells(HEAD),
    cells(HEAD.map(() => '---')),
    ...rows,
    row('**all**', '', strikes),
    '',
    `Engine hosts alone: ${spread(inHosts)} ms (n ${inHosts.length}; goal: p99 ≤ 500). ${aftermath(callers)}`,
    'A frontend that dies takes its calls with it: a session lives in one process, and its callers call the other.',
    '',
  ].join('\n');
}

function introduction({ options, callers, usual }: PageOptions): string[] {
  const { calls, rounds, every, hosts, frontends } = options;
  const command = `npm run bench -- reliability --calls ${calls} --rounds ${rounds} --every ${every} --write`;
  const made = callers.reduce((sum, each) => sum + each.calls, 0);
  const turns = callers.flatMap(caller => caller.turns).length;
  return [
    `Written by \`${command}\`; do not edit. A nats-server, ${hosts} engine hosts (audio encoder, language model, decoder)`,
    `and ${frontends} frontends ran on one machine of ${cpus().length} cores (load ${loadavg()[0].toFixed(1)} at the end:`,
    `with other work every figure is an upper bound). ${calls} callers at a time said the turns of a recorded call,`,
    `without the pauses between them: ${made} calls, ${turns} turns, one fault every ${every} s.`,
    '',
    '**Later** is, for each caller, how much later than usual the first answer after the fault began; where one was being',
    'spoken, how long until its next sound came (p50 / p99, number of turns). An undisturbed answer began',
    `${spread(usual)} ms after the last sample (p50 / p99, n ${usual.length}). **Calls** ended that should not have; **words** were told`,
    'and are in the conversation no more; turns **failed** with a reason that the client reads, were **not answered** within',
    '12 s, or were answered **twice**.',
  ];
}

function aftermath(callers: readonly Caller[]): string {
  const reasons = new Map<string, number>();
  const failures = callers.flatMap(({ turns }) => turns.flatMap(({ failure }) => failure ?? []));
  for (const each of [...failures, ...callers.flatMap(({ lost }) => lost)])
    reasons.set(each, (reasons.get(each) ?? 0) + 1);
  const resumed = callers.flatMap(({ resumedMs }) => resumedMs);
  const kept = callers.reduce((sum, { wordsKept }) => sum + wordsKept, 0);
  const given = [...reasons].map(([reason, count]) => `\`${reason}\` (${count})`).join(', ');
  return [
    `Lines that broke were taken up again after ${spread(resumed)} ms (n ${resumed.length}). Of what was told ${kept} words`,
    `were looked for at the ends of calls and found. Reasons given: ${given || 'none'}.`,
  ].join(' ');
}
