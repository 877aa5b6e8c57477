import { createRandom } from '../../actors/core/index.ts';
import { FrameSource } from '../../test/fuzz/frames.ts';

export const FLOODS = ['appends', 'long', 'items', 'events'] as const;
export type Flood = (typeof FLOODS)[number];

/** So many are drawn and then sent again and again. */
const EVENTS = 5000;

/** The frames of a flood, to be sent in a round; the first ones only once. */
export function framesOf(kind: Flood): { once: string[]; round: string[] } {
  if (kind === 'appends') return { once: [], round: [append(20)] };
  if (kind === 'long') return { once: [], round: [append(1000)] };
  if (kind === 'items') return { once: [], round: [item('Hello there. '.repeat(4))] };
  const source = new FrameSource(1, createRandom('flood'), 500);
  return { once: [], round: Array.from({ length: EVENTS }, () => source.next()) };
}

function append(ms: number): string {
  const random = createRandom('noise');
  const samples = Int16Array.from({ length: 24 * ms }, () => (random.next() - 0.5) * 8000);
  return JSON.stringify({
    type: 'input_audio_buffer.append',
    audio: Buffer.from(samples.buffer).toString('base64'),
  });
}

function item(text: string): string {
  const content = [{ type: 'input_text', text }];
  return JSON.stringify({
    type: 'conversation.item.create',
    item: { type: 'message', role: 'user', content },
  });
}
