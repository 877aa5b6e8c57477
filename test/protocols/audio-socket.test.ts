import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { AudioSocketSide } from '../../cli/fake-carrier/audio-socket-side.ts';
import type { FakeCall } from '../../cli/fake-carrier/fake-call.ts';
import { audioSocketFrame, FrameSplitter, KIND } from '../../protocols/asterisk/audio-socket-frames.ts';
import { type AudioSocketOptions, audioSocketDoor } from '../../protocols/asterisk/index.ts';
import type { OpenDoor } from '../../protocols/door.ts';
import { DEFAULT_DIGITS } from '../../protocols/telephone/index.ts';
import { PhoneRig } from '../support/phone-rig.ts';

const UUID = '40325ec2-5efd-4bd3-805f-53576e581d13';
const REPLY = [{ text: 'One two three four five.', frames: 40 }];
const sound = (bytes = 320) => audioSocketFrame(0x10, Buffer.alloc(bytes));
const id = () => audioSocketFrame(KIND.uuid, Buffer.from(UUID.replaceAll('-', ''), 'hex'));

describe('the frames of AudioSocket', () => {
  it('come out whole, however TCP cuts them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: 40 })), {
          maxLength: 20,
        }),
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
        (frames, cuts) => {
          const bytes = Buffer.concat(frames.map(([kind, payload]) => audioSocketFrame(kind, payload)));
          const splitter = new FrameSplitter();
          const found: Buffer[] = [];
          for (let at = 0, n = 0; at < bytes.length; n++) {
            const end = at + cuts[n % cuts.length];
            found.push(...splitter.push(bytes.subarray(at, end)));
            at = end;
          }
          expect(found).toEqual(frames.map(([kind, payload]) => audioSocketFrame(kind, payload)));
        },
      ),
    );
  });
});

describe('a call by AudioSocket', () => {
  it('is answered, paced at 40 ms ahead, and all of the answer is heard', async () => {
    const rig = new PhoneRig({ replies: [REPLY] });
    let mostAheadMs = 0;
    let call: FakeCall | null = null;
    const onFrame = () => {
      mostAheadMs = Math.max(mostAheadMs, (call?.queue.waitingBytes ?? 0) / 16);
    };
    const caller = rig.audioSocket(new AudioSocketSide(UUID), { onFrame });
    call = caller.call;
    await caller.say(600);
    await caller.silence(4500);
    expect(caller.call.complaints).toEqual([]);
    expect(caller.playedMs).toBeGreaterThanOrEqual(2400);
    expect(caller.playedMs).toBeLessThan(2420);
    expect(mostAheadMs).toBeLessThanOrEqual(60);
    expect(caller.all('turn.trace').at(-1)?.trace.heardMs).toBe(2400);
    expect(JSON.stringify(rig.logged)).toContain(UUID);
  });

  it('is interrupted: no more than the lead is heard after it, and what counts is what was played', async () => {
    const rig = new PhoneRig({ replies: [REPLY], words: true });
    const caller = rig.audioSocket(new AudioSocketSide(UUID));
    await caller.say(600);
    await caller.silence(1400);
    rig.word = 'stop';
    await caller.say(600);
    const played = caller.playedMs;
    await caller.silence(500);
    expect(caller.playedMs).toBe(played);
    const heardMs = caller.all('turn.trace')[0].trace.heardMs;
    expect(heardMs).toBeLessThanOrEqual(played + 20);
    expect(heardMs).toBeGreaterThanOrEqual(played - 80);
  });

  it('is stopped by a key, and what was played of the answer is not taken for unheard', async () => {
    const rig = new PhoneRig({ replies: [REPLY] });
    const caller = rig.audioSocket(new AudioSocketSide(UUID));
    await caller.say(600);
    await caller.silence(1400);
    caller.call.press('1');
    await caller.silence(500);
    const played = caller.playedMs;
    await caller.silence(1000);
    expect(caller.playedMs).toBe(played);
    const { heardMs } = caller.all('turn.trace')[0].trace;
    expect(heardMs).toBeGreaterThan(0);
    expect(Math.abs(heardMs - played)).toBeLessThanOrEqual(40);
  });

  it('takes keys, and ends with its session by the frame that hangs up', async () => {
    const rig = new PhoneRig({ replies: [REPLY] });
    const caller = rig.audioSocket(new AudioSocketSide(UUID));
    await caller.silence(100);
    for (const key of '12#') caller.call.press(key);
    await caller.silence(3500);
    expect(caller.session.items[0].content).toEqual([{ type: 'text', text: '12' }]);
    expect(caller.all('response.done')).toHaveLength(1);
    caller.session.close('enough');
    expect(caller.call.isHungUp).toBe(true);
    expect(caller.wire.closed).toEqual({ code: 1000, reason: 'enough' });
  });

  it.each([
    ['sound before the id', [sound()]],
    ['an id of another length', [audioSocketFrame(KIND.uuid, Buffer.alloc(15)), sound()]],
    ['a rate that no telephone has', [id(), audioSocketFrame(0x15, Buffer.alloc(320))]],
    ['half a sample', [id(), sound(321)]],
    ['a kind that is none', [id(), audioSocketFrame(0x42)]],
  ])('does not begin with %s', (_what, frames) => {
    const rig = new PhoneRig();
    const caller = rig.audioSocket({ ...new AudioSocketSide(UUID), opening: () => [] } as never);
    caller.call.stop();
    for (const frame of frames) caller.wire.receive(frame);
    expect(rig.runtime.sessions.size).toBe(0);
    expect(caller.wire.closed).toBeNull();
  });
});

