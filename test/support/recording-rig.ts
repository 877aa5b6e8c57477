import { createRandom, engineOnClock, silentLogger } from '../../actors/core/index.ts';
import { createRuntime, type Runtime, type RuntimeLimits, type Tool } from '../../actors/index.ts';
import {
  decodeRecording,
  packTool,
  Recorder,
  type Recording,
  type ReplayResult,
  type ReplayWorld,
  recordedClock,
  recordedEngine,
  recordedRuntime,
  recordedTools,
  replay,
} from '../../actors/recording/index.ts';
import { LateClock } from './late-clock.ts';
import { type ZeroLatencyOptions, zeroLatencyEngine } from './zero-latency-engine.ts';

const DEFAULT_MOST_STEP_MS = 30;
const detector = () => ({ frame: (samples: Float32Array) => (samples[0] === 0 ? 0 : 1) });

export interface RecordingRigOptions extends ZeroLatencyOptions {
  readonly machineSeed?: number;
  readonly runtimeSeed?: number;
  readonly limits?: Partial<RuntimeLimits>;
  readonly mostStepMs?: number;
  /** Of the runtime. */
  readonly tools?: readonly Tool[];
  /** Frames that the file takes before it takes no more. */
  readonly mostFrames?: number;
}

/** A recorded runtime on a machine whose timers are late and whose engine takes its time; files stay in memory. */
export class RecordingRig {
  readonly clock: LateClock;
  readonly runtime: Runtime;
  readonly files: Uint8Array[][] = [];
  readonly #options: RecordingRigOptions;

  constructor(options: RecordingRigOptions = {}) {
    this.#options = options;
    const random = createRandom(options.machineSeed ?? 1);
    this.clock = new LateClock(random.split('clock'));
    const names = {
      config: {},
      model: { name: 'scripted', hash: 'none' },
      engine: 'modelled',
      tools: (options.tools ?? []).map(packTool),
      clock: 'virtual' as const,
    };
    const create = () => {
      const frames: Uint8Array[] = [];
      this.files.push(frames);
      const most = options.mostFrames ?? Number.POSITIVE_INFINITY;
      return {
        write: (frame: Uint8Array) => frames.length < most && frames.push(frame) > 0,
        close: () => {},
      };
    };
    const recorder = new Recorder(this.clock, { create }, names, silentLogger);
    const steps = random.split('steps');
    const cost = () => steps.next() * (options.mostStepMs ?? DEFAULT_MOST_STEP_MS);
    const engine = engineOnClock(zeroLatencyEngine(options), this.clock, {
      languageModel: cost,
      audioEncoder: cost,
      visionEncoder: cost,
      speechTokenizer: cost,
      ganDecoder: cost,
    });
    const runtime = createRuntime({
      engine: recordedEngine(engine, recorder),
      clock: recordedClock(this.clock, recorder),
      random: createRandom(options.runtimeSeed ?? 1),
      limits: options.limits,
      voiceActivityDetector: detector,
      tools: recordedTools(options.tools ?? [], recorder),
    });
    this.runtime = recordedRuntime(runtime, recorder);
  }

  /** Everything written so far to the nth file. */
  bytes(file = 0): Uint8Array {
    return Buffer.concat(this.files[file]);
  }

  recording(file = 0): Recording {
    return decodeRecording(this.bytes(file));
  }

  /** Runs a file again on a fresh runtime. */
  replay(world: Partial<ReplayWorld> = {}, file = 0, runtimeSeed?: number): Promise<ReplayResult> {
    return replay(this.recording(file), {
      engine: zeroLatencyEngine(this.#options),
      openRuntime: (engine, clock, tools) =>
        createRuntime({
          engine,
          clock,
          random: createRandom(runtimeSeed ?? this.#options.runtimeSeed ?? 1),
          limits: this.#options.limits,
          voiceActivityDetector: detector,
          tools,
        }),
      stepMs: () => () => 1,
      hasOtherCosts: false,
      ...world,
    });
  }
}
