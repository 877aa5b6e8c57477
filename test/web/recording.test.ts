import { expect, test } from 'vitest';
import { wavFile } from '../../web/media/wav.js';
import { Recording } from '../../web/talk/recording.js';

const RATE_HZ = 24_000;
const FRAME = 480;
const frame = (value: number) => new Int16Array(FRAME).fill(value);

/** Frames of 20 ms from `fromMs` on, each holding its own number. */
function speak(recording: Recording, fromMs: number, frames: number): void {
  for (let i = 0; i < frames; i++) recording.sent(frame(i + 1), fromMs + 20 * (i + 1));
}

test('a turn of the person is what was sent between its ends', () => {
  const recording = new Recording();
  speak(recording, 0, 50);
  recording.userTurn('u', 110, 190);
  const sound = recording.soundOf('u')!;
  expect(sound.length).toBe(0.08 * RATE_HZ);
  expect([sound[0], sound.at(-1)]).toEqual([6, 10]);
});

test('an answer is played again as far as it was heard', () => {
  const recording = new Recording();
  recording.received('a', new Float32Array(3000).fill(0.5), 0);
  recording.received('a', new Float32Array(3000).fill(-0.5), 10);
  expect(recording.soundOf('a')).toBe(null);
  recording.heardUntil('a', 3500, 200);
  const sound = recording.soundOf('a')!;
  expect(sound.length).toBe(3500);
  expect([sound[0], sound[3499]]).toEqual([16_383, -16_383]);
});

test('both sides lie on one line of time, to the sample: the person left, the agent right', () => {
  const recording = new Recording();
  // Frames come in bunches, as from a worklet on a busy page; they are laid end to end all the same.
  for (let i = 0; i < 100; i++) recording.sent(frame(i + 1), 1000 + 100 * Math.floor(i / 5));
  recording.received('a', new Float32Array(RATE_HZ).fill(0.25), 1000);
  recording.heardUntil('a', 2400, 2100);
  recording.heardUntil('a', 4800, 2200);
  const [left, right] = recording.stereo();
  expect(left.length).toBe(right.length);
  expect(left.subarray(0, 100 * FRAME).every((value, i) => value === Math.floor(i / FRAME) + 1)).toBe(true);
  const first = right.findIndex(value => value !== 0);
  expect(first).toBe(RATE_HZ);
  expect(right.findLastIndex(value => value !== 0)).toBe(RATE_HZ + 4799);
});

test('a gap in what was heard is a gap in the file', () => {
  const recording = new Recording();
  recording.received('a', new Float32Array(RATE_HZ).fill(0.25), 0);
  recording.heardUntil('a', 2400, 100);
  recording.heardUntil('a', 4800, 1100);
  const [, right] = recording.stereo();
  expect(right.length).toBe(26_400);
  expect(right[3000]).toBe(0);
});

test('no more than ten minutes and some are kept, however long it goes on, and what goes is told', () => {
  const forgotten: string[] = [];
  const recording = new Recording(id => forgotten.push(id));
  for (let second = 0; second < 900; second++) {
    speak(recording, second * 1000, 50);
    if (second % 20 === 0) {
      recording.received(`a${second}`, new Float32Array(RATE_HZ), second * 1000);
      recording.heardUntil(`a${second}`, RATE_HZ, (second + 1) * 1000);
    }
  }
  expect(recording.stereo()[0].length / RATE_HZ).toBeLessThan(661);
  expect(recording.items.size).toBeLessThan(35);
  expect(recording.soundOf('a0')).toBe(null);
  expect(forgotten.slice(0, 2)).toEqual(['a0', 'a20']);
});

test('answers alone, hours apart, are bounded too', () => {
  const recording = new Recording();
  for (let hour = 0; hour < 100; hour++) {
    recording.received(`a${hour}`, new Float32Array(RATE_HZ), hour * 3_600_000);
    recording.heardUntil(`a${hour}`, RATE_HZ, hour * 3_600_000 + 1000);
  }
  expect(recording.stereo()[0].length / RATE_HZ).toBeLessThan(661);
});

test('an agent that sends more than it says is bounded too: the oldest answers go', () => {
  const recording = new Recording();
  const minute = new Float32Array(60 * RATE_HZ);
  for (let i = 0; i < 12; i++) recording.received(`a${i}`, minute, 0);
  expect([...recording.items.keys()]).toEqual(['a2', 'a3', 'a4', 'a5', 'a6', 'a7', 'a8', 'a9', 'a10', 'a11']);
});

test('a WAV file has the header that its length wants', () => {
  const file = wavFile([Int16Array.of(1, -2), Int16Array.of(3, 4)], RATE_HZ);
  const view = new DataView(file.buffer);
  expect(new TextDecoder().decode(file.subarray(0, 4))).toBe('RIFF');
  expect(view.getUint32(4, true)).toBe(file.length - 8);
  expect([view.getUint16(22, true), view.getUint32(24, true), view.getUint32(28, true)]).toEqual([
    2,
    RATE_HZ,
    96_000,
  ]);
  expect(view.getUint32(40, true)).toBe(8);
  expect([44, 46, 48, 50].map(at => view.getInt16(at, true))).toEqual([1, 3, -2, 4]);
});
