import { writeFileSync } from 'node:fs';
import { RealClock } from '../../actors/core/index.ts';
import type { Clock } from '../../actors/core/clock.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { INTERRUPTED_STATUS, Interruption } from '../interruption.ts';
import { openLoudspeaker } from '../live/open-loudspeaker.ts';
import { Microphone } from '../live/microphone.ts';
import { checkOutput } from '../media/output.ts';
import { Video } from '../media/video.ts';
import { encodeWav } from '../media/wav-format.ts';
import { type TalkPerson, untilOver } from '../talk/conversation.ts';
import { MicrophonePerson } from '../talk/microphone-person.ts';
import { RecordedPerson } from '../talk/recorded-person.ts';
import { readSpeech } from '../talk/speech.ts';
import { StatusLine } from '../talk/status-line.ts';
import { callAddress, shownAddress } from './address.ts';
import { CALL_SAMPLE_RATE, CallingClient } from './call-session.ts';
import { callTurnText } from './call-report.ts';
import type { CallTurn } from './call-turns.ts';
import { CallingLine, type WireEvent } from './line.ts';

const KEY_VARIABLE = 'LONGCAT_RT_KEY';

export interface CallCommandOptions {
  readonly microphone?: string | true;
  readonly loudspeaker?: string | boolean;
  readonly channel?: number;
  readonly instructions?: string;
  readonly out?: string;
  readonly json?: boolean;
}

/** `longcat-rt call`: a recorded person, or one before the microphone, calls a running server. */
export async function call(
  address: string,
  file: string | undefined,
  options: CallCommandOptions,
): Promise<void> {
  const url = callAddress(address);
  checkOptions(file, options);
  if (options.out) checkOutput(options.out, [file]);
  const speech =
    file === undefined ? null : await readSpeech(file, options.channel, CALL_SAMPLE_RATE, process.stdin);
  const output = new CallOutput(options.json ?? false);
  for (const warning of speech?.warnings ?? []) output.note(`warning: ${warning}`);
  const clock = new RealClock();
  const early: WireEvent[] = [];
  let session: CallingClient | null = null;
  const line = await CallingLine.open(url, process.env[KEY_VARIABLE], event =>
    session ? session.on(event) : early.push(event),
  );
  let microphone: Microphone | null = null;
  try {
    if (!speech) microphone = await openMicrophone(clock, options.microphone);
    const loudspeaker = speech ? null : openLoudspeaker(CALL_SAMPLE_RATE, options.loudspeaker, output.note);
    session = new CallingClient(line, clock, options.instructions, {
      onTurn: turn => output.turn(turn),
      onState: text => output.status(text),
      onComplaint: message => output.note(`The server complains: ${message}`),
      onAudio: samples => loudspeaker?.write(samples),
      onClear: () => loudspeaker?.clear(),
    });
    for (const event of early) session.on(event);
    const person: TalkPerson = microphone
      ? new MicrophonePerson(session, clock, microphone, CALL_SAMPLE_RATE)
      : new RecordedPerson(session, clock, speech!.samples, new Video([]), CALL_SAMPLE_RATE);
    output.note(
      `Calling ${shownAddress(url)}${microphone ? ` (microphone: ${microphone.name})` : ''}. Ctrl-C hangs up.`,
    );
    await converse(clock, session, person, options, output);
    loudspeaker?.close();
    if (microphone?.complaint) output.note(`The microphone ended (${microphone.complaint}).`);
  } finally {
    microphone?.close();
    line.hangUp();
  }
}

/** Also after an interruption or a failure the sound is written and the turns are told. */
async function converse(
  clock: Clock,
  session: CallingClient,
  person: TalkPerson,
  { out }: CallCommandOptions,
  output: CallOutput,
): Promise<void> {
  const interruption = new Interruption(() =>
    output.note('Hanging up; what there is is kept. Ctrl-C again ends at once.'),
  );
  let hasFailed = true;
  try {
    await untilOver({
      clock,
      person,
      ear: session,
      interruption,
      onStep: () => session.tick(),
      hangUp: () => session.hangUp(),
    });
    hasFailed = false;
  } finally {
    interruption.stopWatching();
    if (out) writeFileSync(out, encodeWav(session.recording(), CALL_SAMPLE_RATE));
    output.finish(!interruption.isAsked && !hasFailed);
    if (interruption.isAsked) process.exitCode = INTERRUPTED_STATUS;
  }
}

function openMicrophone(clock: Clock, wanted: string | true | undefined): Promise<Microphone> {
  const device = wanted === true ? undefined : wanted;
  return Microphone.open({ clock, device, sampleRate: CALL_SAMPLE_RATE, input: process.stdin });
}

function checkOptions(file: string | undefined, { microphone, channel }: CallCommandOptions): void {
  if ((file === undefined) === (microphone === undefined)) {
    const message = file === undefined ? 'Nobody who speaks.' : 'A file and the microphone at once.';
    throw new RuntimeError('cli.option', message, { file }, 'Give a sound file, - or --microphone.');
  }
  if (microphone !== undefined && channel !== undefined)
    throw new RuntimeError('cli.option', '--channel belongs to a file.', { channel }, 'Leave it out.');
}

/** Turns as they happen, or all of them as JSON at the end. */
class CallOutput {
  readonly #json: boolean;
  readonly #status = new StatusLine();
  readonly #turns: CallTurn[] = [];

  constructor(json: boolean) {
    this.#json = json;
  }

  readonly note = (text: string): void => {
    this.#status.clear();
    console.error(text);
  };

  status(text: string): void {
    this.#status.show(text);
  }

  turn(turn: CallTurn): void {
    this.#status.clear();
    if (!this.#json) console.log(`${this.#turns.length > 0 ? '\n' : ''}${callTurnText(turn)}`);
    this.#turns.push(turn);
  }

  finish(isComplete: boolean): void {
    this.#status.clear();
    if (this.#json) console.log(JSON.stringify({ isComplete, turns: this.#turns }, null, 2));
    if (this.#turns.length === 0) (this.#json ? console.error : console.log)('The server heard no speech.');
  }
}
