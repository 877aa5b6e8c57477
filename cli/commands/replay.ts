import { writeFileSync } from 'node:fs';
import { SingleBar } from 'cli-progress';
import type { Command } from 'commander';
import { RuntimeError } from '../../kernels/errors.ts';
import { checkOutput } from '../media/output.ts';
import { writeWav } from '../media/wav.ts';
import { replayHtml } from '../replay/html-report.ts';
import { readRecording } from '../replay/recording-files.ts';
import { type ReplayOutcome, runReplay } from '../replay/run-replay.ts';
import { latencyMs, replayText } from '../replay/text-report.ts';
import { whatIf } from '../replay/what-if.ts';
import { type Assignment, assignment } from '../sim/scenario-file.ts';

interface ReplayCommandOptions {
  readonly set: readonly Assignment[];
  readonly json?: boolean;
  readonly html?: string;
  readonly out?: string;
  readonly session?: string;
}

/** `longcat-rt replay FILE`: a recorded conversation through the same actors again. */
export function replayCommand(command: Command): Command {
  return command
    .argument('<file>', 'made by serve --record or talk --record')
    .option(
      '--set <path=value>',
      'change a setting, for example endpointSilenceMs=400, or the costs of the engine: costs=FILE (sim calibrate writes one); may be repeated',
      assignment,
      [],
    )
    .option('--json', 'print JSON')
    .option('--html <file>', 'write a report with the waterfalls before and after')
    .option('--out <file.wav>', "write the agent's side of the conversation")
    .option('--session <id>', 'whose conversation --out writes; the first one unless given')
    .addHelpText(
      'after',
      '\nA replay that comes out differently though nothing was changed ends with status 1.\n' +
        '\nExample:\n  longcat-rt replay call.recording --set endpointSilenceMs=400 --html what-if.html',
    )
    .action(replayFile);
}

async function replayFile(file: string, options: ReplayCommandOptions): Promise<void> {
  for (const path of [options.out, options.html]) if (path) checkOutput(path, [file]);
  const recording = readRecording(file);
  const { header, tornBytes } = recording;
  const bar = new SingleBar({
    format: '{bar} {percentage} % | {eta_formatted} left',
    clearOnComplete: true,
    noTTYOutput: false,
  });
  const change = whatIf(header.config, options.set);
  bar.start(1000, 0);
  const outcome = await runReplay(recording, change, {
    isUnchanged: options.set.length === 0,
    allowsOtherModel: options.set.some(({ path }) => path === 'model'),
    onProgress: share => bar.update(Math.floor(share * 1000)),
  }).finally(() => bar.stop());
  const text = replayText(header, tornBytes, outcome);
  console.log(options.json ? json(outcome, tornBytes) : text);
  const { comparison, startMs, divergence } = outcome;
  if (options.html)
    writeFileSync(options.html, replayHtml(`Replay of ${file}`, text, comparison.turns, startMs));
  if (options.out) writeSound(options.out, outcome, options.session);
  if (options.set.length === 0 && (divergence || comparison.firstDifference)) process.exitCode = 1;
}

function writeSound(path: string, { listeners, outputSampleRate }: ReplayOutcome, session?: string): void {
  const id = session ?? [...listeners.keys()][0];
  const listener = listeners.get(id);
  if (!listener) {
    const values = { session, sessions: [...listeners.keys()].join(', ') };
    throw new RuntimeError(
      'replay.session',
      'The recording has no such session.',
      values,
      'Give one of them.',
    );
  }
  writeWav(path, { samples: listener.recording(), sampleRate: outputSampleRate });
}

function json(
  { comparison, divergence, startMs, endMs, endReason }: ReplayOutcome,
  tornBytes: number,
): string {
  const { turns, ...rest } = comparison;
  const parsed = (text: string | null) => (text === null ? null : JSON.parse(text));
  const first = rest.firstDifference;
  return JSON.stringify(
    {
      isBitExact: !first && !divergence,
      startMs,
      endMs,
      isCutOff: endReason === null,
      tornBytes,
      ...rest,
      firstDifference: first && { ...first, before: parsed(first.before), after: parsed(first.after) },
      divergence,
      turns: turns.map(({ session, before, after }) => ({
        session,
        latencyMsBefore: latencyMs(before),
        latencyMsAfter: latencyMs(after),
        before,
        after,
      })),
    },
    null,
    2,
  );
}
