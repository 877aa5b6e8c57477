export type { DecoderWork, GanDecoderStream } from './decoder-parts.ts';
export { type GanDecoder, loadGanDecoder } from './gan-decoder.ts';
