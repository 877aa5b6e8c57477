export { type GanDecoder, type GanDecoderStream, loadGanDecoder } from './gan-decoder.ts';
