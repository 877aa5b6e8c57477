import type { Command } from 'commander';
import { VirtualClock } from '../../actors/core/index.ts';
import type { Session } from '../../actors/session-api.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { loadConfig } from '../config/load.ts';
import { type House, openHouse } from '../house.ts';
import { readVideo } from '../media/pictures.ts';
import { resampled } from '../media/resampled.ts';
import { checkWritable, readWav, writeWav } from '../media/wav.ts';
import { addConfigOptions } from '../options.ts';
import { singleFile } from '../replay/recording-files.ts';
import { Listener } from '../talk/listener.ts';
import { INPUT_SAMPLE_RATE, RecordedPerson } from '../talk/recorded-person.ts';
import { since, turnJson, turnText } from '../talk/report.ts';

/** The conversation is over when everybody has been quiet this long after the file's end. */
const REST_MS = 1_500;
const STEP_MS = 200;
const MAX_AFTER_FILE_MS = 300_000;

interface TalkOptions extends Record<string, unknown> {
  readonly video?: string;
  readonly clock: string;
  readonly out?: string;
  readonly json?: boolean;
  readonly config?: string;
}

/** `longcat-rt talk FILE.wav`: a recorded person through the full pipeline. */
export function talkCommand(command: Command): Command {
  command
    .argument('<file.wav>', 'what the person says')
    .option(
      '--video <path>',
      'directory of PNG/JPEG frames named by their milliseconds, or a video file where ffmpeg is installed',
    )
    .option(
      '--clock <real|virtual>',
      'virtual runs as fast as the machine can and repeats exactly',
      'virtual',
    )
    .option('--out <file.wav>', "write the agent's side of the conversation")
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  longcat-rt talk question.wav --video frames/ --out answer.wav');
  const settings = [
    'model',
    'engine',
    'threads',
    'ranks',
    'weights',
    'seed',
    'turnPreset',
    'endpointSilenceMs',
    'speculateSilenceMs',
    'vadThreshold',
    'truncateAt',
    'maxReplySteps',
    'babbleGuard',
    'maxTokensPerPicture',
    'logLevel',
    'record',
    'recordFileMb',
  ] as const;
  return addConfigOptions(command, settings).action(talk);
}

async function talk(file: string, options: TalkOptions): Promise<void> {
  if (options.clock !== 'real' && options.clock !== 'virtual') {
    throw new RuntimeError('cli.option', 'No such clock.', { clock: options.clock }, 'Give real or virtual.');
  }
  if (options.out) checkWritable(options.out);
  const samples = resampled(readWav(file), INPUT_SAMPLE_RATE);
  const frames = options.video ? await readVideo(options.video) : [];
  const config = loadConfig({ logLevel: 'error', ...options }, process.env, options.config);
  const { record, recordFileMb: fileMb } = config;
  const house = await openHouse(
    config,
    options.clock,
    record ? log => singleFile(record, { fileMb, totalMb: fileMb }, log) : undefined,
  );
  try {
    const session = house.runtime.openSession({
      ...house.sessionDefaults,
      delivery: { mode: 'paced', leadMs: 20 },
    });
    const sampleRate = house.engine.model.outputSampleRate;
    const listener = new Listener(session, house.clock, sampleRate);
    const person = new RecordedPerson(session, house.clock, samples, frames);
    await untilOver(house, session, person, listener);
    const turns = listener.traces.map(trace => since(person.startedAtMs, trace));
    if (options.out) writeWav(options.out, { sampleRate, samples: listener.recording() });
    console.log(
      options.json
        ? JSON.stringify({ turns: turns.map(turnJson) }, null, 2)
        : turns.map(turnText).join('\n\n'),
    );
  } finally {
    await house.close();
  }
}

async function untilOver(
  house: House,
  session: Session,
  person: RecordedPerson,
  listener: Listener,
): Promise<void> {
  const { clock } = house;
  let finishedAtMs = Number.POSITIVE_INFINITY;
  while (listener.failure === null && !(person.hasFinished && listener.restedForMs() >= REST_MS)) {
    await pass(house, STEP_MS);
    if (!person.hasFinished) continue;
    finishedAtMs = Math.min(finishedAtMs, clock.nowMs());
    if (clock.nowMs() - finishedAtMs > MAX_AFTER_FILE_MS) break;
  }
  person.hangUp();
  session.close('the recording is over');
  await pass(house, STEP_MS);
  if (listener.failure) throw listener.failure;
}

/** Lets time pass, whichever time it is. */
function pass({ clock }: House, durationMs: number): Promise<unknown> {
  if (clock instanceof VirtualClock) return clock.runFor(durationMs);
  return new Promise<void>(resolve => clock.setTimer(durationMs, resolve));
}
