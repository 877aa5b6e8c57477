/** From the calls of a world to its result: turns as the ear knew them joined with the runtime's own accounts. */
import { answeredTurns } from './answered-turns.ts';
import type { SimulatedCall } from './call.ts';
import type { Device, Window } from './engines/device.ts';
import { HOST_AWAY } from './engines/outages.ts';
import { meanOpinionScore } from './networks/e-model.ts';
import type { SpokenTurn } from './people/person.ts';
import type {
  SimulatedBargeIn,
  Counts,
  HeardCall,
  MemoryUse,
  RunResult,
  SaidTurn,
  Speculated,
  ToolUse,
} from './results.ts';

export interface CollectedWorld {
  readonly calls: readonly SimulatedCall[];
  /** When each call was refused, and whether memory was the reason. */
  readonly refusals: readonly { readonly atMs: number; readonly isForMemory: boolean }[];
  readonly devices: readonly Device[];
  readonly memory: MemoryUse | null;
  readonly dollarsPerHour: number;
  /** Mean power, W. */
  readonly wattsOf: (devices: RunResult['devices']) => number;
  readonly codeFrameMs: number;
  readonly meanCallMs: number | null;
  readonly patienceMs: number;
  /** The scenario has outages. */
  readonly losesHost: boolean;
  /** Of the whole run; absent where there is no tool. */
  readonly tool: ToolUse | undefined;
}

type Within = (atMs: number) => boolean;

export function collect(
  names: { readonly scenario: string; readonly seed: string },
  window: Window,
  world: CollectedWorld,
): RunResult {
  const { fromMs, toMs } = window;
  const { calls, devices, dollarsPerHour } = world;
  const within: Within = atMs => atMs >= fromMs && atMs < toMs;
  const turns = calls.flatMap(call => answeredTurns(call)).filter(({ atMs }) => within(atMs));
  const said = calls.flatMap(call => saidTurns(call, within));
  const speculated = calls.flatMap(call => speculations(call, within));
  const minutesOf = (call: SimulatedCall) => {
    const untilMs = Math.min(toMs, call.endedMs ?? toMs);
    return Math.max(0, untilMs - Math.max(fromMs, call.beganMs)) / 60_000;
  };
  const conversationMinutes = calls.reduce((sum, call) => sum + minutesOf(call), 0);
  const hours = (toMs - fromMs) / 3_600_000;
  const statistics = devices.map(device => device.statistics());
  const watts = world.wattsOf(statistics);
  return {
    ...names,
    ...window,
    meanCallMs: world.meanCallMs,
    patienceMs: world.patienceMs,
    turns: turns.sort((a, b) => a.atMs - b.atMs || (a.session < b.session ? -1 : 1)),
    said,
    speculated,
    bargeIns: calls.flatMap(bargeIns).filter(({ atMs }) => within(atMs)),
    listening: calls.flatMap(listening),
    counts: counts(world, window, said, speculated),
    failures: failures(calls, world.losesHost),
    errors: [...counted(calls.flatMap(({ errors }) => errors))].map(([reason, times]) => ({ reason, times })),
    devices: statistics,
    pace: paceOf(statistics, world.codeFrameMs),
    memory: world.memory,
    ...(world.tool && { tool: world.tool }),
    gantt: devices.map(({ name, servers, picture }) => ({ device: name, servers, jobs: picture })),
    conversationMinutes,
    wattHoursPerMinute: conversationMinutes > 0 && watts > 0 ? (watts * hours) / conversationMinutes : null,
    dollarsPerMinute:
      dollarsPerHour > 0 && conversationMinutes > 0 ? (dollarsPerHour * hours) / conversationMinutes : null,
  };
}

/** Speech that is heard again this soon after a pause may not have been taken for speech yet. */
const ONSET_MS = 200;

function saidTurns({ id, endpoints, person }: SimulatedCall, within: Within): SaidTurn[] {
  return person.turns
    .filter(({ beganMs }) => within(beganMs))
    .map(turn => {
      const early = endpoints.filter(endpoint => isFalse(endpoint.heardUntilMs, turn));
      const pauses = turn.stretches
        .slice(1)
        .map(({ fromMs }, i) => [turn.stretches[i].toMs, fromMs] as const);
      const taken = pauses.filter(([fromMs, toMs]) =>
        early.some(({ heardUntilMs }) => heardUntilMs > fromMs && heardUntilMs <= toMs + ONSET_MS),
      );
      return {
        session: id,
        atMs: turn.beganMs,
        pauses: pauses.length,
        pausesTaken: taken.length,
        isCutOff: early.length > 0,
        asksAgain: turn.asksAgain,
      };
    });
}

/** By what the runtime had heard then, the person had begun and not finished. */
function isFalse(heardUntilMs: number, { beganMs, endedMs }: SpokenTurn): boolean {
  return heardUntilMs > beganMs && heardUntilMs < endedMs - 1e-6;
}

