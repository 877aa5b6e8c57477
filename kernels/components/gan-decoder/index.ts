export type { DecoderWork, GanDecoderStream } from './decoder-parts.ts';
export type { GanDecoder } from './gan-decoder.ts';
export { loadDecoderOnDevice, loadGanDecoder } from './load.ts';