describe('the door of AudioSocket', () => {
  const open: OpenDoor[] = [];
  const sockets: Socket[] = [];
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const door of open.splice(0)) await door.close();
  });

  async function listening(options: Partial<AudioSocketOptions> = {}) {
    const rig = new PhoneRig({ replies: [REPLY] });
    let port = 0;
    const given = { host: '127.0.0.1', port: 0, peers: [], digits: DEFAULT_DIGITS, ...options };
    open.push(await audioSocketDoor({ ...given, onListening: on => (port = on) }).open(rig.context));
    const dial = async () => {
      const socket = connect({ host: '127.0.0.1', port, noDelay: true });
      sockets.push(socket);
      await once(socket, 'connect');
      return socket;
    };
    return { rig, dial, port: () => port };
  }
  const until = async (isSo: () => boolean) => {
    for (let turn = 0; turn < 20_000 && !isSo(); turn++)
      await new Promise<void>(resolve => setImmediate(resolve));
    expect(isSo()).toBe(true);
  };

  it('answers over TCP, frames in any pieces, and hangs up', async () => {
    const { dial, rig } = await listening();
    const socket = await dial();
    const bytes = Buffer.concat([id(), sound(), sound()]);
    for (let at = 0; at < bytes.length; at += 7) socket.write(bytes.subarray(at, at + 7));
    await until(() => rig.runtime.sessions.size === 1);
    const data = once(socket, 'data');
    for (const session of rig.runtime.sessions.values()) session.close('enough');
    expect((await data)[0]).toEqual(audioSocketFrame(KIND.hangUp));
    await once(socket, 'end');
  });

  it('ends its session when the peer is gone, in the middle of a frame or not', async () => {
    const { dial, rig } = await listening();
    const socket = await dial();
    socket.write(Buffer.concat([id(), sound(), sound().subarray(0, 100)]));
    await until(() => rig.runtime.sessions.size === 1);
    socket.destroy();
    await until(() => rig.runtime.sessions.size === 0);
  });

  it('is not opened beyond loopback without naming who may connect, nor where somebody listens', async () => {
    await expect(listening({ host: '0.0.0.0' })).rejects.toMatchObject({
      code: 'audiosocket.peers-required',
    });
    const { port } = await listening();
    await expect(listening({ port: port() })).rejects.toMatchObject({ code: 'server.port-in-use' });
    await listening({ host: '0.0.0.0', peers: ['192.0.2.1'] });
  });
});