function speculations({ id, traces }: SimulatedCall, within: Within): Speculated[] {
  return traces.flatMap(({ trace: { rollbacks, speculations, timeline } }) => {
    const atMs = timeline.speechStart ?? -1;
    return within(atMs) ? [{ session: id, atMs, speculations, rollbacks }] : [];
  });
}

function bargeIns(call: SimulatedCall): SimulatedBargeIn[] {
  return call.person.turns
    .filter(turn => turn.isBargeIn && (turn.silentMs !== null || turn.gaveUp))
    .map(({ beganMs, silentMs, gaveUp }) => ({
      session: call.id,
      atMs: beganMs,
      silenceMs: silentMs === null || gaveUp ? null : silentMs - beganMs,
    }));
}

/** docs/spec/latency-data.md §5.1. A break of a frame or less is a burst of one. */
function listening({ id, downlinkDelaysMs, ear }: SimulatedCall): HeardCall[] {
  const { breaks, missingMs, playedMs } = ear;
  if (downlinkDelaysMs.length === 0 || playedMs <= 0) return [];
  const delayMs = downlinkDelaysMs.reduce((sum, ms) => sum + ms, 0) / downlinkDelaysMs.length;
  const missing = missingMs / (missingMs + playedMs);
  const meanBurst = breaks > 0 ? Math.max(1, missingMs / breaks / FRAME_MS) : 1;
  const opinion = meanOpinionScore(delayMs, missing, Math.max(1, meanBurst * (1 - missing)));
  return [{ session: id, delayMs, missing, opinion }];
}
const FRAME_MS = 20;

function counts(
  { calls, refusals }: CollectedWorld,
  { fromMs, toMs }: Window,
  said: readonly SaidTurn[],
  speculated: readonly Speculated[],
): Counts {
  const within: Within = atMs => atMs >= fromMs && atMs < toMs;
  const sum = <T>(of: readonly T[], value: (one: T) => number) =>
    of.reduce((total, one) => total + value(one), 0);
  const isUnderWay = (call: SimulatedCall) => call.beganMs < toMs && (call.endedMs ?? toMs) > fromMs;
  const endpoints = calls.flatMap(call =>
    call.endpoints
      .filter(({ atMs }) => within(atMs))
      .map(({ heardUntilMs }) => call.person.turns.some(turn => isFalse(heardUntilMs, turn))),
  );
  const refused = refusals.filter(({ atMs }) => within(atMs));
  return {
    calls: calls.filter(isUnderWay).length,
    refused: refused.length,
    refusedForMemory: refused.filter(({ isForMemory }) => isForMemory).length,
    failed: calls.filter(call => call.failure !== null && within(call.endedMs ?? toMs - 1)).length,
    userTurns: said.length,
    pauses: sum(said, turn => turn.pauses),
    endpoints: endpoints.length,
    falseEndpoints: endpoints.filter(isEarly => isEarly).length,
    unanswered: said.filter(({ asksAgain }) => asksAgain === 'unanswered').length,
    notUnderstood: said.filter(({ asksAgain }) => asksAgain === 'not understood').length,
    backchannels: sum(calls, call => call.person.backchannelsMs.filter(within).length),
    speculations: sum(speculated, one => one.speculations),
    rollbacks: sum(speculated, one => one.rollbacks),
    stutters: sum(calls, call => call.ear.stuttersMs.filter(within).length),
    packetsSent: sum(calls, call => call.uplink.counts.sent + call.downlink.sent),
    packetsLost: sum(calls, call => call.uplink.counts.lost + call.downlink.lost),
    packetsConcealed: sum(calls, call => call.uplink.counts.concealed),
  };
}

function failures(calls: readonly SimulatedCall[], losesHost: boolean): RunResult['failures'] {
  const reasons = counted(calls.flatMap(({ failure }) => (failure === null ? [] : [failure])));
  return [...reasons].map(([reason, count]) => ({
    reason,
    calls: count,
    isWanted: losesHost && reason.startsWith(HOST_AWAY),
  }));
}

/** How often each was said. */
function counted(texts: readonly string[]): Map<string, number> {
  const times = new Map<string, number>();
  for (const text of texts) times.set(text, (times.get(text) ?? 0) + 1);
  return times;
}

/** Each step that decodes makes one code frame of every speaker in it. */
function paceOf(devices: RunResult['devices'], codeFrameMs: number): number | null {
  const decoding = devices.flatMap(({ kinds }) => kinds.filter(({ label }) => label.startsWith('decode')));
  const jobs = decoding.reduce((sum, kind) => sum + kind.jobs, 0);
  const totalMs = decoding.reduce((sum, kind) => sum + kind.jobs * kind.meanMs, 0);
  return jobs > 0 ? totalMs / jobs / codeFrameMs : null;
}
