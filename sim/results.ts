/**
 * What one run leaves behind: plain data, enough for every statistic and picture. Times in ms of the simulated clock.
 */
import type { DeviceStatistics, Job } from './engines/device.ts';

export interface AnsweredTurn {
  readonly session: string;
  readonly atMs: number;
  /** From the last speech at the mouth to the first sound at the ear. */
  readonly firstAudioMs: number;
  /** From the endpoint to the first sample that leaves. */
  readonly afterEndpointMs: number;
  /** Closed: the entries add up to `firstAudioMs`, and none is negative. */
  readonly entries: readonly { readonly cause: string; readonly ms: number }[];
  readonly speculations: number;
  readonly rollbacks: number;
  readonly interrupted: boolean;
  readonly heardMs: number;
}

export interface SimulatedBargeIn {
  readonly session: string;
  readonly atMs: number;
  /** From the first speech at the mouth to silence at the ear; null when the agent went on until the person gave up. */
  readonly silenceMs: number | null;
}

/** A turn of a person, answered or not. */
export interface SaidTurn {
  readonly session: string;
  readonly atMs: number;
  readonly pauses: number;
  /** Of them, those that were taken for the end. */
  readonly pausesTaken: number;
  /** An endpoint was declared before its end, in a pause or where sound was lost. */
  readonly isCutOff: boolean;
  readonly asksAgain: 'unanswered' | 'not understood' | null;
}

/** What the runtime decoded ahead of an endpoint, by user turn. */
export interface Speculated {
  readonly session: string;
  readonly atMs: number;
  readonly speculations: number;
  readonly rollbacks: number;
}

/** What a caller heard of the agent within the window. */
export interface HeardCall {
  readonly session: string;
  /** From leaving the runtime to sounding, mean over replies. */
  readonly delayMs: number;
  /** Share of the sound that did not come in its time. */
  readonly missing: number;
  /** Of the reduced E-model, 1–4.5. */
  readonly opinion: number;
}

/** Calls that ended because something failed, at any time of the run. */
export interface Failure {
  readonly reason: string;
  readonly calls: number;
  /** The scenario has the host go away. */
  readonly isWanted: boolean;
}

/** Of what happened after the warm-up. */
export interface Counts {
  /** Under way at some time. */
  readonly calls: number;
  readonly refused: number;
  /** Of them, for want of memory. */
  readonly refusedForMemory: number;
  readonly failed: number;
  readonly userTurns: number;
  /** Pauses inside those turns. */
  readonly pauses: number;
  readonly endpoints: number;
  /** Endpoints declared while the person had not finished. */
  readonly falseEndpoints: number;
  /** Turns that nobody answered in the person's patience. */
  readonly unanswered: number;
  /** Turns whose answer was to something else. */
  readonly notUnderstood: number;
  readonly backchannels: number;
  readonly speculations: number;
  readonly rollbacks: number;
  /** Breaks in the middle of a reply that concealment does not hide. */
  readonly stutters: number;
  /** Of whole calls, also what came before the window. */
  readonly packetsSent: number;
  readonly packetsLost: number;
  readonly packetsConcealed: number;
}

/** Cached keys and values; null where the engine keeps no account. */
export interface MemoryUse {
  readonly capacityPositions: number;
  readonly mostPositions: number;
}

/** Calls of a tool, warm-up included. */
export interface ToolUse {
  readonly runs: number;
  /** Of them, those that nobody wanted any more before they had answered. */
  readonly aborted: number;
}

export interface RunResult {
  readonly scenario: string;
  readonly seed: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** Where calls come and go; null where sessions last the run. */
  readonly meanCallMs: number | null;
  /** No turn is answered later than this: its person says it once more. */
  readonly patienceMs: number;
  readonly turns: readonly AnsweredTurn[];
  readonly said: readonly SaidTurn[];
  readonly speculated: readonly Speculated[];
  readonly bargeIns: readonly SimulatedBargeIn[];
  readonly listening: readonly HeardCall[];
  readonly counts: Counts;
  /** Why calls failed: each reason once, with how many. */
  readonly failures: readonly Failure[];
  /** What callers were told that went wrong and did not end their call. */
  readonly errors: readonly { readonly reason: string; readonly times: number }[];
  readonly devices: readonly DeviceStatistics[];
  /** Mean length of a step that decodes, over the sound that it makes; 1 = no faster than speech. Null without one. */
  readonly pace: number | null;
  readonly memory: MemoryUse | null;
  /** Absent where the scenario has no tools. */
  readonly tool?: ToolUse;
  /** The first jobs of each device after the warm-up. */
  readonly gantt: readonly {
    readonly device: string;
    readonly servers: number;
    readonly jobs: readonly Job[];
  }[];
  readonly conversationMinutes: number;
  readonly dollarsPerMinute: number | null;
  /** Of the devices, without what cools and feeds them; null where their power is not known. */
  readonly wattHoursPerMinute: number | null;
}
