/** What a scenario sets of each session, and of each person. */
import type { SessionSettings, TurnDetection } from '../actors/session-api.ts';
import { TURN_PRESETS } from '../actors/turn-taking/index.ts';
import type { CallLaw } from './engines/call-script.ts';
import type { PersonLaw } from './people/person.ts';
import type { Scenario } from './scenarios/schema.ts';

/** Whether the endpoint follows what the model makes of the words. */
export function followsMeaning({ turnTaking }: Scenario): boolean {
  return turnTaking.preset !== 'none' || turnTaking.meaning !== undefined;
}

export function sessionSettings({ turnTaking, transport }: Scenario): Partial<SessionSettings> {
  const { judge: _, meaning, preset, ...silence } = turnTaking;
  const { kind, leadMs = LEAD_MS[kind] ?? 0 } = transport;
  const turnDetection: TurnDetection = {
    mode: 'vad',
    prefixPaddingMs: 300,
    createResponse: true,
    ...silence,
    ...(meaning && { meaning }),
    ...(preset !== 'none' && TURN_PRESETS[preset]),
  };
  return { turnDetection, delivery: kind in LEAD_MS ? { mode: 'paced', leadMs } : { mode: 'burst' } };
}

/** What of its replies a modelled model calls tools in. */
export function callLaw({ tools }: Scenario): CallLaw | null {
  return tools ? { share: tools.share, saysWords: tools.saysWords, tokens: tools.callTokens } : null;
}

type Kind = Scenario['transport']['kind'];

/** How far ahead sound leaves that leaves as it is heard: as the product's own doors have it. */
const LEAD_MS: Readonly<Partial<Record<Kind, number>>> = { rtp: 40, webrtc: 40, sip: 60, live: 60 };

/** In packets that may be lost, which a jitter buffer puts in order. */
export function isLossy(kind: Kind): boolean {
  return kind === 'rtp' || kind === 'webrtc' || kind === 'sip';
}

/** The far end has a queue that can be told to throw away what it has. */
export function isCleared(kind: Kind): boolean {
  return !(kind in LEAD_MS);
}

export function personLaw(scenario: Scenario): PersonLaw {
  const { people, replyS, turnTaking } = scenario;
  const { talkS, pauseS, talkPerPauseS, gapS, wordsThatMatter: _, ...rest } = people;
  const meanReplyS = replyS.median * Math.exp(replyS.sigma ** 2 / 2);
  const judgement = followsMeaning(scenario) ? turnTaking.judge : null;
  return { ...rest, turn: { talkS, pauseS, talkPerPauseS }, gap: gapS, meanReplyS, judgement };
}

/** Beyond the longest wait for an endpoint, for what is still under way to settle. */
const SETTLING_MS = 500;

/** Silence after which a session waits for nothing more of it. */
export function calmMs({ turnDetection }: Partial<SessionSettings>): number {
  if (turnDetection?.mode !== 'vad') return Number.POSITIVE_INFINITY;
  const { endpointSilenceMs, meaning } = turnDetection;
  return Math.max(endpointSilenceMs, meaning?.ceilingMs ?? 0) + SETTLING_MS;
}
