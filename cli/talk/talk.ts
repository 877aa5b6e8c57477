import { writeFileSync } from 'node:fs';
import type { Session, TurnState } from '../../actors/session-api.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { type House, openHouse } from '../house.ts';
import { INTERRUPTED_STATUS, Interruption } from '../interruption.ts';
import { Microphone } from '../live/microphone.ts';
import { openLoudspeaker } from '../live/open-loudspeaker.ts';
import { checkOutput } from '../media/output.ts';
import { openVideo, Video } from '../media/video.ts';
import { encodeWav } from '../media/wav-format.ts';
import { singleFile } from '../replay/recording-files.ts';
import { type TalkPerson, untilOver } from './conversation.ts';
import { Listener, type ListenerHooks } from './listener.ts';
import { MicrophonePerson } from './microphone-person.ts';
import { INPUT_SAMPLE_RATE, RecordedPerson } from './recorded-person.ts';
import { since } from './report.ts';
import { noSpeech, readSpeech, type Speech } from './speech.ts';
import { TalkOutput } from './talk-output.ts';

const STANDARD_OUTPUT = '-';
const FILE_LEAD_MS = 20;
/** A program that plays wants a little in hand; an interruption throws it away with the program. */
const LIVE_LEAD_MS = 60;

export interface TalkOptions extends Record<string, unknown> {
  /** True: the default one. */
  readonly microphone?: string | true;
  readonly loudspeaker?: string | boolean;
  readonly channel?: number;
  readonly video?: string;
  readonly videoRate?: number;
  readonly clock?: string;
  readonly out?: string;
  readonly json?: boolean;
  readonly config?: string;
}

/** `longcat-rt talk`: a recorded person, or one before the microphone, through the full pipeline. */
export async function talk(file: string | undefined, options: TalkOptions): Promise<void> {
  const time = checkOptions(file, options);
  const { out } = options;
  const config = loadConfig({ logLevel: 'error', ...options }, process.env, options.config);
  if (out && out !== STANDARD_OUTPUT) checkOutput(out, [file, options.video, options.config, config.record]);
  const output = new TalkOutput(options.json ?? false, out === STANDARD_OUTPUT);
  const speech =
    file === undefined ? null : await readSpeech(file, options.channel, INPUT_SAMPLE_RATE, process.stdin);
  for (const warning of speech?.warnings ?? []) output.note(`warning: ${warning}`);
  const video = options.video ? await openVideo(options.video, options.videoRate) : new Video([]);
  try {
    const house = await openHouse(config, time, recordings(config));
    try {
      if (speech) await talkRecorded(house, speech, video, options, output);
      else await talkLive(house, options, output);
    } finally {
      await house.close();
    }
  } finally {
    video.close();
  }
}

function recordings({ record, recordFileMb: fileMb }: Config): Parameters<typeof openHouse>[2] {
  return record ? log => singleFile(record, { fileMb, totalMb: fileMb }, log) : undefined;
}

async function talkRecorded(
  house: House,
  speech: Speech,
  video: Video,
  options: TalkOptions,
  output: TalkOutput,
): Promise<void> {
  const startedAtMs = house.clock.nowMs();
  const { session, listener } = openConversation(house, FILE_LEAD_MS, {
    onTurn: trace => output.turn(since(startedAtMs, trace)),
  });
  const person = new RecordedPerson(session, house.clock, speech.samples, video);
  const progress = () => {
    const share = Math.min(1, person.spokenMs / Math.max(1, speech.durationMs));
    output.status(
      `${minutes(person.spokenMs)} of ${minutes(speech.durationMs)}  ${Math.floor(100 * share)} %`,
    );
  };
  const over = converse(house, session, person, listener, progress);
  await keepingWhatThereIs(house, listener, options, output, () => nothingHeard(listener, speech), over);
}

