/**
 * A WAV file of 16-bit PCM.
 *
 * @param {Int16Array[]} channels all of one length
 * @param {number} rateHz
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function wavFile(channels, rateHz) {
  const frameBytes = 2 * channels.length;
  const samples = channels[0].length;
  const bytes = new Uint8Array(44 + samples * frameBytes);
  const view = new DataView(bytes.buffer);
  const text = (at, letters) => bytes.set(new TextEncoder().encode(letters), at);
  text(0, 'RIFF');
  view.setUint32(4, bytes.length - 8, true);
  text(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, channels.length, true);
  view.setUint32(24, rateHz, true);
  view.setUint32(28, rateHz * frameBytes, true);
  view.setUint16(32, frameBytes, true);
  view.setUint16(34, 16, true);
  text(36, 'data');
  view.setUint32(40, samples * frameBytes, true);
  channels.forEach((channel, c) => {
    for (let i = 0; i < samples; i++) view.setInt16(44 + i * frameBytes + 2 * c, channel[i], true);
  });
  return bytes;
}
