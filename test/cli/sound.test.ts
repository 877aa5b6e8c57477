import { execFileSync } from 'node:child_process';
import {
  createReadStream,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { mixed, oneChannel, sidesOf } from '../../cli/media/channels.ts';
import { checkOutput } from '../../cli/media/output.ts';
import { readSound } from '../../cli/media/sound.ts';
import { openVideo } from '../../cli/media/video.ts';
import { encodeWav } from '../../cli/media/wav-format.ts';
import { findProgram } from '../../cli/programs.ts';
import { noSpeech, readSpeech } from '../../cli/talk/speech.ts';
import { seededArray } from '../support/arrays.ts';
import { withPrograms } from '../support/fake-programs.ts';

const QUESTION = resolve('test/fixtures/talk/two-turns.wav');
const folder = mkdtempSync(join(tmpdir(), 'longcat-rt-sound-'));
afterAll(() => rmSync(folder, { recursive: true }));

const nothing = () => Readable.from([]);
function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe('a sound file', () => {
  it('comes through a pipe as well as from the disk', async () => {
    const stored = await readSound(QUESTION, nothing());
    const piped = await readSound('-', createReadStream(QUESTION));
    expect(Buffer.from(piped.channels[0].buffer).equals(Buffer.from(stored.channels[0].buffer))).toBe(true);
    expect(stored.channels[0].length / stored.sampleRate).toBeCloseTo(12.23, 2);
  });

  it.each([
    ['call.mp3', 'ID3\u0004', 'MP3', 'ffmpeg -i .*call.mp3.* call.wav'],
    ['a b.dat', 'OggS\0', 'Ogg', "ffmpeg -i '.*a b.dat' .* 'a b.wav'"],
    ['c.m4a', '\0\0\0 ftypM4A ', 'M4A', 'ffmpeg -i .*c.m4a'],
    ['old.gsm', '\xd8\x20', 'GSM', 'ffmpeg -i .*old.gsm'],
  ])('%s is refused without ffmpeg, with the command that converts it', async (name, head, kind, command) => {
    const path = file(name, Buffer.from(head, 'latin1'));
    const error = await withPrograms({}, () => readSound(path, nothing()).catch(error => error));
    expect(error).toMatchObject({ code: 'media.unreadable' });
    expect(error.message).toMatch(kind);
    expect(error.message).toMatch(new RegExp(command));
    expect(error.message).toMatch(/not installed/);
  });

  it('of another kind comes through ffmpeg, also when it was piped in', async () => {
    const asked = join(folder, 'asked');
    // Says what it was asked for, then gives a sound whose length nobody announced.
    const sound = file('streamed.wav', encodeWav(Float32Array.of(0.5, -0.5), 16_000));
    const ffmpeg = `echo "$@" >> ${asked}; /bin/cat ${sound}`;
    await withPrograms({ ffmpeg }, async () => {
      const path = file('-i.flac', 'fLaC');
      for (const [name, input] of [
        [path, nothing()],
        ['-', createReadStream(path)],
      ] as const)
        expect((await readSound(name, input)).channels[0]).toHaveLength(2);
    });
    const calls = execFileSync('/bin/cat', [asked], { encoding: 'utf8' }).trim().split('\n');
    expect(calls).toHaveLength(2);
    for (const call of calls)
      expect(call).toMatch(/-protocol_whitelist file,pipe -i file:\S+ .*-f wav pipe:1$/);
  });

  it('that ffmpeg cannot read either is refused with its last words', async () => {
    const ffmpeg = 'echo "no such codec" >&2; exit 1';
    const read = () => readSound(file('broken.mp3', 'ID3'), nothing());
    await expect(withPrograms({ ffmpeg }, read)).rejects.toThrow('no such codec');
  });

  it('of a real coder is what it was, where one is installed', async () => {
    const ffmpeg = findProgram('ffmpeg');
    const coded = join(folder, 'question.flac');
    if (!ffmpeg) return expect(readSound(file('q.flac', 'fLaC'), nothing())).rejects.toThrow('not installed');
    execFileSync(ffmpeg, ['-loglevel', 'error', '-y', '-i', QUESTION, coded]);
    const [before, after] = await Promise.all([QUESTION, coded].map(path => readSound(path, nothing())));
    const seconds = ({ channels, sampleRate }: typeof before) => channels[0].length / sampleRate;
    expect(seconds(after)).toBeCloseTo(seconds(before), 2);
  });

  it.each([
    ['no-such.wav', 'no such file'],
    ['.', 'a folder'],
    [file('empty.wav', ''), 'it is empty'],
  ])('%s is refused: %s', async (path, reason) => {
    await expect(readSound(path, nothing())).rejects.toThrow(reason);
  });

  it('is asked for where nothing is piped in', async () => {
    const terminal = Object.assign(nothing(), { isTTY: true });
    await expect(readSound('-', terminal)).rejects.toThrow('nothing is piped');
  });
});

describe('the channels of a call', () => {
  const rate = 8000;
  const noise = (seed: number) => seededArray(rate, seed, 0.3);
  const silence = new Float32Array(rate);
  const inTurns = (...parts: Float32Array[]) => Float32Array.from(parts.flatMap(part => [...part]));
  const customer = inTurns(noise(1), silence, noise(2), silence);
  const agent = inTurns(silence, noise(3), silence, silence);

  it('are told apart from stereo', () => {
    const sides = (...channels: Float32Array[]) => sidesOf({ sampleRate: rate, channels });
    expect(sides(customer, agent)).toEqual([1, 2]);
    expect(
      sides(
        customer,
        customer.map(value => value * 0.7),
      ),
    ).toEqual([]);
    expect(sides(customer, inTurns(silence, silence, silence, silence))).toEqual([]);
    expect(sides(customer)).toEqual([]);
    // A room: each microphone hears everybody, one of them louder.
    const both = customer.map((value, at) => value + agent[at]);
    const near = customer.map((value, at) => 0.6 * value + agent[at]);
    expect(sides(both, near)).toEqual([]);
  });

  it('are mixed with a warning, or taken one by one', async () => {
    const stereo = Buffer.alloc(44 + 4 * customer.length);
    encodeWav(new Float32Array(2 * customer.length), rate).copy(stereo);
    stereo.writeUInt16LE(2, 22);
    for (const [at, value] of customer.entries()) {
      stereo.writeInt16LE(Math.round(value * 32_767), 44 + 4 * at);
      stereo.writeInt16LE(Math.round(agent[at] * 32_767), 46 + 4 * at);
    }
    const path = file('call.wav', stereo);
    const whole = await readSpeech(path, undefined, rate, nothing());
    expect(whole.warnings.join()).toMatch(/channels 1 and 2.*--channel 1/);
    const second = await readSpeech(path, 2, rate, nothing());
    expect(second.warnings).toEqual([]);
    expect(second.samples[rate + 5]).toBeCloseTo(agent[rate + 5], 3);
    expect(whole.samples[rate + 5]).toBeCloseTo(agent[rate + 5] / 2, 3);
    await expect(readSpeech(path, 3, rate, nothing())).rejects.toMatchObject({ code: 'media.channel' });
  });

  it('that are silent throughout do not make the others quieter', () => {
    const empty = new Float32Array(customer.length);
    expect(mixed({ sampleRate: rate, channels: [empty, customer] }).samples).toBe(customer);
    expect(oneChannel({ sampleRate: rate, channels: [empty, customer] }, 1).samples).toBe(empty);
  });

  it('without speech are described', () => {
    const speech = (samples: Float32Array) =>
      noSpeech({ name: 'x.wav', samples, durationMs: 1000, warnings: [] });
    expect(speech(new Float32Array(8))).toContain(
      'No speech was heard in x.wav (1.0 s, all of it digital silence)',
    );
    expect(speech(Float32Array.of(0.001))).toMatch(/loudest at -60 dBFS\).*too quiet/);
    expect(speech(Float32Array.of(0.5))).toMatch(/loudest at -6 dBFS\).*noise, tones or music/);
  });
});

