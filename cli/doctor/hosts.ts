import { randomUUID } from 'node:crypto';
import type { Clock } from '../../actors/core/clock.ts';
import type { EngineComponent } from '../../kernels/engine/index.ts';
import { connectNats, type Found, search, withoutSecret } from '../../kernels/engine/remote/index.ts';
import { onNats } from '../place.ts';
import type { Finding } from './finding.ts';

/** Who answers for the components that are placed on other hosts. */
export async function hostFindings(
  place: readonly string[],
  modelHash: () => string,
  timers: Clock,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { component, at } of onNats(place)) {
    const what = `hosts: ${component}`;
    try {
      const bus = await connectNats(at);
      const found = await new Promise<readonly Found[]>(resolve => {
        search({ component, bus, timers, newId: () => randomUUID() }, resolve);
      });
      await bus.close();
      findings.push(describe(what, component, found, modelHash()));
    } catch (error) {
      findings.push({ what, found: 'none', meaning: `${withoutSecret(at)}: ${(error as Error).message}` });
    }
  }
  return findings;
}

function describe(what: string, component: EngineComponent, found: readonly Found[], hash: string): Finding {
  const remedy = `start one: longcat-rt engine --components ${component} --nats URL`;
  if (found.length === 0) return { what, found: 'none', meaning: `nobody serves it; ${remedy}` };
  const isOurs = ({ model }: Found) => model?.hash === hash;
  const names = found.map(({ host, streams }) => `${host} (${streams} streams)`).join(', ');
  const others = found.filter(host => !isOurs(host)).map(({ host }) => host);
  const meaning =
    others.length === 0 ? 'share its streams' : `of other weights, so not used: ${others.join(', ')}`;
  return { what, found: names, meaning };
}
