import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { opsOf } from '../../kernels/engine/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { loadConfig } from '../config/load.ts';
import {
  CONVERSATION_SUITES,
  checkNeeds,
  codecRows,
  conversationRows,
  HEARING_SUITES,
  hearingRows,
  type Judged,
  type Material,
  openMaterial,
  pictureRows,
  plain,
  type Row,
  routingRows,
  SHIPPED_MATERIAL,
  writeCard,
} from '../eval/index.ts';
import { openHouse } from '../house.ts';
import { resolveModelDirectory } from '../model-directory.ts';
import { wholeNumber } from '../options.ts';
import { modelHash } from '../replay/model-hash.ts';

const SUITES = [...Object.keys(CONVERSATION_SUITES), ...HEARING_SUITES, 'codec', 'pictures', 'routing'];
const CARD = 'MODEL_CARD.md';
const CARD_ORDER = Object.values(CONVERSATION_SUITES).map(({ what }) => what);

interface EvalOptions {
  readonly suite?: string[];
  readonly engine: 'auto' | 'reference' | 'cpu';
  readonly model: string;
  readonly material: string;
  readonly limit: number;
  readonly speech: boolean;
  readonly verbose?: boolean;
  readonly json?: boolean;
  readonly write?: boolean;
}

/** `longcat-rt eval`: held-out conversations through the runtime, judged. */
export function evalCommand(command: Command): Command {
  return command
    .addOption(new Option('--suite <names...>', 'only these').choices(SUITES))
    .addOption(
      new Option('--engine <kind>', 'what does the arithmetic')
        .choices(['auto', 'reference', 'cpu'])
        .default('auto'),
    )
    .option('--model <directory>', 'model directory', 'models/nano')
    .addOption(
      new Option('--material <directory>', 'held-out material; made there when absent').default(
        SHIPPED_MATERIAL,
        '.cache/eval of the checkout',
      ),
    )
    .option('--limit <n>', 'cases of a suite', wholeNumber, 200)
    .option('--no-speech', 'leave out what pocketsphinx judges')
    .option('--verbose', 'print every judged answer to stderr')
    .option('--write', `put the table into the model's ${CARD}`)
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nThe first run makes the material, with Python (numpy, scipy, torch, PIL), flite and espeak-ng; pocketsphinx judges speech.\nWhat is missing is said before anything starts.',
    )
    .addHelpText('after', '\nExample:\n  longcat-rt eval --suite facts vision --limit 50')
    .action(evaluate);
}

async function evaluate(options: EvalOptions): Promise<void> {
  if (options.limit === 0)
    throw new RuntimeError('cli.option', 'No cases.', { limit: 0 }, 'Give --limit 1 or more.');
  checkNeeds(options.material, options.speech);
  const material = openMaterial(options.material);
  const rows = await measure(options, material, new Set(options.suite ?? SUITES));
  if (options.write) {
    const { path } = resolveModelDirectory(options.model, 1);
    writeCard(join(path, CARD), rows, modelHash(path), CARD_ORDER);
  }
  console.log(options.json ? JSON.stringify({ rows }, null, 2) : plain(rows));
}

async function measure(
  options: EvalOptions,
  material: Material,
  suites: ReadonlySet<string>,
): Promise<Row[]> {
  const { limit, speech } = options;
  const setting = {
    ops: opsOf(options.engine),
    modelDirectory: resolveModelDirectory(options.model, 1).path,
    material,
    limit,
    speech,
  };
  const rows: Row[] = [];
  if (suites.has('codec')) rows.push(...codecRows(setting));
  rows.push(
    ...hearingRows(
      setting,
      HEARING_SUITES.filter(suite => suites.has(suite)),
    ),
  );
  if (suites.has('pictures')) rows.push(...(await pictureRows(setting)));
  const talks = Object.keys(CONVERSATION_SUITES).filter(suite => suites.has(suite));
  if (talks.length > 0) rows.push(...(await talk(options, material, talks)));
  if (suites.has('routing')) rows.push(...(await routingRows(configOf(options), material, limit)));
  return rows;
}

async function talk(options: EvalOptions, material: Material, suites: readonly string[]): Promise<Row[]> {
  const { limit, speech, verbose } = options;
  const house = await openHouse(configOf(options), 'virtual');
  const progress = (text: string) => process.stderr.isTTY && console.error(text);
  const saw = verbose ? (judged: Judged) => console.error(seen(judged)) : undefined;
  try {
    return await conversationRows({ house, material, limit, speech, progress, saw }, suites);
  } finally {
    await house.close();
  }
}

const configOf = ({ engine, model }: EvalOptions) =>
  loadConfig({ logLevel: 'error', engine, model }, process.env);

function seen({ case: { suite }, turn, said, expected }: Judged): string {
  const heard = said.trace?.userTranscript ?? '';
  const calls = said.calls.map(({ name, argumentsJson }) => ` ${name}(${argumentsJson})`).join('');
  return `${suite}: "${turn.text}" heard "${heard}" → "${said.text}"${calls} (wanted "${expected || 'silence'}")`;
}
