import type { SessionSettings, TurnDetection } from '../../actors/session-api.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { loadConfig, withPreset } from '../config/load.ts';
import { type Config, configSchema } from '../config/schema.ts';
import { sessionDefaults } from '../house.ts';
import type { Assignment } from '../sim/scenario-file.ts';

/** A file with what the engine's steps cost instead; everything else that may be set is a setting of docs/configuration.md. */
const COSTS = 'costs';
/** Settings that a recording keeps: what the actors depend on, and nothing that is secret. */
const KEPT = [
  'model',
  'engine',
  'seed',
  'maxSessions',
  'maxBatch',
  'prefillTokenBudget',
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
  return Object.fromEntries(KEPT.map(name => [name, config[name]]));
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
  const before = loadConfig(known, {});
  const config = loadConfig({ ...known, ...withPreset(changes) }, {});
  const changed = changedLeaves(sessionDefaults(before), sessionDefaults(config));
  return { config, costs, changeSettings: settings => withChanges(settings, changed) };
}

type Changed = Partial<SessionSettings> & { turnDetection?: Partial<TurnDetection> };

/** What differs, field by field also within turn detection. */
function changedLeaves(before: object, after: object): Changed {
  const differing = Object.entries(after).flatMap(([name, value]) => {
    const old = (before as Record<string, unknown>)[name];
    const isLeaf = [old, value].some(one => typeof one !== 'object' || one === null);
    if (isLeaf) return value === old ? [] : [[name, value]];
    const inner = changedLeaves(old as object, value as object);
    return Object.keys(inner).length > 0 ? [[name, inner]] : [];
  });
  return Object.fromEntries(differing);
}

/** Only what the client gave or the session began with: a client's manual turn-taking stays manual. */
function withChanges(settings: Partial<SessionSettings>, changed: Changed): Partial<SessionSettings> {
  const { turnDetection: inner, ...rest } = changed;
  const names = Object.keys(rest).filter(name => name in settings);
  const replaced = Object.fromEntries(names.map(name => [name, (rest as Record<string, unknown>)[name]]));
  const { turnDetection } = settings;
  if (!inner || turnDetection?.mode !== 'vad') return { ...settings, ...replaced };
  return { ...settings, ...replaced, turnDetection: { ...turnDetection, ...inner } as TurnDetection };
}