async function talkLive(house: House, options: TalkOptions, output: TalkOutput): Promise<void> {
  const { clock, engine } = house;
  const device = options.microphone === true ? undefined : options.microphone;
  const microphone = await Microphone.open({
    clock,
    device,
    sampleRate: INPUT_SAMPLE_RATE,
    input: process.stdin,
  });
  const loudspeaker = openLoudspeaker(engine.model.outputSampleRate, options.loudspeaker, text =>
    output.note(text),
  );
  const startedAtMs = clock.nowMs();
  const { session, listener } = openConversation(house, LIVE_LEAD_MS, {
    onTurn: trace => output.turn(since(startedAtMs, trace)),
    onState: state => output.status(stateText(state)),
    onAudio: samples => loudspeaker?.write(samples),
    onClear: () => loudspeaker?.clear(),
  });
  const person = new MicrophonePerson(session, clock, microphone);
  output.note(`Speak: the microphone is open (${microphone.name}). Ctrl-C hangs up.`);
  const nothing = () =>
    listener.hasHeardSpeech ? 'No turn was finished.' : 'No speech was heard from the microphone.';
  const over = converse(house, session, person, listener, () => {});
  await keepingWhatThereIs(house, listener, options, output, nothing, over);
  loudspeaker?.close();
  if (microphone.complaint) output.note(`The microphone ended (${microphone.complaint}).`);
}

function openConversation(house: House, leadMs: number, hooks: ListenerHooks) {
  const session = house.runtime.openSession({
    ...house.sessionDefaults,
    delivery: { mode: 'paced', leadMs },
  });
  return {
    session,
    listener: new Listener(session, house.clock, house.engine.model.outputSampleRate, hooks),
  };
}

function converse(
  { clock }: House,
  session: Session,
  person: TalkPerson,
  ear: Listener,
  onStep: () => void,
): (interruption: Interruption) => Promise<void> {
  const hangUp = () => session.close('the recording is over');
  return interruption => untilOver({ clock, person, ear, interruption, onStep, hangUp });
}

/** Also after an interruption or a failure the sound is written and the turns are told. */
async function keepingWhatThereIs(
  house: House,
  listener: Listener,
  { out }: TalkOptions,
  output: TalkOutput,
  nothing: () => string,
  over: (interruption: Interruption) => Promise<void>,
): Promise<void> {
  const interruption = new Interruption(() =>
    output.note('Hanging up; what there is is kept. Ctrl-C again ends at once.'),
  );
  let hasFailed = true;
  try {
    await over(interruption);
    hasFailed = false;
  } finally {
    interruption.stopWatching();
    const sound = () => encodeWav(listener.recording(), house.engine.model.outputSampleRate);
    if (out) writeFileSync(out === STANDARD_OUTPUT ? process.stdout.fd : out, sound());
    output.finish(!interruption.isAsked && !hasFailed, nothing());
    if (interruption.isAsked) process.exitCode = INTERRUPTED_STATUS;
  }
}

function nothingHeard(listener: Listener, speech: Speech): string {
  return listener.hasHeardSpeech
    ? `Speech was heard in ${speech.name}, but no turn was finished.`
    : noSpeech(speech);
}

/** Which time it is; a microphone has only one. @throws RuntimeError `cli.option` */
function checkOptions(file: string | undefined, options: TalkOptions): 'real' | 'virtual' {
  const { clock, microphone, video, videoRate, channel } = options;
  const isLive = microphone !== undefined;
  const refuse = (message: string, remedy: string, values = {}) => {
    throw new RuntimeError('cli.option', message, values, remedy);
  };
  if (clock !== undefined && clock !== 'real' && clock !== 'virtual')
    refuse('No such clock.', 'Give real or virtual.', { clock });
  if (file === undefined && !isLive) refuse('Nobody to listen to.', 'Give a sound file, - or --microphone.');
  if (file !== undefined && isLive)
    refuse('A file and the microphone at once.', 'Give one of them.', { file });
  if (isLive && clock === 'virtual') refuse('A microphone has no virtual time.', 'Leave --clock out.');
  if (isLive && (video !== undefined || channel !== undefined))
    refuse('--video and --channel belong to a file.', 'Leave them out with --microphone.');
  if (videoRate !== undefined && video === undefined)
    refuse('A rate without pictures.', 'Add --video FOLDER.');
  return isLive || clock === 'real' ? 'real' : 'virtual';
}

function stateText(state: TurnState): string {
  if (state === 'agentSpeaking' || state === 'ducked') return 'it answers (interrupt by talking)';
  if (state === 'working') return 'it waits for a tool';
  return state === 'idle' || state === 'interrupted' ? 'listening' : 'you speak';
}

function minutes(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
