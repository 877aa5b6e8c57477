import { environmentName } from './load.ts';
import { configSchema } from './schema.ts';

/** The text of docs/configuration.md. */
export function configurationDocument(): string {
  const defaults = configSchema.parse({}) as Record<string, unknown>;
  const rows = Object.entries(configSchema.shape).map(([setting, field]) => {
    const flag = setting.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`);
    const fallback = JSON.stringify(defaults[setting]) ?? 'none';
    return `| \`${setting}\` | \`--${flag}\` | \`${environmentName(setting)}\` | \`${fallback}\` | ${field.description} |`;
  });
  return [
    '# Configuration',
    '',
    'Generated from `cli/config/schema.ts` by `npm run docs`; do not edit. A setting may come from a YAML or JSON file',
    '(`--config FILE`), the environment or a flag of `longcat-rt serve` and `talk`; later ones win. Lists in the environment are separated by commas.',
    '',
    '| setting | flag | environment | default | meaning |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}
