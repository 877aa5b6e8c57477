/**
 * npm run bench -- idle-line [--calls N] [--idle MS] [--lost 0,1,3,10,20] [--material DIR]: calls with two questions in voices that training never
 * had (the material of `longcat-rt eval`) and noise of any level between them, over lines that lose so many packets in a hundred as zeros,
 * one at a time and in bursts; through the whole runtime, under the virtual clock. Nobody is to be answered while nobody speaks, and who speaks is.
 */
import { parseArgs } from 'node:util';
import { createRandom } from '../actors/core/index.ts';
import { loadConfig } from '../cli/config/load.ts';
import { openMaterial, SHIPPED_MATERIAL } from '../cli/eval/index.ts';
import { wilson } from '../cli/eval/score.ts';
import { openHouse } from '../cli/house.ts';
import { call } from './idle-line/calls.ts';

const BURST = 4;

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '100' },
    idle: { type: 'string', default: '16000' },
    lost: { type: 'string', default: '0,1,3,10,20' },
    seed: { type: 'string', default: '21' },
    material: { type: 'string', default: SHIPPED_MATERIAL },
    model: { type: 'string', default: 'models/nano' },
  },
});

const house = await openHouse(loadConfig({ model: values.model, logLevel: 'error' }, process.env), 'virtual');
const material = openMaterial(values.material);
const percent = ([low, high]: readonly number[]) => `${(100 * low).toFixed(0)}–${(100 * high).toFixed(0)} %`;
console.log(
  '| lost packets | | calls | replies to nobody | calls with one | questions answered |\n| --- | --- | --- | --- | --- | --- |',
);
for (const lost of values.lost.split(',').map(Number)) {
  for (const burst of lost === 0 ? [1] : [1, BURST]) {
    const random = createRandom(`idle-line ${values.seed} ${lost} ${burst}`);
    let [toNobody, calls, answered] = [0, 0, 0];
    const of = Number(values.calls);
    for (let i = 0; i < of; i++) {
      const outcome = await call(house, material, random, { lost: lost / 100, burst }, Number(values.idle));
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
