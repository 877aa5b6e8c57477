import type { ActorDefinition } from '../core/actor.ts';
import { messageBehaviour } from '../core/message-behaviour.ts';
import { FrameSampler } from './frame-sampler.ts';
import type { FrameSamplingControl, FrameSamplingOutput, FrameSamplingPorts } from './messages.ts';

/** Pictures of one session that may wait: four seconds of the live stream. */
const PICTURES = 8;
/** Messages of the session itself that may wait: two minutes of speech in frames. */
const CONTROL = 8192;

/** The eye of a session. A restart loses the pictures of one chunk, so it may happen. */
export function frameSamplingActor(): ActorDefinition<FrameSamplingPorts, FrameSamplingOutput> {
  return {
    name: 'frame-sampling',
    ports: {
      video: { capacity: PICTURES, overflow: 'keep-newest', fenced: false },
      control: { capacity: CONTROL, overflow: 'never-drop', fenced: false },
    },
    supervision: { maxRestarts: 3, withinMs: 60_000 },
    behaviour: messageBehaviour((_context, emit) => {
      const sampler = new FrameSampler();
      return {
        receive({ port, message }) {
          if (port === 'control') control(sampler, message.body, emit);
          else {
            const unit = sampler.push(message.body.frame, message.body.capturedAtMs);
            if (unit) emit({ type: 'sparse', unit });
          }
        },
      };
    }),
  };
}

function control(
  sampler: FrameSampler,
  command: FrameSamplingControl,
  emit: (output: FrameSamplingOutput) => void,
): void {
  if (command.type === 'utterance.began') sampler.startUtterance();
  else if (command.type === 'utterance.over') sampler.endUtterance();
  else if (command.type === 'look') emit({ type: 'looked', unit: sampler.look() });
  else if (command.type === 'flush') {
    const unit = sampler.flush();
    if (unit) emit({ type: 'flushed', unit });
  } else {
    const { chunkEnded, unit } = sampler.advance(command.audioMs);
    if (chunkEnded) emit({ type: 'chunk', unit });
  }
}
