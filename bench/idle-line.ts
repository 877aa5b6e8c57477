/**
 * npm run bench -- idle-line [--calls N] [--idle MS] [--lost 0,1,3,10,20] [--material DIR]: calls with two questions in
 * voices that training never had (the material of `longcat-rt eval`) and noise of any level between them, over lines
 * that lose so many packets in a hundred as zeros, one at a time and in bursts; through the whole runtime, under the
 * virtual clock. Nobody is to be answered while nobody speaks, and who speaks is.
 */
import { Command } from 'commander';
import { createRandom } from '../actors/core/index.ts';
import { loadConfig } from '../cli/config/load.ts';
import { openMaterial, SHIPPED_MATERIAL } from '../cli/eval/index.ts';
import { wilson } from '../cli/eval/score.ts';
import { openHouse } from '../cli/house.ts';
import { numberList, wholeNumber } from '../cli/options.ts';
import { call } from './idle-line/calls.ts';

const BURST = 4;

interface Values {
  readonly calls: number;
  readonly idle: number;
  readonly lost: readonly number[];
  readonly seed: number;
  readonly material: string;
  readonly model: string;
}

const values = new Command('idle-line')
  .option('--calls <n>', 'of each line', wholeNumber, 100)
  .option('--idle <ms>', 'without a question', wholeNumber, 16_000)
  .option('--lost <a,b>', 'packets in a hundred', numberList, [0, 1, 3, 10, 20])
  .option('--seed <n>', 'of voices, noise and losses', wholeNumber, 21)
  .option('--material <directory>', 'voices', SHIPPED_MATERIAL)
  .option('--model <directory>', 'what listens', 'models/nano')
  .parse()
  .opts<Values>();

const house = await openHouse(loadConfig({ model: values.model, logLevel: 'error' }, process.env), 'virtual');
const material = openMaterial(values.material);
const percent = ([low, high]: readonly number[]) => `${(100 * low).toFixed(0)}–${(100 * high).toFixed(0)} %`;
console.log(
  '| lost packets | | calls | replies to nobody | calls with one | questions answered |\n| --- | --- | --- | --- | --- | --- |',
);
for (const lost of values.lost) {
  for (const burst of lost === 0 ? [1] : [1, BURST]) {
    const random = createRandom(`idle-line ${values.seed} ${lost} ${burst}`);
    let [toNobody, calls, answered] = [0, 0, 0];
    const of = values.calls;
    for (let i = 0; i < of; i++) {
      const outcome = await call(house, material, random, { lost: lost / 100, burst }, values.idle);
      toNobody += outcome.toNobody;
      calls += outcome.toNobody > 0 ? 1 : 0;
      answered += outcome.answered;
    }
    const how = burst === 1 ? 'one at a time' : `bursts of ${BURST}`;
    const range = percent(wilson({ right: calls, of }));
    console.log(
      `| ${lost} % | ${lost === 0 ? '' : how} | ${of} | ${toNobody} | ${calls} (${range}) | ${answered} of ${2 * of} |`,
    );
  }
}
await house.close();
