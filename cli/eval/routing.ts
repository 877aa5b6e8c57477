import { forwardIds, LanguageModel } from '../../kernels/components/language-model/index.ts';
import type { Ops } from '../../kernels/ops.ts';
import { loadTokenizer } from '../../kernels/tokenizer/index.ts';
import type { Material } from './material.ts';
import { type Row, shareRow } from './score.ts';

/** How the router spreads the domain's conversations, as written text: share of identity experts, and experts that nobody chose. */
export function routingRows(ops: Ops, modelDirectory: string, material: Material, limit: number): Row[] {
  const model = LanguageModel.load(modelDirectory, ops, {});
  const tokenizer = loadTokenizer(modelDirectory);
  const { routedExperts, identityExperts } = model.config;
  let [identity, choices] = [0, 0];
  const used = new Set<string>();
  const every = Math.max(1, Math.floor(material.conversations.length / limit)); // of all suites
  const texts = material.conversations
    .filter((_, at) => at % every === 0)
    .slice(0, limit)
    .map(({ turns }) =>
      turns.map(turn => `USER:${turn.text}\nASSISTANT:${turn.answer.join(' ')}\n`).join(''),
    );
  for (const text of texts) {
    const ids = tokenizer.encode(text);
    for (const [layer, { indices }] of forwardIds(model, ids, { ops }).router.entries()) {
      for (const expert of indices.flat()) {
        choices++;
        if (expert >= routedExperts) identity++;
        used.add(`${layer}:${expert}`);
      }
    }
  }
  const all = model.config.layers * (routedExperts + identityExperts);
  return [
    shareRow(
      'routing',
      'router: identity-expert share',
      { right: identity, of: choices },
      [0.25, 0.45],
      texts.length,
    ),
    {
      suite: 'routing',
      what: 'router: experts nobody chose',
      n: texts.length,
      value: all - used.size,
      interval: null,
      unit: '',
      wanted: [0, 0],
    },
  ];
}
