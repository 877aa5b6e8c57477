import { RuntimeError } from '../../errors.ts';

interface Codebooks {
  readonly codebooks: number;
  readonly semanticEntries: number;
  readonly acousticEntries: number;
}

/** @throws RuntimeError of `GanDecoderStream.push` */
export function checkCodes(
  { codebooks, semanticEntries, acousticEntries }: Codebooks,
  codes: Int32Array,
  isFinished: boolean,
): void {
  if (isFinished) {
    throw new RuntimeError('gan-decoder.finished', 'The stream is finished.', {}, 'Open a new stream.');
  }
  if (codes.length % codebooks !== 0) {
    throw new RuntimeError('gan-decoder.frames', 'Codes come in whole frames.', {
      codes: codes.length,
      codebooks,
    });
  }
  for (let i = 0; i < codes.length; i++) {
    const entries = i % codebooks === 0 ? semanticEntries : acousticEntries;
    if (codes[i] >= 0 && codes[i] < entries) continue;
    throw new RuntimeError(
      'gan-decoder.code',
      'A code is outside its codebook.',
      { frame: Math.floor(i / codebooks), codebook: i % codebooks, code: codes[i], entries },
      'Subtract the id offset of 32 and leave out the frames that are not speech.',
    );
  }
}
