import { type Command, Option } from 'commander';
import { interleaveOffline } from '../../actors/chunk-interleaver/index.ts';
import { numberList, wholeNumber, wholeNumberList } from '../options.ts';

interface InterleaveOptions {
  readonly audioTokens: number;
  readonly unitTokens: number[];
  readonly stamps: number[];
  readonly strategy: 'sequential' | 'average';
  readonly json?: boolean;
}

/** `longcat-rt interleave`: the offline sequence of one audio-video item (docs/spec/model.md §5.3). */
export function interleaveCommand(command: Command): Command {
  return command
    .requiredOption('--audio-tokens <n>', 'audio vectors, 80 ms each', wholeNumber)
    .option('--unit-tokens <a,b>', 'tokens of each frame unit', wholeNumberList, [])
    .option('--stamps <s,s>', 'capture time of each unit in seconds', numberList, [])
    .addOption(
      new Option('--strategy <name>', 'how audio is shared out')
        .choices(['sequential', 'average'])
        .default('sequential'),
    )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  longcat-rt interleave --audio-tokens 25 --unit-tokens 8,16 --stamps 0,1 --json',
    )
    .action((options: InterleaveOptions) => {
      const sequence = interleaveOffline(options);
      console.log(
        options.json ? JSON.stringify({ sequence }) : sequence.map(element => element.join(' ')).join('\n'),
      );
    });
}
