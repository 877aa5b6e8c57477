import { createRandom, RealClock, silentLogger } from '../../actors/core/index.ts';
import { createRuntime } from '../../actors/index.ts';
import type { VoiceActivityDetector, VoiceActivityDetectorFactory } from '../../actors/perceive/index.ts';
import { type RunningServer, type ServerOptions, startServer } from '../../protocols/index.ts';
import { type ZeroLatencyOptions, zeroLatencyEngine } from './zero-latency-engine.ts';

export interface LiveServer extends RunningServer {
  readonly clock: RealClock;
  /** What the scripted engine says each time. */
  readonly reply: string;
}

const REPLY = 'Yes, I can hear you. Go on.';

/** Loud is speech: these tests are about the doors, and a detector's opinion of synthetic voices is not. */
const levelDetector = (): VoiceActivityDetector => ({
  frame: samples => (samples.some(sample => Math.abs(sample) > 0.03) ? 1 : 0),
});

interface LiveScript extends Pick<ZeroLatencyOptions, 'replies' | 'toolTemplate' | 'onStep'> {
  readonly replyFrames?: number;
}

/** The real server over the real runtime, with an engine that answers at once. */
export async function startLiveServer(
  { replyFrames = 40, replies, toolTemplate, onStep, ...options }: Partial<ServerOptions> & LiveScript = {},
  voiceActivityDetector: VoiceActivityDetectorFactory = levelDetector,
): Promise<LiveServer> {
  const clock = new RealClock();
  const script = replies ?? [[{ text: REPLY, frames: replyFrames }]];
  const engine = zeroLatencyEngine({
    replies: script,
    ...(toolTemplate && { toolTemplate }),
    ...(onStep && { onStep }),
  });
  const runtime = createRuntime({
    engine,
    clock,
    random: createRandom(1),
    voiceActivityDetector,
  });
  const server = await startServer({
    modelName: engine.model.name,
    engineKind: engine.kind,
    unixTimeMs: Date.now,
    host: '127.0.0.1',
    port: 0,
    keys: [],
    allowedOrigins: [],
    webRoot: 'web',
    runtime,
    log: silentLogger,
    clock,
    ...options,
  });
  const close = async () => {
    await server.close();
    await runtime.close();
  };
  return { ...server, clock, reply: REPLY, close };
}
