/** Mono 16-bit little-endian PCM at 24 kHz in base64, both ways (docs/spec/protocols.md §1.5). */
export const SAMPLE_RATE_HZ = 24_000;

/** @param {Int16Array} samples */
export function encodePcm16(samples) {
  const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** @param {string} base64 @returns {Float32Array} samples in [−1, 1] */
export function decodePcm16(base64) {
  const text = atob(base64);
  const samples = new Float32Array(text.length >> 1);
  for (let i = 0; i < samples.length; i++) {
    const word = text.charCodeAt(2 * i) | (text.charCodeAt(2 * i + 1) << 8);
    samples[i] = ((word << 16) >> 16) / 32_768;
  }
  return samples;
}
