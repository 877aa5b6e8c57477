import type { Clock, EngineComponent } from '../../actors/core/index.ts';
import { costLawOf, planOf } from '../engines/build-engine.ts';
import { Device } from '../engines/device.ts';
import type { EngineScenario } from '../scenarios/engine-schema.ts';
import { costMs, type LoadMeter } from './load-meter.ts';

/**
 * How long the steps of a live engine would take on the engine of a scenario: its arithmetic, their time. Steps occupy
 * the scenario's devices, so that stages contend as they would there. Returns milliseconds from now until a step is
 * done.
 */
export function stepTimes(
  scenario: EngineScenario,
  meter: LoadMeter,
  clock: Clock,
): (component: EngineComponent, batch: readonly unknown[]) => number {
  const law = costLawOf(scenario);
  const { devices: plans, placement } = planOf(scenario);
  const devices = new Map(plans.map(({ name, servers }) => [name, new Device(name, servers, clock)]));
  return (component, batch) => {
    const load = meter.loadOf(batch);
    const device = devices.get(placement[component])!;
    const prefilling = devices.get(placement.prefill)!;
    if (load.component !== 'languageModel' || device === prefilling)
      return device.occupy(costMs(law, load), component, batch.length);
    const { decodeMs, prefillMs, transferMs } = law.languageModel(load.load);
    const { decodes } = load.load;
    const decoded = decodes > 0 ? device.occupy(decodeMs, 'decode', decodes) : 0;
    const prefilled = prefillMs > 0 ? prefilling.occupy(prefillMs, 'prefill') + transferMs : 0;
    return Math.max(decoded, prefilled);
  };
}
