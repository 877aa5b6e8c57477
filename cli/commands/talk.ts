import type { Command } from 'commander';
import { addConfigOptions, channelNumber, positiveNumber } from '../options.ts';
import { talk } from '../talk/talk.ts';

/** `longcat-rt talk`: a recorded person, or one before the microphone, through the full pipeline. */
export function talkCommand(command: Command): Command {
  command
    .argument(
      '[file]',
      'what the person says: WAV, with ffmpeg installed also MP3, Ogg, Opus, FLAC, M4A, GSM …; - is standard input',
    )
    .option(
      '--microphone [device]',
      'speak yourself, through arecord, parec, sox or ffmpeg; - reads raw 16-bit mono of 16 kHz from standard input',
    )
    .option('--loudspeaker <device>', 'where the answers are played, with --microphone')
    .option('--no-loudspeaker', 'do not play the answers')
    .option('--channel <n>', 'only this channel of the file, 1 is the first', channelNumber)
    .option(
      '--video <path>',
      'directory of PNG/JPEG frames named by their milliseconds, or a video file where ffmpeg is installed',
    )
    .option('--video-rate <n>', 'the frames are numbered, so many a second', positiveNumber)
    .option(
      '--clock <real|virtual>',
      'virtual (the default for files) runs as fast as the machine can and repeats exactly',
    )
    .option('--out <file.wav>', "write the agent's side of the conversation; - is standard output")
    .option('--json', 'print JSON, at the end')
    .addHelpText(
      'after',
      '\nCtrl-C hangs up and keeps what there is.\n\nExamples:\n  longcat-rt talk question.wav --video frames/ --out answer.wav\n' +
        '  sox call.flac -t wav - | longcat-rt talk - --channel 1\n  longcat-rt talk --microphone',
    );
  const settings = [
    'model',
    'engine',
    'place',
    'sglangVectors',
    'threads',
    'ranks',
    'weights',
    'cache',
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
    'traceFile',
    'traceFileMb',
    'otlpUrl',
  ] as const;
  return addConfigOptions(command, settings).action(talk);
}
