/**
 * What the runtime's own ear makes of the scenes: tsx train/speech_detector/features.ts DIRECTORY. Reads scenes.s16 and
 * labels.u8, writes features.f32 and heard.u8: frames of lost sound are left out, as the detector leaves them out;
 * those that are too quiet to be judged are marked 2. lengths.json: frames of each scene that are left.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { holdsLostSound } from '../../actors/perceive/lost-sound.ts';
import { FEATURES, SoundFeatures } from '../../actors/perceive/sound-features.ts';

const FRAME = 320;
const SCENE_FRAMES = 400;
const SILENCE_POWER = 10 ** -6.2;

const directory = process.argv[2];
const sound = readFileSync(`${directory}/scenes.s16`);
const labels = readFileSync(`${directory}/labels.u8`);
const samples = new Int16Array(sound.buffer, sound.byteOffset, sound.length / 2);
const features = new Float32Array(labels.length * FEATURES);
const heard = new Uint8Array(labels.length);
const lengths: number[] = [];
let count = 0;
const frame = new Float32Array(FRAME);
for (let scene = 0; scene * SCENE_FRAMES < labels.length; scene++) {
  const ear = new SoundFeatures(16_000);
  const before = count;
  for (let i = 0; i < SCENE_FRAMES; i++) {
    const at = (scene * SCENE_FRAMES + i) * FRAME;
    let power = 0;
    for (let j = 0; j < FRAME; j++) {
      frame[j] = samples[at + j] / 32_768;
      power += frame[j] ** 2 / FRAME;
    }
    if (holdsLostSound(frame)) continue;
    features.set(ear.frame(frame), count * FEATURES);
    heard[count++] = power < SILENCE_POWER ? 2 : labels[scene * SCENE_FRAMES + i];
  }
  lengths.push(count - before);
}
writeFileSync(`${directory}/features.f32`, features.subarray(0, count * FEATURES));
writeFileSync(`${directory}/heard.u8`, heard.subarray(0, count));
writeFileSync(`${directory}/lengths.json`, JSON.stringify(lengths));
