/** From the calls of a world to its result: turns as the ear knew them joined with the runtime's own accounts. */
import type { TurnTrace } from '../actors/session-api.ts';
import type { Call } from './call.ts';
import type { Device } from './engines/device.ts';
import type { SpokenTurn } from './people/person.ts';
import type { AnsweredTurn, BargeIn, Counts, RunResult } from './results.ts';

export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The picture of the devices shows this much time. */
const GANTT_MS = 1000;
const GANTT_JOBS = 1500;

export function collect(
  names: { readonly scenario: string; readonly seed: string },
  window: Window,
  world: {
    readonly calls: readonly Call[];
    readonly refused: number;
    readonly devices: readonly Device[];
    readonly dollarsPerHour: number;
  },
): RunResult {
  const { fromMs, toMs } = window;
  const { calls, devices, dollarsPerHour } = world;
  const within = (atMs: number) => atMs >= fromMs && atMs < toMs;
  const turns = calls.flatMap(call => answeredTurns(call)).filter(({ atMs }) => within(atMs));
  const conversationMs = calls.reduce(
    (sum, call) => sum + Math.max(0, (call.endedMs ?? toMs) - Math.max(fromMs, call.beganMs)),
    0,
  );
  const hours = (toMs - fromMs) / 3_600_000;
  const conversationMinutes = conversationMs / 60_000;
  return {
    ...names,
    ...window,
    turns: turns.sort((a, b) => a.atMs - b.atMs || (a.session < b.session ? -1 : 1)),
    bargeIns: calls.flatMap(bargeIns).filter(({ atMs }) => within(atMs)),
    counts: counts(calls, within, world.refused),
    devices: devices.map(device => device.statistics(fromMs, toMs)),
    gantt: devices.map(({ name, servers, jobs }) => ({
      device: name,
      servers,
      jobs: jobs
        .filter(job => job.endedMs > fromMs && job.startedMs < fromMs + GANTT_MS)
        .slice(0, GANTT_JOBS),
    })),
    conversationMinutes,
    dollarsPerMinute:
      dollarsPerHour > 0 && conversationMinutes > 0 ? (dollarsPerHour * hours) / conversationMinutes : null,
  };
}

/** Turns that were answered after the person had finished. Each is the one whose answer began at the ear after the trace's. */
function answeredTurns(call: Call): AnsweredTurn[] {
  const spoken = call.person.turns.filter(turn => turn.answeredMs !== null);
  const answered: AnsweredTurn[] = [];
  for (const trace of call.traces) {
    const { firstAudio, endpoint, speechEnd } = trace.timeline;
    if (firstAudio === null || endpoint === null || speechEnd === null || !trace.waterfall) continue;
    const turn = spoken.find(
      ({ answeredMs }, i) => answeredMs! >= firstAudio && (spoken[i - 1]?.answeredMs ?? 0) < firstAudio,
    );
    if (turn && endpoint >= turn.endedMs) answered.push(account(call.id, turn, trace, firstAudio - endpoint));
  }
  return answered;
}

function account(session: string, turn: SpokenTurn, trace: TurnTrace, afterEndpointMs: number): AnsweredTurn {
  const { firstAudio, speechEnd } = trace.timeline;
  const entries = [
    { cause: 'uplink', ms: speechEnd! - turn.endedMs },
    ...trace.waterfall!.entries,
    { cause: 'downlink', ms: turn.answeredMs! - firstAudio! },
  ];
  return {
    session,
    atMs: turn.endedMs,
    firstAudioMs: turn.answeredMs! - turn.endedMs,
    afterEndpointMs,
    entries,
    speculations: trace.speculations,
    rollbacks: trace.rollbacks,
    interrupted: trace.interrupted,
    heardMs: trace.heardMs,
  };
}

function bargeIns(call: Call): BargeIn[] {
  return call.person.turns
    .filter(turn => turn.isBargeIn && (turn.silentMs !== null || turn.gaveUp))
    .map(({ beganMs, silentMs, gaveUp }) => ({
      session: call.id,
      atMs: beganMs,
      silenceMs: silentMs === null || gaveUp ? null : silentMs - beganMs,
    }));
}

function counts(calls: readonly Call[], within: (atMs: number) => boolean, refused: number): Counts {
  const turns = calls.flatMap(({ person }) => person.turns).filter(({ beganMs }) => within(beganMs));
  const traces = calls
    .flatMap(call => call.traces)
    .filter(({ timeline }) => within(timeline.speechStart ?? -1));
  const sum = <T>(of: readonly T[], value: (one: T) => number) =>
    of.reduce((total, one) => total + value(one), 0);
  return {
    calls: calls.length,
    refused,
    failed: calls.filter(({ failure }) => failure !== null).length,
    userTurns: turns.length,
    pauses: sum(turns, turn => turn.pauses),
    endpoints: sum(calls, call => call.endpointsMs.filter(within).length),
    falseEndpoints: sum(calls, call => call.falseEndpointsMs.filter(within).length),
    reprompts: turns.filter(turn => turn.isReprompt).length,
    backchannels: sum(calls, call => call.person.backchannels),
    speculations: sum(traces, trace => trace.speculations),
    rollbacks: sum(traces, trace => trace.rollbacks),
    stutters: sum(calls, call => call.ear.stutters),
    packetsSent: sum(calls, call => call.uplink.path.sent + call.downlink.sent),
    packetsLost: sum(calls, call => call.uplink.path.lost + call.downlink.lost),
    packetsConcealed: sum(calls, call => call.uplink.jitterBuffer?.concealed ?? 0),
  };
}
