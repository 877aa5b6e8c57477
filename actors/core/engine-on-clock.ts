import type {
  AudioEncoderWork,
  Engine,
  GanDecoderWork,
  LanguageModelWork,
  SpeechTokenizerEngine,
  VisionEncoderWork,
} from '../../kernels/engine/index.ts';
import type { Clock } from './clock.ts';

/** Clock time that a step takes, by component; what is not given takes none. */
export interface StepCosts {
  readonly languageModel?: (batch: readonly LanguageModelWork[]) => number;
  readonly audioEncoder?: (batch: readonly AudioEncoderWork[]) => number;
  readonly visionEncoder?: (batch: readonly VisionEncoderWork[]) => number;
  readonly speechTokenizer?: (batch: Parameters<SpeechTokenizerEngine['step']>[0]) => number;
  readonly ganDecoder?: (batch: readonly GanDecoderWork[]) => number;
}

/**
 * The same engine, its answers arriving through the clock: live nothing changes; under a virtual clock each step takes
 * `costs` of clock time however long the host computes, so that real arithmetic runs deterministically.
 */
export function engineOnClock(engine: Engine, clock: Clock, costs: StepCosts = {}): Engine {
  return {
    kind: engine.kind,
    model: engine.model,
    tokenizer: engine.tokenizer,
    languageModel: onClock(engine.languageModel, clock, costs.languageModel),
    audioEncoder: onClock(engine.audioEncoder, clock, costs.audioEncoder),
    visionEncoder: onClock(engine.visionEncoder, clock, costs.visionEncoder),
    speechTokenizer: onClock(engine.speechTokenizer, clock, costs.speechTokenizer),
    ganDecoder: onClock(engine.ganDecoder, clock, costs.ganDecoder),
    close: () => engine.close(),
  };
}

interface Stepping<Work, Answer> {
  step(batch: readonly Work[]): Promise<Answer>;
}

/** `component` with `step` replaced; everything else keeps running on the original object. */
function onClock<Work, Answer, Component extends Stepping<Work, Answer>>(
  component: Component & Stepping<Work, Answer>,
  clock: Clock,
  cost: ((batch: readonly Work[]) => number) | undefined,
): Component {
  const step = (batch: readonly Work[]) => clock.settle(component.step(batch), cost?.(batch) ?? 0);
  return new Proxy(component, {
    get(target, name) {
      if (name === 'step') return step;
      const value = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
