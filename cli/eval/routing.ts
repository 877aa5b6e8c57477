import { readLanguageModelConfig } from '../../kernels/components/language-model/index.ts';
import { createEngine, fastestEngine, opsOf } from '../../kernels/engine/index.ts';
import type { Ops } from '../../kernels/ops.ts';
import type { PrepareRouter } from '../../kernels/router/index.ts';
import type { Config } from '../config/schema.ts';
import { openHouse } from '../house.ts';
import { resolveModelDirectory } from '../model-directory.ts';
import { converse } from './converse.ts';
import type { Material } from './material.ts';
import { type Row, shareRow } from './score.ts';

const WANTED_IDENTITY_SHARE: readonly [number, number] = [0.25, 0.45];

/** Counts whom the routers of a model choose. */
export class RouterCensus {
  /** Layer by layer, in the order of loading: how often each expert was chosen. */
  readonly chosen: number[][] = [];

  /** The same operations, with routers that are counted. */
  watch(ops: Ops): Ops {
    const router: PrepareRouter = (classifier, selectionBias, topK, factor) => {
      const watched = ops.router(classifier, selectionBias, topK, factor);
      const counts = new Array<number>(selectionBias.length).fill(0);
      this.chosen.push(counts);
      return {
        apply: (x, rows) => {
          const routing = watched.apply(x, rows);
          for (const expert of routing.indices.subarray(0, rows * topK)) counts[expert]++;
          return routing;
        },
      };
    };
    return { ...ops, router };
  }
}

/**
 * How the router spreads what nano really hears, sees and says, over conversations of all suites through the runtime:
 * share of identity experts, and real experts that nobody chose. Identity experts do the same thing, whichever of them
 * is chosen.
 */
export async function routingRows(config: Config, material: Material, limit: number): Promise<Row[]> {
  const census = new RouterCensus();
  const modelDirectory = resolveModelDirectory(config.model, config.seed).path;
  // On this processor, whose kernels can be watched.
  const kind = config.engine === 'reference' ? config.engine : fastestEngine().kind;
  const house = await openHouse(config, 'virtual', undefined, () =>
    createEngine({ kind, modelDirectory, inline: true, ops: census.watch(opsOf(kind)) }),
  );
  const every = Math.max(1, Math.floor(material.conversations.length / limit));
  const some = material.conversations.filter((_, at) => at % every === 0).slice(0, limit);
  try {
    for (const conversation of some) await converse(house, material.directory, conversation);
  } finally {
    await house.close();
  }
  return rowsOf(census.chosen, readLanguageModelConfig(modelDirectory).routedExperts, some.length);
}

function rowsOf(chosen: readonly number[][], routedExperts: number, conversations: number): Row[] {
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
  const identity = sum(chosen.map(counts => sum(counts.slice(routedExperts))));
  return [
    shareRow(
      'routing',
      'router: identity-expert share',
      { right: identity, of: sum(chosen.map(sum)) },
      WANTED_IDENTITY_SHARE,
      conversations,
    ),
    {
      suite: 'routing',
      what: 'router: real experts nobody chose',
      n: conversations,
      value: chosen.flatMap(counts => counts.slice(0, routedExperts)).filter(count => count === 0).length,
      interval: null,
      unit: '',
      wanted: [0, 0],
    },
  ];
}
