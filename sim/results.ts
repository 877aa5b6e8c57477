/** What one run leaves behind: plain data, enough for every statistic and picture. Times in ms of the simulated clock. */
import type { DeviceStatistics, Job } from './engines/device.ts';

export interface AnsweredTurn {
  readonly session: string;
  readonly atMs: number;
  /** From the last speech at the mouth to the first sound at the ear. */
  readonly firstAudioMs: number;
  /** From the endpoint to the first sample that leaves. */
  readonly afterEndpointMs: number;
  /** Closed: the entries add up to `firstAudioMs`. */
  readonly entries: readonly { readonly cause: string; readonly ms: number }[];
  readonly speculations: number;
  readonly rollbacks: number;
  readonly interrupted: boolean;
  readonly heardMs: number;
}

export interface BargeIn {
  readonly session: string;
  readonly atMs: number;
  /** From the first speech at the mouth to silence at the ear; null when the agent went on until the person gave up. */
  readonly silenceMs: number | null;
}

export interface Counts {
  readonly calls: number;
  readonly refused: number;
  readonly failed: number;
  readonly userTurns: number;
  /** Pauses inside those turns. */
  readonly pauses: number;
  readonly endpoints: number;
  /** Endpoints declared while the person had not finished. */
  readonly falseEndpoints: number;
  /** Turns that nobody answered in the person's patience. */
  readonly reprompts: number;
  readonly backchannels: number;
  readonly speculations: number;
  readonly rollbacks: number;
  readonly stutters: number;
  readonly packetsSent: number;
  readonly packetsLost: number;
  readonly packetsConcealed: number;
}

export interface RunResult {
  readonly scenario: string;
  readonly seed: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly turns: readonly AnsweredTurn[];
  readonly bargeIns: readonly BargeIn[];
  readonly counts: Counts;
  readonly devices: readonly DeviceStatistics[];
  /** The first jobs of each device after the warm-up. */
  readonly gantt: readonly {
    readonly device: string;
    readonly servers: number;
    readonly jobs: readonly Job[];
  }[];
  readonly conversationMinutes: number;
  readonly dollarsPerMinute: number | null;
}
