import type { SessionSettings } from '../../actors/session-api.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { loadConfig, withPreset } from '../config/load.ts';
import { type Config, configSchema } from '../config/schema.ts';
import { sessionDefaults } from '../config/session-defaults.ts';
import { placedHere } from '../place.ts';
import type { Assignment } from '../sim/scenario-file.ts';

/**
 * A file with what the engine's steps cost instead; everything else that may be set is a setting of
 * docs/configuration.md.
 */
const COSTS = 'costs';
/** Settings that a recording keeps: what the actors depend on, and nothing that is secret. */
const KEPT = [
  'model',
  'engine',
  'place',
  'seed',
  'maxSessions',
  'maxBatch',
  'prefillTokenBudget',
  'remindAfterShare',
  'turnPreset',
  'endpointSilenceMs',
  'speculateSilenceMs',
  'vadThreshold',
  'prefixPaddingMs',
  'truncateAt',
  'maxReplySteps',
  'babbleGuard',
  'maxTokensPerPicture',
] as const satisfies readonly (keyof Config)[];

export function keptSettings(config: Config): Record<string, unknown> {
  const kept = Object.fromEntries(KEPT.map(name => [name, config[name]]));
  return { ...kept, place: placedHere(config.place) }; // Elsewhere are the same bits.
}

export interface WhatIf {
  readonly config: Config;
  /** File of an engine scenario; null = the costs seen in the recording. */
  readonly costs: string | null;
  changeSettings(settings: Partial<SessionSettings>): Partial<SessionSettings>;
}

/** @throws RuntimeError `config.invalid`, `replay.setting` */
export function whatIf(recorded: Record<string, unknown>, assignments: readonly Assignment[]): WhatIf {
  const known = Object.fromEntries(Object.entries(recorded).filter(([name]) => name in configSchema.shape));
  const changes: Record<string, unknown> = {};
  let costs: string | null = null;
  for (const { path, value } of assignments) {
    if (path === COSTS) costs = String(value);
    else if ((KEPT as readonly string[]).includes(path)) changes[path] = value;
    else {
      const remedy = `There are: ${[...KEPT, COSTS].join(', ')}.`;
      throw new RuntimeError('replay.setting', 'A replay knows no such setting.', { path }, remedy);
    }
  }
  const config = loadConfig({ ...known, ...withPreset(changes) }, {});
  const before = sessionDefaults(loadConfig(known, {}));
  const change = differenceOf(before, sessionDefaults(config));
  return { config, costs, changeSettings: settings => withChange(settings, change, before) };
}

/** Of two objects, to any depth: what stands in the second, by name; objects within are differences again. */
interface NestedDifference {
  readonly values: Readonly<Record<string, unknown>>;
  readonly within: Readonly<Record<string, NestedDifference>>;
  readonly removed: readonly string[];
}

function differenceOf(before: object, after: object): NestedDifference {
  const [old, now] = [before as Record<string, unknown>, after as Record<string, unknown>];
  const values: Record<string, unknown> = {};
  const within: Record<string, NestedDifference> = {};
  for (const [name, value] of Object.entries(now)) {
    if (isObject(old[name]) && isObject(value)) {
      const inner = differenceOf(old[name], value);
      if (!isEmpty(inner)) within[name] = inner;
    } else if (value !== old[name]) values[name] = value;
  }
  return { values, within, removed: Object.keys(old).filter(name => !(name in now)) };
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
const isEmpty = ({ values, within, removed }: NestedDifference) =>
  Object.keys(values).length + Object.keys(within).length + removed.length === 0;

/**
 * Only what the client gave or the session began with: a client's manual turn-taking stays manual. A session begins
 * with all of the defaults, so there a setting that they did not name is changed as well.
 */
function withChange(
  settings: Partial<SessionSettings>,
  change: NestedDifference,
  defaults: Partial<SessionSettings>,
): Partial<SessionSettings> {
  const isOpening = Object.keys(defaults).every(name => name in settings);
  const { turnDetection: detection, ...within } = change.within;
  const isKept = settings.turnDetection?.mode !== 'vad' || !detection;
  return applied(settings, { ...change, within: isKept ? within : change.within }, isOpening);
}

function applied<T extends object>(
  given: T,
  { values, within, removed }: NestedDifference,
  isWhole: boolean,
): T {
  const result = { ...given } as Record<string, unknown>;
  for (const [name, value] of Object.entries(values)) if (isWhole || name in result) result[name] = value;
  for (const [name, inner] of Object.entries(within))
    if (isObject(result[name])) result[name] = applied(result[name], inner, true);
  for (const name of removed) delete result[name];
  return result as T;
}
