import { componentsOf, ENGINE_COMPONENTS, type EngineKind, kindsOf } from '../../kernels/engine/index.ts';
import type { CudaDescription } from '../../kernels/native/cuda/addon.ts';
import type { Config } from '../config/schema.ts';
import { addressesByComponent, kindsByComponent, sglangAddresses } from '../place.ts';
import type { Finding } from './finding.ts';

/**
 * What would serve each component, and which setting says so.
 *
 * @param path of the model
 * @param cuda the device, or why there is none
 */
export function componentFindings(
  { engine, place }: Pick<Config, 'engine' | 'place'>,
  path: string,
  native: { readonly level?: string | null; readonly reason?: string | null },
  cuda: CudaDescription | string,
): Finding[] {
  const missing = (kind: EngineKind): string | null => {
    if (kind === 'cuda') return typeof cuda === 'string' ? cuda : null;
    return kind === 'cpu' && !native.level ? `it does not load: ${native.reason}` : null;
  };
  const placed = kindsByComponent(place);
  const addresses = addressesByComponent(place);
  const kinds = kindsOf(engine === 'auto' ? (native.level ? 'cpu' : 'reference') : engine, placed);
  const there = componentsOf(path);
  return ENGINE_COMPONENTS.map(component => {
    const what = `served: ${component}`;
    const address = addresses[component];
    if (address) {
      const isSglang = component === 'languageModel' && sglangAddresses(place).length > 0;
      const meaning = isSglang ? 'an SGLang server (docs/real-model.md)' : 'another host';
      return { what, found: address, meaning: `${meaning}, as the setting \`place\` says` };
    }
    if (!there.includes(component)) return { what, found: 'nothing', meaning: 'the model has no such part' };
    const kind = kinds[component];
    const setting = placed[component] ? '`place`' : '`engine`';
    const reason = missing(kind);
    if (reason) return { what, found: 'none', meaning: `the setting ${setting} wants ${kind}: ${reason}` };
    return { what, found: kind, meaning: `computes here, as the setting ${setting} says` };
  });
}
