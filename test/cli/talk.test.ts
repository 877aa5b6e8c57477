import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, describe, expect, it } from 'vitest';
import { RealClock } from '../../actors/core/index.ts';
import { Microphone } from '../../cli/live/microphone.ts';
import { readWav } from '../../cli/media/wav.ts';
import { encodeWav } from '../../cli/media/wav-format.ts';
import { fakePrograms, withPrograms } from '../support/fake-programs.ts';

/** A crowded machine is no failure. */
const SPAWN_TIMEOUT_MS = 240_000;

const folder = mkdtempSync(join(tmpdir(), 'longcat-rt-talk-'));
afterAll(() => rmSync(folder, { recursive: true }));

const { samples, sampleRate } = readWav('test/fixtures/talk/two-turns.wav');
/** "What is three plus four", and the silence behind it. */
const question = samples.subarray(0, 3 * sampleRate);

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command; `onOutput` sees what it has printed so far. */
function run(
  args: readonly string[],
  environment: Record<string, string> = {},
  onOutput: (child: ChildProcess, text: string) => void = () => {},
): Promise<Outcome> {
  const child = spawn(process.execPath, ['cli/longcat-rt.js', ...args], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    onOutput(child, stdout);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise(resolve => child.once('close', status => resolve({ status, stdout, stderr })));
}

describe('longcat-rt talk', () => {
  it(
    'prints turns as they happen, and keeps what there is when Ctrl-C hangs up',
    async () => {
      const many = new Float32Array(8 * samples.length);
      for (let i = 0; i < 8; i++) many.set(samples, i * samples.length);
      const [long, answers] = [join(folder, 'long.wav'), join(folder, 'answers.wav')];
      writeFileSync(long, encodeWav(many, sampleRate));
      let hasHungUp = false;
      const outcome = await run(['talk', long, '--out', answers], {}, (child, text) => {
        if (!hasHungUp && text.includes('turn 1')) hasHungUp = child.kill('SIGINT');
      });
      expect(outcome.status).toBe(130);
      expect(outcome.stdout).toMatch(/^turn 1 .*\n {2}user {3}what is three plus four\n {2}agent {2}Seven\./);
      expect(outcome.stdout).not.toContain('turn 16');
      expect(outcome.stderr).toContain('what there is is kept');
      expect(readWav(answers).samples.length).toBeGreaterThan(24_000);
    },
    SPAWN_TIMEOUT_MS,
  );
});

describe('longcat-rt talk --microphone', () => {
  const raw = join(folder, 'question.raw');
  const pcm = encodeWav(question, sampleRate).subarray(44);
  const heard = join(folder, 'heard.raw');

  it(
    'listens and answers through the programs of the machine, the second where the first does not work',
    async () => {
      // A recorder gives what it was asked for: 16 kHz.
      const doubled = Buffer.alloc(2 * pcm.length);
      for (let at = 0; at < pcm.length; at += 2)
        for (const half of [0, 2]) pcm.copy(doubled, 2 * at + half, at, at + 2);
      writeFileSync(raw, doubled);
      const { folder: programs, remove } = fakePrograms({
        arecord: 'echo "arecord: no soundcards found" >&2; exit 1',
        rec: `echo "$@" > ${folder}/rec-options; /bin/cat ${raw}`,
        aplay: 'exit 1',
        play: `/bin/cat >> ${heard}`,
      });
      const { status, stdout, stderr } = await run(['talk', '--microphone'], { PATH: programs });
      remove();
      expect(stderr).toMatch(/the microphone is open \(rec\)/);
      expect(stdout).toMatch(/user {3}what is three plus four\n {2}agent {2}Seven\./);
      expect(status).toBe(0);
      expect(readFileSync(join(folder, 'rec-options'), 'utf8')).toContain('-r 16000 -c 1 -');
      // 0.78 s of "Seven." at 24 kHz in 16 bits; what was written before the first player had failed is lost.
      expect(readFileSync(heard).length).toBeGreaterThan(0.3 * 48_000);
    },
    SPAWN_TIMEOUT_MS,
  );

  it('names what to install, or what the programs complain of', async () => {
    const open = () =>
      Microphone.open({ clock: new RealClock(), sampleRate: 16_000, input: Readable.from([]) });
    const missing = await withPrograms({}, () => open().catch(error => error));
    expect(missing.code).toBe('microphone.none');
    expect(missing.message).toMatch(/no program that records.*Install one of .*rec \(sox\), ffmpeg/);
    const rec = 'echo "rec FAIL formats: no default audio device" >&2; exit 2';
    const broken = await withPrograms({ rec }, () => open().catch(error => error));
    expect(broken.code).toBe('microphone.none');
    expect(broken.message).toContain('rec: rec FAIL formats: no default audio device');
  });

  it('takes raw sound from a pipe, byte by byte if it must', async () => {
    const bytes = Buffer.from(Int16Array.of(1, -2, 16_384).buffer);
    const input = Readable.from([...bytes].map(byte => Buffer.of(byte)));
    const microphone = await Microphone.open({
      clock: new RealClock(),
      sampleRate: 16_000,
      device: '-',
      input,
    });
    const heard: number[] = [];
    microphone.listen(samples => heard.push(...samples));
    await once(input, 'close');
    expect(heard).toEqual([1 / 32_768, -2 / 32_768, 0.5]);
    expect([microphone.hasEnded, microphone.complaint]).toEqual([true, null]);
  });
});
