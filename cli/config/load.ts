import { RuntimeError } from '../../kernels/errors.ts';
import { parseYaml, readText } from '../text-file.ts';
import { type Config, configSchema, LISTS } from './schema.ts';
import { nearestName } from './suggestion.ts';

const ENVIRONMENT_PREFIX = 'LONGCAT_RT_';
/** Never printed. */
const SECRETS: ReadonlySet<string> = new Set([
  ...['keys', 'tlsKey', 'twilioAuthToken', 'plivoAuthToken', 'iceServers'],
  ...['sipUsers', 'sipPassword', 'callWebhookSecret', 'sipRegister', 'place', 'nats'],
]);
/** Read elsewhere: the SIMD level, the native addon, the key of `longcat-rt call`. */
const OTHER_VARIABLES = ['LONGCAT_RT_ISA', 'LONGCAT_RT_ADDON', 'LONGCAT_RT_CUDA', 'LONGCAT_RT_KEY'];
const SETTINGS = Object.keys(configSchema.shape);
const SILENCE_SETTINGS = ['endpointSilenceMs', 'speculateSilenceMs', 'vadThreshold'];

/** `endpointSilenceMs` ⇄ `LONGCAT_RT_ENDPOINT_SILENCE_MS`. */
export function environmentName(setting: string): string {
  return ENVIRONMENT_PREFIX + setting.replace(/[A-Z]/g, letter => `_${letter}`).toUpperCase();
}

/**
 * Later views win: defaults, the file, the environment, the flags. No error shows a key, wherever in the file it
 * stands.
 * @throws RuntimeError `config.invalid` naming the setting and its value, `config.unreadable` for the file.
 */
export function loadConfig(
  flags: Record<string, unknown>,
  environment: Record<string, string | undefined>,
  file?: string,
): Config {
  const given = file ? readFile(file) : {};
  checkNames(given, file);
  const views = withPreset({ ...given, ...readEnvironment(environment), ...definedOnly(flags) });
  const result = configSchema.safeParse(views);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const setting = issue.path.join('.');
  const value = SECRETS.has(String(issue.path[0])) ? '(not shown)' : shown(views, issue.path);
  throw new RuntimeError(
    'config.invalid',
    `Setting refused: ${issue.message}.`,
    { setting, value },
    'See docs/configuration.md.',
  );
}

/** The names are shown, what stands behind them is not: a misspelt `keys` is one of them. */
function checkNames(given: Record<string, unknown>, file: string | undefined): void {
  const unknown = Object.keys(given).filter(name => !SETTINGS.includes(name));
  if (unknown.length === 0) return;
  const [first] = unknown;
  const meant = nearestName(first, SETTINGS);
  const names = unknown.map(name => (isPlainName(name) ? name : '(not shown)')).join(', ');
  throw new RuntimeError(
    'config.invalid',
    unknown.length === 1 ? 'There is no such setting.' : 'There are no such settings.',
    { setting: names, file },
    `${meant ? `Did you mean ${meant}? ` : ''}See docs/configuration.md.`,
  );
}

/** A name is of letters; what else stands in its place may be a key that slipped. */
function isPlainName(name: string): boolean {
  return /^[a-z][a-z_-]{0,39}$/i.test(name);
}

/** Single values only: a list or a mapping in the wrong place may have a secret within. */
function shown(views: Record<string, unknown>, path: readonly PropertyKey[]): string {
  const refused = path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown>)?.[key], views);
  if (typeof refused !== 'object' || refused === null) return JSON.stringify(refused);
  return Array.isArray(refused) ? '(a list)' : '(a mapping)';
}

/** Whoever sets how long a silence must be does not want a preset to decide it. */
export function withPreset(settings: Record<string, unknown>): Record<string, unknown> {
  const isSilenceAlone = !('turnPreset' in settings) && SILENCE_SETTINGS.some(name => name in settings);
  return isSilenceAlone ? { ...settings, turnPreset: 'none' } : settings;
}

function readEnvironment(environment: Record<string, string | undefined>): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const setting of SETTINGS) {
    const text = environment[environmentName(setting)];
    if (text === undefined) continue;
    const isList = LISTS.has(setting);
    found[setting] = isList ? text.split(',').map(entry => entry.trim()) : text;
  }
  return found;
}

/** Variables that look like settings and are none, by name alone. */
export function unknownVariables(environment: Record<string, string | undefined>): string[] {
  const known = [...SETTINGS.map(environmentName), ...OTHER_VARIABLES];
  return Object.keys(environment).filter(
    name => name.startsWith(ENVIRONMENT_PREFIX) && !known.includes(name),
  );
}

function readFile(path: string): Record<string, unknown> {
  try {
    const parsed = parseYaml(readText(path));
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
