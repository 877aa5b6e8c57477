/**
 * Real telephones at the SIP door, with nano behind it: baresip asks with Opus, presses a key, holds and resumes; sipp
 * calls twelve times.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { decodeWav, encodeWav } from '../../cli/media/wav-format.ts';
import { CODECS, resampleAll } from '../../protocols/media/index.ts';

const has = (program: string) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
const MISSING = ['baresip', 'sipp'].filter(program => !has(program));
if (MISSING.length > 0) console.warn(`Left out: calls of ${MISSING.join(' and ')}, which are not installed.`);

const MODULES = '/usr/lib/baresip/modules';
const PATIENCE = { timeout: 100_000, interval: 100 };
const wait = (ms: number) => new Promise<void>(resolve => setTimeout(resolve, ms));

/** What baresip has recorded of us: whether more than 1.5 s of it are sound, and its last second none. */
function answerIn(folder: string): { isLong: boolean; isOver: boolean } {
  const file = readdirSync(folder).find(name => name.endsWith('-dec.wav'));
  const bytes = file ? readFileSync(join(folder, file)) : Buffer.alloc(0);
  const { channels, sampleRate } =
    bytes.length > 4000 ? decodeWav(bytes) : { channels: [new Float32Array()], sampleRate: 8000 };
  const frame = sampleRate / 50;
  const isLoud = Array.from({ length: Math.floor(channels[0].length / frame) }, (_, n) =>
    channels[0].subarray(frame * n, frame * (n + 1)).some(sample => Math.abs(sample) > 0.01),
  );
  return { isLong: isLoud.filter(Boolean).length > 75, isOver: !isLoud.slice(-50).includes(true) };
}

function freePort(): Promise<number> {
  return new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

function run(
  program: string,
  args: string[],
  cwd: string,
): { text: () => string; ended: Promise<number>; end: () => void } {
  const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (text += chunk));
  const ended = new Promise<number>(resolve => child.once('exit', code => resolve(code ?? -1)));
  return { text: () => text, ended, end: () => void child.kill('SIGINT') };
}

