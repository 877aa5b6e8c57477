/** Which engine has which component: `COMPONENT=PLACE`, once each, except that SGLang servers may be several. */
import { z } from 'zod';
// Not by the folder's face: `--help` needs no engine.
import { ENGINE_COMPONENTS } from '../../kernels/engine/lifecycle.ts';

const COMPONENT = `(?:${ENGINE_COMPONENTS.join('|')})`;
/** An SGLang server makes replies, which is what a language model does; its address has no user and no path. */
const SGLANG = 'sglang\\+https?://[^\\s/?#@]+/?';
const PLACE = new RegExp(
  `^(?:languageModel=(?:cuda|${SGLANG})|${COMPONENT}=(?:cpu|reference|(?:nats|tls)://\\S+))$`,
);

/** A list with commas (flag, environment), a list, or in a file a mapping of component to place. */
export const placement = () =>
  z.preprocess(
    entriesOf,
    z
      .array(
        z
          .string()
          .regex(
            PLACE,
            'COMPONENT=cpu, =reference, =nats://HOST:PORT, languageModel=cuda or =sglang+http://HOST:PORT is wanted',
          ),
      )
      .refine(namesEachOnce, 'a component is named twice, and not for several SGLang servers')
      .default([]),
  );

function entriesOf(given: unknown): unknown {
  if (typeof given === 'string') return given.split(',').map(entry => entry.trim());
  const isMapping = typeof given === 'object' && given !== null && !Array.isArray(given);
  if (!isMapping) return given;
  return Object.entries(given).flatMap(([component, places]) =>
    [places].flat().map(place => `${component}=${place}`),
  );
}

function namesEachOnce(entries: readonly string[]): boolean {
  const isServer = (entry: string) => entry.includes('=sglang+');
  const of = (entry: string) => entry.split('=')[0];
  const named = entries.filter((entry, i) => !isServer(entry) || !entries.slice(0, i).some(isServer));
  return new Set(named.map(of)).size === named.length && new Set(entries).size === entries.length;
}
