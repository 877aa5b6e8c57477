import { type Command, Option } from 'commander';
import { forwardIds } from '../../kernels/components/language-model/index.ts';
import { opsOf } from '../../kernels/engine/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { int8Ops } from '../../kernels/int8-ops.ts';
import { components } from '../forward/components.ts';
import { indexOfLargest } from '../forward/largest.ts';
import { spanText } from '../forward/span-text.ts';
import { modelPath } from '../model-directory.ts';
import { wholeNumber, wholeNumberList } from '../options.ts';

interface ForwardOptions {
  readonly model: string;
  readonly engine: 'auto' | 'reference' | 'cpu';
  readonly ids?: number[];
  readonly generate: number;
  readonly component?: string;
  readonly input?: string[];
  readonly streaming?: boolean;
  readonly ranks: number;
  readonly weights: string;
  readonly spans?: boolean;
  readonly json?: boolean;
}

/** `longcat-rt forward`: one component or the language model on given input, every number printed. */
export function forwardCommand(command: Command): Command {
  return command
    .requiredOption('--model <directory>', 'model directory; it needs to hold only the files of what is run')
    .option('--ids <a,b>', 'text token ids for the language model', wholeNumberList)
    .option('--generate <n>', 'greedy tokens after them; end of sequence is ignored', wholeNumber, 0)
    .addOption(
      new Option('--component <name>', 'run this instead')
        .choices(Object.keys(components))
        .conflicts(['ids', 'generate', 'ranks', 'spans', 'weights']),
    )
    .option('--input <files...>', 'WAV, one or two pictures, or JSON codes, as the component takes it')
    .option('--streaming', 'feed the input in the pieces of a live stream')
    .addOption(
      new Option('--engine <kind>', 'what does the arithmetic')
        .choices(['auto', 'reference', 'cpu'])
        .default('auto'),
    )
    .option('--ranks <n>', 'spread the experts over so many threads; same numbers', wholeNumber, 0)
    .addOption(
      new Option('--weights <how>', "the language model's matrices: as stored, or brought to int8")
        .choices(['stored', 'int8'])
        .default('stored'),
    )
    .option(
      '--spans',
      'with --ranks: when each layer dispatched, computed and combined, beside the dense path',
    )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  longcat-rt forward --model models/nano --ids 1,2,3 --generate 4 --json\n  longcat-rt forward --model models/nano --component audio-encoder --input question.wav --json',
    )
    .action(forward);
}

async function forward(options: ForwardOptions): Promise<void> {
  const ops = opsOf(options.engine);
  if (options.component !== undefined) {
    if (!options.input)
      throw new RuntimeError(
        'forward.input',
        'A component needs an input.',
        { component: options.component },
        'Add --input FILE.',
      );
    const run = {
      ops,
      modelDirectory: modelPath(options.model),
      inputs: options.input,
      streaming: options.streaming ?? false,
    };
    const outputs = await components[options.component](run);
    return console.log(options.json ? JSON.stringify({ outputs }) : summary(outputs));
  }
  if (!options.ids?.length)
    throw new RuntimeError(
      'forward.ids',
      'The language model needs ids.',
      {},
      'Add --ids 1,2,3, or choose a --component.',
    );
  if (options.spans && options.ranks === 0)
    throw new RuntimeError(
      'forward.spans',
      'Without ranks nothing is exchanged.',
      {},
      'Add --ranks 1 or more.',
    );
  const { generate, ranks, spans } = options;
  const used = options.weights === 'int8' ? int8Ops(ops) : ops;
  const result = forwardIds(modelPath(options.model), options.ids, { generate, ops: used, ranks, spans });
  if (options.json) return console.log(JSON.stringify(result));
  for (const [at, row] of result.logits.entries())
    console.log(`position ${at}: most likely next id ${indexOfLargest(row)}`);
  for (const [step, list] of (result.spans ?? []).entries()) console.log(spanText(step, list));
  console.log(`generated: ${result.generated.join(',') || '(nothing asked for)'}`);
}

function summary(outputs: Record<string, { shape: number[]; data: number[] }>): string {
  const line = ([name, { shape, data }]: [string, { shape: number[]; data: number[] }]) =>
    `${name} [${shape.join(' × ')}]: ${data.slice(0, 8).join(', ')}${data.length > 8 ? ', …' : ''}`;
  return Object.entries(outputs).map(line).join('\n');
}
