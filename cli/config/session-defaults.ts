import type { SessionSettings } from '../../actors/session-api.ts';
import { TURN_PRESETS } from '../../actors/turn-taking/index.ts';
import type { Config } from './schema.ts';

/** The settings that a session begins with, as the configuration says. */
export function sessionDefaults(config: Config): Partial<SessionSettings> {
  const {
    truncateAt,
    maxReplySteps,
    maxTokensPerPicture,
    prefixPaddingMs,
    endpointSilenceMs,
    speculateSilenceMs,
  } = config;
  return {
    truncateAt,
    maxReplySteps,
    maxTokensPerPicture,
    ...(config.babbleGuard === 'off' && { babble: null }),
    turnDetection: {
      mode: 'vad',
      threshold: config.vadThreshold,
      prefixPaddingMs,
      endpointSilenceMs,
      speculateSilenceMs,
      createResponse: true,
      interruptResponse: true,
      meaning: null,
      ...(config.turnPreset !== 'none' && TURN_PRESETS[config.turnPreset]),
      // Only for most conversations: who chose a policy gets it on every line.
      telephone: config.turnPreset === 'balanced' ? TURN_PRESETS.telephone : null,
    },
  };
}
