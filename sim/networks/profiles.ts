/** Access networks one way (docs/spec/latency-data.md §5.3) and what the ends add (docs/spec/latency-data.md §5.4). */
export interface NetworkProfile {
  readonly baseMs: number;
  /** p95 − p50 of the delay. */
  readonly jitterMs: number;
  /** Share of packets. */
  readonly loss: number;
  readonly meanBurst: number;
  readonly spikeMs: number;
  readonly spikesPerMinute: number;
  /** All is lost for 50–200 ms, when moving. */
  readonly handoversPerMinute: number;
  /** Microphone, capture buffer, echo canceller. */
  readonly captureMs: number;
  /** Decoder and render buffer of the listener. */
  readonly renderMs: number;
}

const browser = { handoversPerMinute: 0, captureMs: 35, renderMs: 30 };
const calm = { spikeMs: 0, spikesPerMinute: 0 };

export const NETWORK_PROFILES = {
  lab: { baseMs: 5, jitterMs: 1, loss: 0, meanBurst: 1, ...calm, ...browser },
  fibre: { baseMs: 20, jitterMs: 3, loss: 0.001, meanBurst: 1.2, ...calm, ...browser },
  wifi: { baseMs: 22, jitterMs: 8, loss: 0.005, meanBurst: 1.5, spikeMs: 50, spikesPerMinute: 1, ...browser },
  'wifi-congested': {
    baseMs: 30,
    jitterMs: 35,
    loss: 0.02,
    meanBurst: 3,
    spikeMs: 150,
    spikesPerMinute: 4,
    ...browser,
  },
  '4g': {
    baseMs: 35,
    jitterMs: 12,
    loss: 0.003,
    meanBurst: 1.5,
    spikeMs: 80,
    spikesPerMinute: 1,
    ...browser,
  },
  '4g-edge': {
    baseMs: 55,
    jitterMs: 45,
    loss: 0.03,
    meanBurst: 5,
    spikeMs: 300,
    spikesPerMinute: 2,
    ...browser,
  },
  '4g-moving': {
    baseMs: 55,
    jitterMs: 45,
    loss: 0.03,
    meanBurst: 5,
    spikeMs: 300,
    spikesPerMinute: 2,
    ...browser,
    handoversPerMinute: 0.5,
  },
  '5g': {
    baseMs: 18,
    jitterMs: 6,
    loss: 0.002,
    meanBurst: 1.5,
    spikeMs: 60,
    spikesPerMinute: 0.5,
    ...browser,
  },
  /** docs/spec/latency-data.md §5.1: a handset takes 150 ms, send and receive together. */
  pstn: {
    baseMs: 30,
    jitterMs: 3,
    loss: 0.001,
    meanBurst: 1.2,
    ...calm,
    handoversPerMinute: 0,
    captureMs: 75,
    renderMs: 75,
  },
} as const satisfies Record<string, NetworkProfile>;

export type NetworkName = keyof typeof NETWORK_PROFILES;