describe('an output', () => {
  it('is never one of the inputs, by whatever name', () => {
    const input = file('input.wav', 'x');
    const [link, hard] = [join(folder, 'link.wav'), join(folder, 'hard.wav')];
    symlinkSync(input, link);
    linkSync(input, hard);
    const same = expect.objectContaining({ code: 'media.same-file' });
    for (const output of [input, link, hard, join(folder, '.', 'x', '..', 'input.wav')])
      expect(() => checkOutput(output, [undefined, input])).toThrow(same);
    expect(() => checkOutput(join(folder, 'new.wav'), [input, '-', 'nix.wav'])).not.toThrow();
    expect(() => checkOutput(folder)).toThrow(expect.objectContaining({ code: 'media.unwritable' }));
  });
});

describe('pictures of a video', () => {
  const png = sharp({ create: { width: 2, height: 2, channels: 3, background: '#f00' } })
    .png()
    .toBuffer();
  async function frames(name: string, files: readonly string[]): Promise<string> {
    const directory = join(folder, name);
    mkdirSync(directory);
    for (const frame of files) writeFileSync(join(directory, frame), await png);
    return directory;
  }
  const timesOf = async (directory: string, rate?: number) => {
    const video = await openVideo(directory, rate);
    await video.load(Number.POSITIVE_INFINITY);
    return video.take(Number.POSITIVE_INFINITY).map(({ capturedAtMs }) => capturedAtMs);
  };

  it('are named by their milliseconds, or numbered with a rate', async () => {
    expect(await timesOf(await frames('named', ['1000.png', '0.png', '500.png']))).toEqual([0, 500, 1000]);
    const numbered = await frames('numbered', ['frame-0008.png', 'frame-0010.png', 'frame-0009.png']);
    expect(await timesOf(numbered, 4)).toEqual([0, 250, 500]);
    await expect(openVideo(numbered)).rejects.toThrow(/seem to be numbered.*--video-rate/);
    const bare = await frames('bare', ['1.png', '2.png', '3.png', '4.png']);
    await expect(openVideo(bare)).rejects.toThrow(/seem to be numbered.*--video-rate/);
    expect(await timesOf(bare, 2)).toEqual([0, 500, 1000, 1500]);
  });

  it('are decoded when they are due, and a broken one is refused before that', async () => {
    const directory = await frames('broken', ['0.png', '500.png']);
    const video = await openVideo(directory);
    await video.load(100);
    expect(video.take(1000)).toHaveLength(1);
    writeFileSync(join(directory, '500.png'), 'no picture');
    await expect(openVideo(directory)).rejects.toMatchObject({ code: 'media.unreadable' });
  });

  it('are refused where nobody can know their order or their times', async () => {
    await expect(openVideo(await frames('none', []))).rejects.toMatchObject({ code: 'media.frames' });
    const two = await frames('two', ['left-1.png', 'right-1.png']);
    await expect(openVideo(two, 2)).rejects.toThrow('more than one series');
    const film = file('film.mp4', '\0\0\0 ftypisom');
    await expect(openVideo(film, 2)).rejects.toThrow('knows its own rate');
    await expect(withPrograms({}, () => openVideo(film))).rejects.toThrow(/not installed.*--video-rate 2/);
  });
});
