import type { Command } from 'commander';
import { call } from '../call/call.ts';
import { channelNumber } from '../options.ts';

/** `longcat-rt call URL`: a client in the terminal for a running server. */
export function callCommand(command: Command): Command {
  return command
    .argument('<url>', 'HOST:PORT, http(s)://… or ws(s)://…; /v1/realtime unless it has a path')
    .argument('[file]', 'what the person says, any sound file; - is standard input')
    .option('--microphone [device]', 'speak yourself; - reads raw 16-bit mono of 24 kHz from standard input')
    .option('--loudspeaker <device>', 'where the answers are played, with --microphone')
    .option('--no-loudspeaker', 'do not play the answers')
    .option('--channel <n>', 'only this channel of the file, 1 is the first', channelNumber)
    .option('--instructions <text>', 'what the agent is told before the call')
    .option('--out <file.wav>', "write the agent's side of the call")
    .option('--json', 'print JSON, at the end')
    .addHelpText(
      'after',
      '\nA key is taken from LONGCAT_RT_KEY. Any server of the OpenAI Realtime protocol will do.\nCtrl-C hangs up and keeps what there is.' +
        '\n\nExamples:\n  longcat-rt call localhost:8080 question.wav --out answer.wav\n  longcat-rt call wss://talk.example.org --microphone',
    )
    .action(call);
}
