import { type Command, Option } from 'commander';
import { RuntimeError } from '../../kernels/errors.ts';
import { type CallCommandOptions, call } from '../call/call.ts';
import { channelNumber, positiveNumber } from '../options.ts';
import { type SipCommandOptions, sipCall } from '../sip/sip-call.ts';

/** `longcat-rt call URL`: a client in the terminal for a running server; a telephone for `sip:` addresses. */
export function callCommand(command: Command): Command {
  return command
    .argument(
      '<url>',
      'HOST:PORT, http(s)://… or ws(s)://… (/v1/realtime unless it has a path); or sip:USER@HOST:PORT',
    )
    .argument(
      '[files...]',
      'what the person says, any sound file, with sip: several in turn; - is standard input',
    )
    .option('--microphone [device]', 'speak yourself; - reads raw 16-bit mono of 24 kHz from standard input')
    .option('--loudspeaker <device>', 'where the answers are played, with --microphone')
    .option('--no-loudspeaker', 'do not play the answers')
    .option('--channel <n>', 'only this channel of the file, 1 is the first', channelNumber)
    .option('--instructions <text>', 'what the agent is told before the call')
    .option('--out <file.wav>', "write the agent's side of the call")
    .option('--json', 'print JSON, at the end')
    .option(
      '--from <sip:user@host>',
      'with sip: who calls; the password is taken from LONGCAT_RT_SIP_PASSWORD',
    )
    .option('--keys <keys>', 'with sip: pressed when everything was said')
    .option(
      '--interrupt-after <ms>',
      'with sip: the second and later files interrupt so long after the answer began',
      positiveNumber,
    )
    .option(
      '--keys-in-sound',
      'with sip: keys as tones in the sound, as a telephone without RFC 4733 has them',
    )
    .option('--srtp', 'with sip: encrypted, or not at all')
    .addOption(
      new Option('--codec <codec>', 'with sip: this one alone').choices(['opus', 'g722', 'pcmu', 'pcma']),
    )
    .addHelpText(
      'after',
      '\nA key is taken from LONGCAT_RT_KEY. Any server of the OpenAI Realtime protocol will do.\nCtrl-C hangs up and keeps what there is.' +
        '\n\nExamples:\n  longcat-rt call localhost:8080 question.wav --out answer.wav\n  longcat-rt call wss://talk.example.org --microphone' +
        '\n  longcat-rt call sip:agent@127.0.0.1:5060 question.wav --keys 12# --out answer.wav',
    )
    .action(callAny);
}

function callAny(
  url: string,
  files: readonly string[],
  options: CallCommandOptions & SipCommandOptions,
): Promise<void> {
  if (/^sips?:/i.test(url)) return sipCall(url, files, options);
  if (files.length <= 1) return call(url, files[0], options);
  const remedy = 'Give one file; several are for sip: addresses.';
  throw new RuntimeError('cli.option', 'Too many files.', { files: files.length }, remedy);
}