describe('real telephones', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sip-peers-'));
  let server: ReturnType<typeof run>;
  let port = 0;

  beforeAll(async () => {
    if (MISSING.length === 2) return;
    const flags = [
      '--port',
      '0',
      '--sip',
      'udp:127.0.0.1:0',
      '--rtp-ports',
      '31000-31999',
      '--dtmf-secret',
      'off',
    ];
    server = run(process.execPath, ['cli/longcat-rt.js', 'serve', ...flags], process.cwd());
    await vi.waitFor(() => expect(server.text()).toMatch(/Talk at/), { ...PATIENCE, timeout: 200_000 });
    port = Number(/SIP over UDP at 127\.0\.0\.1:(\d+)/.exec(server.text())?.[1]);
  });

  afterAll(async () => {
    server?.end();
    await server?.ended;
    rmSync(folder, { recursive: true, force: true });
  });

  /** What the server logged of SIP calls that ended, by the name of the caller. */
  const ended = (uri: RegExp) => {
    const lines = server
      .text()
      .split('\n')
      .flatMap(line => (line.startsWith('{') ? [JSON.parse(line)] : []));
    const ids = lines.filter(one => one.msg === 'A call began.' && uri.test(one.uri)).map(one => one.call);
    return {
      calls: lines.filter(one => one.msg === 'A SIP call ended.' && ids.includes(one.call)),
      began: lines.filter(one => one.msg === 'A call began.' && ids.includes(one.call)),
      digits: lines.flatMap(one =>
        one.msg === 'The caller entered digits.' && ids.includes(one.call) ? [one.digits] : [],
      ),
    };
  };

  it.skipIf(MISSING.includes('baresip'))(
    'baresip: is understood and answered, its key is known, it holds and resumes',
    async () => {
      const control = await freePort();
      const { channels, sampleRate } = decodeWav(
        readFileSync(new URL('../fixtures/talk/count-to-ten.wav', import.meta.url)),
      );
      const said = resampleAll(channels[0], sampleRate, 8000);
      const padded = new Float32Array(8000 * 120);
      padded.set(said, 6400);
      writeFileSync(join(folder, 'in.wav'), encodeWav(padded, 8000));
      const modules = ['opus', 'aufile', 'aubridge', 'sndfile', 'ctrl_tcp'].map(name => `module ${name}.so`);
      const apps = ['account', 'menu', 'debug_cmd'].map(name => `module_app ${name}.so`);
      const lines = ['poll_method epoll', 'sip_listen 127.0.0.1:0', 'net_interface 127.0.0.1'];
      const sound = [
        `audio_source aufile,${folder}/in.wav`,
        'audio_player aubridge,pseudo0',
        `snd_path ${folder}`,
        // The file's; baresip makes of it what its codec has, which is 48 kHz of two channels.
        ...['ausrc_srate 8000', 'ausrc_channels 1', 'auplay_srate 8000', 'auplay_channels 1'],
      ];
      const paths = [`module_path ${MODULES}`, `ctrl_tcp_listen 127.0.0.1:${control}`];
      writeFileSync(
        join(folder, 'config'),
        `${[...lines, ...sound, ...paths, ...modules, ...apps].join('\n')}\n`,
      );
      writeFileSync(join(folder, 'accounts'), '<sip:caller@127.0.0.1>;regint=0;audio_codecs=opus/48000/2\n');
      writeFileSync(join(folder, 'contacts'), '');
      const dial = ['-4', '-f', folder, '-e', `/dial sip:bot@127.0.0.1:${port}`, '-t', '180'];
      const phone = run('baresip', dial, folder);
      await expect.poll(() => ended(/caller@/).began.length, PATIENCE).toBe(1);
      expect(phone.text()).toContain('180 Ringing');
      // The question, and nano's answer of about four seconds until it is over.
      await expect.poll(() => answerIn(folder), PATIENCE).toEqual({ isLong: true, isOver: true });
      const command = (name: string, params = '') => {
        const text = JSON.stringify({ command: name, params });
        const socket = connect(control, '127.0.0.1', () => socket.end(`${text.length}:${text},`));
        socket.on('error', () => {});
        return wait(300);
      };
      for (const key of ['7', '#']) await command('sndcode', key);
      await command('hold');
      await wait(1500);
      await command('resume');
      await wait(700);
      await command('hangup');
      await expect.poll(() => ended(/caller@/).calls.length, PATIENCE).toBe(1);
      phone.end();
      await phone.ended;

      const { calls, began: started, digits } = ended(/caller@/);
      expect(calls).toHaveLength(1);
      expect(calls[0].reason).toBe('the peer hung up');
      expect(calls[0]).toMatchObject({ sources: 1, strangers: 0, unreadable: 0 });
      expect(digits).toEqual(['7']);
      // While it was held, for at least a second, nothing left.
      const lastedMs = calls[0].time - started[0].time;
      expect(calls[0].sent).toBeLessThan((lastedMs - 1000) / 20);
      // How many are left out because they would be late is a matter of how busy the machine is.
      expect(calls[0].sent).toBeGreaterThan((lastedMs - 4000) / 100);
      expect(answerIn(folder).isLong).toBe(true);
    },
    120_000,
  );

  it.skipIf(MISSING.includes('sipp'))(
    'sipp: twelve calls quickly, all from one port, none is lost and no port stays',
    async () => {
      const sound = CODECS['a-law'].encode(new Float32Array(8000 * 10));
      writeFileSync(join(folder, 'silence.al'), sound);
      const scenario = new URL('../fixtures/sipp/uac.xml', import.meta.url).pathname;
      const media = await freePort();
      const where = ['-i', '127.0.0.1', '-mi', '127.0.0.1', '-mp', String(media - (media % 2))];
      const load = ['-m', '12', '-r', '8', '-l', '12', '-nostdin', '-timeout', '60'];
      const calls = run('sipp', ['-sf', scenario, `127.0.0.1:${port}`, ...where, ...load], folder);
      expect(await calls.ended).toBe(0);
      // The last line of the log may come after sipp has gone.
      await vi.waitFor(() => expect(ended(/sipp@/).calls).toHaveLength(12), PATIENCE);
      for (const call of ended(/sipp@/).calls)
        expect(call).toMatchObject({ sources: 1, unreadable: 0, reason: 'the peer hung up' });
    },
    120_000,
  );
});
