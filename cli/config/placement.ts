/** Which engine has which component: `COMPONENT=PLACE`, once each. */
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
      .refine(
        entries => new Set(entries.map(entry => entry.split('=')[0])).size === entries.length,
        'a component is named twice',
      )
      .default([]),
  );

function entriesOf(given: unknown): unknown {
  if (typeof given === 'string') return given.split(',').map(entry => entry.trim());
  const isMapping = typeof given === 'object' && given !== null && !Array.isArray(given);
  return isMapping ? Object.entries(given).map(([component, place]) => `${component}=${place}`) : given;
}
