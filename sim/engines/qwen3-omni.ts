/**
 * Qwen3-Omni-30B-A3B on vLLM by its published first-packet table (docs/spec/latency-data.md §3.4), as a pipeline: each
 * session passes through five stages whose times are those of the table's rows at the load that the stage sees.
 */
import type { Clock } from '../../actors/core/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { Device } from './device.ts';

export const QWEN_LOADS = [1, 4, 6] as const;
export type QwenLoad = (typeof QWEN_LOADS)[number];
export type QwenInput = 'audio' | 'video';

interface Stage {
  readonly name: string;
  /** ms at 1, 4 and 6 sessions. */
  readonly ms: Readonly<Record<QwenInput, readonly [number, number, number]>>;
}

const alike = (ms: readonly [number, number, number]) => ({ audio: ms, video: ms });

const STAGES: readonly Stage[] = [
  { name: 'tail packet', ms: { audio: [72, 94, 100], video: [160, 180, 200] } },
  { name: 'thinker', ms: { audio: [88, 468, 673], video: [160, 866, 1330] } },
  { name: 'talker', ms: { audio: [57, 145, 376], video: [210, 450, 734] } },
  { name: 'MTP module', ms: alike([14, 16, 18]) },
  { name: 'codec decoder', ms: alike([3, 5, 5]) },
];

/** Tokens a second of one session while it speaks. */
const THINKER_PER_S = [75, 63, 53] as const;
const TALKER_PER_S = [140, 125, 110] as const;
const CODE_FRAME_MS = 80;

/** What the table prints, ms: the first packet, and the time to generate over the time to hear. */
export const QWEN_PUBLISHED = {
  firstPacketMs: { audio: [234, 728, 1172], video: [547, 1517, 2284] },
  realTimeFactor: [0.47, 0.56, 0.66],
} as const;

/** All sessions ask at once. Calls back with the time until the last of them has its first packet. */
export function simulateFirstPacket(
  clock: Clock,
  sessions: number,
  input: QwenInput,
  onDone: (ms: number) => void,
): void {
  const beganMs = clock.nowMs();
  const column = columnOf(sessions);
  // Sessions share a stage: the published times are those of sessions that run side by side.
  const stages = STAGES.map(({ name, ms }) => ({
    device: new Device(name, sessions, clock),
    name,
    ms: ms[input][column],
  }));
  let left = sessions;
  const enter = (stage: number) => {
    if (stage === stages.length) {
      left -= 1;
      if (left === 0) onDone(clock.nowMs() - beganMs);
      return;
    }
    const { device, ms, name } = stages[stage];
    clock.setTimer(device.occupy(ms, name), () => enter(stage + 1));
  };
  for (let session = 0; session < sessions; session++) enter(0);
}

/** Speech of `frames` code frames, one after the other through thinker, talker, MTP module and decoder. */
export function simulateSpeech(
  clock: Clock,
  sessions: number,
  frames: number,
  onDone: (realTimeFactor: number) => void,
): void {
  const beganMs = clock.nowMs();
  const column = columnOf(sessions);
  const [mtp, codec] = STAGES.slice(-2).map(({ ms }) => ms.audio[column]);
  const frameMs = 1000 / THINKER_PER_S[column] + 1000 / TALKER_PER_S[column] + mtp + codec;
  const device = new Device('speech', 1, clock);
  const next = (left: number) => {
    if (left === 0) onDone((clock.nowMs() - beganMs) / (frames * CODE_FRAME_MS));
    else clock.setTimer(device.occupy(frameMs, 'code frame'), () => next(left - 1));
  };
  next(frames);
}

function columnOf(sessions: number): number {
  const column = QWEN_LOADS.indexOf(sessions as QwenLoad);
  if (column >= 0) return column;
  const values = { sessions, published: QWEN_LOADS.join(', ') };
  throw new RuntimeError('sim.unpublished-load', 'No such load was published.', values, 'Use one that was.');
}
