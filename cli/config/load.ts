import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { RuntimeError } from '../../kernels/errors.ts';
import { type Config, configSchema } from './schema.ts';

const ENVIRONMENT_PREFIX = 'LONGCAT_RT_';
const MAX_FILE_BYTES = 1 << 20;
/** Never printed. */
const SECRETS: ReadonlySet<string> = new Set(['keys']);
const SILENCE_SETTINGS = ['endpointSilenceMs', 'speculateSilenceMs', 'vadThreshold'];

/** `endpointSilenceMs` ⇄ `LONGCAT_RT_ENDPOINT_SILENCE_MS`. */
export function environmentName(setting: string): string {
  return ENVIRONMENT_PREFIX + setting.replace(/[A-Z]/g, letter => `_${letter}`).toUpperCase();
}

/**
 * Later views win: defaults, the file, the environment, the flags.
 * @throws RuntimeError `config.invalid` naming the setting and its value, `config.unreadable` for the file.
 */
export function loadConfig(
  flags: Record<string, unknown>,
  environment: Record<string, string | undefined>,
  file?: string,
): Config {
  const views = withPreset({
    ...(file ? readFile(file) : {}),
    ...readEnvironment(environment),
    ...definedOnly(flags),
  });
  const result = configSchema.safeParse(views);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const setting = issue.path.join('.') || (issue.code === 'unrecognized_keys' ? issue.keys.join(', ') : '');
  const refused = issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown>)?.[key], views);
  const value = SECRETS.has(String(issue.path[0])) ? '(not shown)' : JSON.stringify(refused);
  throw new RuntimeError(
    'config.invalid',
    `Setting refused: ${issue.message}.`,
    { setting, value },
    'See docs/configuration.md.',
  );
}

/** Whoever sets how long a silence must be does not want a preset to decide it. */
export function withPreset(settings: Record<string, unknown>): Record<string, unknown> {
  const isSilenceAlone = !('turnPreset' in settings) && SILENCE_SETTINGS.some(name => name in settings);
  return isSilenceAlone ? { ...settings, turnPreset: 'none' } : settings;
}

function readEnvironment(environment: Record<string, string | undefined>): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const setting of Object.keys(configSchema.shape)) {
    const text = environment[environmentName(setting)];
    if (text === undefined) continue;
    const isList = setting === 'keys' || setting === 'allowedOrigins';
    found[setting] = isList ? text.split(',').map(entry => entry.trim()) : text;
  }
  return found;
}

function readFile(path: string): Record<string, unknown> {
  try {
    const text = readFileSync(path);
    if (text.length > MAX_FILE_BYTES) throw new Error(`larger than ${MAX_FILE_BYTES} bytes`);
    const parsed: unknown = parse(text.toString('utf8'));
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
      throw new Error('not a mapping');
    return parsed as Record<string, unknown>;
  } catch (error) {
    throw new RuntimeError(
      'config.unreadable',
      `Configuration file: ${(error as Error).message}.`,
      { path },
      'Give a YAML or JSON file.',
    );
  }
}

function definedOnly(flags: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(flags).filter(([name, value]) => value !== undefined && name in configSchema.shape),
  );
}
