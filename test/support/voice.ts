/**
 * Something a voice activity detector takes for a voice: a buzz with vowel formants that comes and goes in syllables.
 */
export function voice(ms: number, sampleRate: number, amplitude = 0.4): Float32Array {
  const pitchHz = 130;
  const formants = [
    { hz: 600, width: 120, gain: 1 },
    { hz: 1200, width: 200, gain: 0.6 },
    { hz: 2500, width: 300, gain: 0.3 },
  ];
  const harmonics = Array.from({ length: 24 }, (_, n) => {
    const hz = pitchHz * (n + 1);
    return {
      hz,
      gain: formants.reduce((sum, f) => sum + f.gain * Math.exp(-(((hz - f.hz) / f.width) ** 2)), 0.02),
    };
  });
  const loudest = harmonics.reduce((sum, harmonic) => sum + harmonic.gain, 0);
  return Float32Array.from({ length: Math.round((ms * sampleRate) / 1000) }, (_, n) => {
    const t = n / sampleRate;
    const syllable = 0.15 + 0.85 * Math.sin(Math.PI * 4 * t) ** 2;
    // The pitch moves a little, as a voice's does.
    const phase = t + 0.004 * Math.sin(2 * Math.PI * 1.5 * t);
    let sum = 0;
    for (const { hz, gain } of harmonics) sum += gain * Math.sin(2 * Math.PI * hz * phase);
    return (amplitude * 2.5 * syllable * sum) / loudest;
  });
}

/** 16-bit little-endian PCM. */
export function pcm16(samples: Float32Array): Buffer {
  const bytes = Buffer.alloc(2 * samples.length);
  samples.forEach((sample, n) => {
    bytes.writeInt16LE(Math.max(-32_768, Math.min(32_767, Math.round(sample * 32_767))), 2 * n);
  });
  return bytes;
}
