import { type Command, InvalidArgumentError } from 'commander';
import { type FakeCarrierOptions, fakeCarrier } from '../fake-carrier/index.ts';
import { positiveNumber } from '../options.ts';

const percent = (text: string): number => {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 100))
    throw new InvalidArgumentError('Give a percentage.');
  return value;
};
const keys = (text: string): string => {
  if (!/^[0-9*#A-D]+$/.test(text)) throw new InvalidArgumentError('Keys are 0–9, *, # and A–D.');
  return text;
};

/** `longcat-rt fake-carrier twilio ws://…`: calls a telephone door as its carrier would. */
export function fakeCarrierCommand(command: Command): Command {
  return command
    .argument(
      '<carrier>',
      'twilio, telnyx, exotel, plivo, vonage, asterisk, asterisk-plain (the older form of its messages), asterisk-wide (16 kHz) or audiosocket (TCP)',
    )
    .argument('<url>', "HOST:PORT or ws(s)://…; the path of the carrier's door unless it has one")
    .argument('[files...]', 'what the caller says, in turn, any sound file')
    .option(
      '--interrupt-after <ms>',
      'the second and later files interrupt the agent so long after it began',
      positiveNumber,
    )
    .option('--keys <keys>', 'pressed when everything was said', keys)
    .option('--out <file.wav>', 'what the caller heard')
    .option('--lose <percent>', 'frames of sound that do not come', percent, 0)
    .option('--duplicate <percent>', 'that come twice', percent, 0)
    .option('--swap <percent>', 'that come behind the next', percent, 0)
    .option('--delay <percent>', 'that come 60 ms late', percent, 0)
    .option('--cut <percent>', 'that come in half', percent, 0)
    .option('--seed <seed>', 'of these faults', '1')
    .option('--frames', 'print every frame')
    .option('--json', 'print JSON, at the end')
    .addHelpText(
      'after',
      '\nSigns as Twilio with LONGCAT_RT_TWILIO_AUTH_TOKEN, as Plivo with LONGCAT_RT_PLIVO_AUTH_TOKEN; gives the key in LONGCAT_RT_KEY as Asterisk does.' +
        '\n\nExample:\n  longcat-rt serve --phone twilio\n  longcat-rt fake-carrier twilio localhost:8080 question.wav --out heard.wav',
    )
    .action((carrier: string, url: string, files: string[], options: FakeCarrierOptions) =>
      fakeCarrier(carrier, url, files, options),
    );
}
