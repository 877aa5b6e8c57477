/** Merging and checking of session settings. */
import { RuntimeError } from '../../kernels/errors.ts';
import type { Speaker } from '../play-out/index.ts';
import type { SessionSettings } from '../session-api.ts';
import type { TurnPolicy } from '../turn-taking/index.ts';

/** Longest silence that may end a turn. */
const MAX_SILENCE_MS = 30_000;

/** Error `settings.invalid` naming the setting; the current settings stay as they are. */
export function mergeSettings(current: SessionSettings, change: Partial<SessionSettings>): SessionSettings {
  const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
  const merged: SessionSettings = { ...current, ...given };
  const { turnDetection, delivery } = merged;
  within('temperature', merged.temperature, 0, 10);
  within('topP', merged.topP, 0, 1);
  within('speechSpeed', merged.speechSpeed, 0.25, 1.5);
  whole('topK', merged.topK, 1);
  within('repetitionPenalty', merged.repetitionPenalty, 0.1, 10);
  whole('maxReplySteps', merged.maxReplySteps, 1);
  whole('maxTokensPerPicture', merged.maxTokensPerPicture, 0);
  if (delivery.mode === 'paced') within('delivery.leadMs', delivery.leadMs, 20, 10_000);
  if (turnDetection.mode === 'vad') {
    within('turnDetection.threshold', turnDetection.threshold, 0, 1);
    within('turnDetection.prefixPaddingMs', turnDetection.prefixPaddingMs, 0, 5000);
    within('turnDetection.endpointSilenceMs', turnDetection.endpointSilenceMs, 20, MAX_SILENCE_MS);
    within('turnDetection.speculateSilenceMs', turnDetection.speculateSilenceMs, 20, MAX_SILENCE_MS);
  }
  return merged;
}

/** Error `settings.invalid`. */
export function checkSpeaker({ latencyMs, leadMs }: Speaker): void {
  within('speaker.latencyMs', latencyMs, 0, 10_000);
  if (leadMs !== undefined) within('speaker.leadMs', leadMs, 20, 10_000);
}

export function turnPolicy({ turnDetection }: SessionSettings): TurnPolicy {
  if (turnDetection.mode === 'manual')
    return { createResponse: false, interruptResponse: false, speculate: false };
  const { createResponse, interruptResponse, speculateSilenceMs, endpointSilenceMs } = turnDetection;
  return { createResponse, interruptResponse, speculate: speculateSilenceMs < endpointSilenceMs };
}

function within(setting: string, value: number, min: number, max: number): void {
  if (value >= min && value <= max) return;
  throw new RuntimeError(
    'settings.invalid',
    'The setting is out of range.',
    { setting, value, min, max },
    'Choose a value in the range.',
  );
}

function whole(setting: string, value: number, min: number): void {
  if (Number.isSafeInteger(value) && value >= min) return;
  throw new RuntimeError(
    'settings.invalid',
    'The setting must be a whole number.',
    { setting, value, min },
    `Choose a whole number of at least ${min}.`,
  );
}
