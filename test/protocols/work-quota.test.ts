/** A client that floods the server slows itself down; what it sends keeps its order. */
import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it, vi } from 'vitest';
import { VirtualClock } from '../../actors/core/index.ts';
import { EventQueue } from '../../protocols/guard/event-queue.ts';
import { PictureDecoder } from '../../protocols/realtime/pictures.ts';
import { WaitingRoom } from '../../protocols/guard/waiting-room.ts';
import { Blocks, WaitingTexts } from '../../protocols/guard/waiting-texts.ts';
import { WorkQuota } from '../../protocols/guard/work-quota.ts';

/** A machine on which every event takes its time. */
class Machine {
  readonly clock = new VirtualClock();
  readonly turns: string[][] = [[]];
  readonly pauses: string[] = [];
  readonly full: string[] = [];
  #busyMs = 0;
  readonly quota: WorkQuota;

  constructor(maxWaitingBytes?: number) {
    const timers = {
      nowMs: () => this.clock.nowMs() + this.#busyMs,
      setTimer: (delayMs: number, callback: () => void) =>
        this.clock.setTimer(delayMs, () => {
          this.turns.push([]);
          callback();
        }),
    };
    this.quota = new WorkQuota(timers, new WaitingRoom(maxWaitingBytes));
  }

  /** What else takes the thread's time. */
  pass(ms: number): void {
    this.#busyMs += ms;
  }

  queue(name: string, costMs: number, wait?: (text: string) => Promise<void> | void): EventQueue {
    return new EventQueue({
      handle: text => {
        this.#busyMs += costMs;
        this.turns.at(-1)!.push(`${name}${text}`);
        return wait?.(text);
      },
      onFull: () => this.full.push(name),
      pauseReading: paused => this.pauses.push(`${name} ${paused}`),
      quota: this.quota,
    });
  }
}

const send = (queue: EventQueue, count: number) => {
  for (let i = 0; i < count; i++) queue.push(String(i));
};

describe('the quota of work', () => {
  it('lets what is within it happen at once', () => {
    const machine = new Machine();
    send(machine.queue('a', 0.1), 19);
    expect(machine.turns[0]).toHaveLength(19);
  });

  it.each([
    ['took 4 ms', 4, 4],
    ['took longer than a turn may', 40, 2],
  ])('handles less in the turn after one whose frames %s', (_, keepingMs, handledMs) => {
    const machine = new Machine();
    const floods = ['a', 'b', 'c', 'd', 'e', 'f'].map(name => machine.queue(name, 0.5));
    for (const flood of floods) send(flood, 40);
    machine.pass(keepingMs);
    machine.clock.runUntilSync(1);
    expect(machine.turns[1]).toHaveLength(handledMs / 0.5);
    expect(machine.turns[2]).toHaveLength(8 / 0.5);
  });

  it('gives a flooding client 2 ms of a turn while others wait, and all of them 8 ms', () => {
    const machine = new Machine();
    const floods = ['a', 'b', 'c', 'd', 'e', 'f'].map(name => machine.queue(name, 0.5));
    for (const flood of floods) send(flood, 40);
    machine.clock.runUntilSync(1);
    for (const turn of machine.turns) expect(turn.length).toBeLessThanOrEqual(16);
    for (const name of 'abcdef') {
      const order = machine.turns.flat().filter(event => event.startsWith(name));
      expect(order).toEqual(Array.from({ length: 40 }, (_, i) => `${name}${i}`));
      // The last of them is not served when the first is done, but in the same round.
      const first = machine.turns.findIndex(
        (turn, at) => at > 0 && turn.some(event => event.startsWith(name)),
      );
      expect(first).toBeLessThanOrEqual(2);
    }
  });

  it('gives one that floods alone nearly all of it', () => {
    const machine = new Machine();
    send(machine.queue('a', 0.5), 100);
    machine.clock.runUntilSync(1);
    expect(machine.turns.length).toBeLessThanOrEqual(8);
    expect(machine.turns.flat()).toHaveLength(100);
  });

  it('pauses the reading of whom it makes wait, and resumes it', () => {
    const machine = new Machine();
    send(machine.queue('a', 1), 400);
    expect(machine.pauses).toEqual(['a true']);
    machine.clock.runUntilSync(1);
    expect(machine.pauses).toEqual(['a true', 'a false']);
    expect(machine.turns.flat()).toHaveLength(400);
  });

  it('ends one that sends on and on where reading cannot be paused', () => {
    const machine = new Machine();
    const queue = machine.queue('a', 1);
    send(queue, 20_000);
    expect(machine.full).toEqual(['a']);
    const handled = machine.turns.flat().length;
    machine.clock.runUntilSync(1);
    expect(machine.turns.flat()).toHaveLength(handled);
    expect(machine.pauses.at(-1)).toBe('a false');
    expect(machine.quota.room.bytes).toBe(0);
  });

  it('ends whoever keeps most waiting once too much waits in all, and nobody else', () => {
    const machine = new Machine(1_000_000);
    const [quiet, ...floods] = ['a', 'b', 'c', 'd'].map(name => machine.queue(name, 1));
    const text = 'x'.repeat(1000);
    for (let i = 0; i < 12; i++) quiet.push(text);
    for (let i = 0; i < 2000; i++) {
      for (const [at, flood] of floods.entries()) for (let n = 0; n <= at; n++) flood.push(text);
      expect(machine.quota.room.bytes).toBeLessThanOrEqual(1_000_000);
    }
    // Each in its turn, the fastest first; whoever has gone brings nothing more.
    expect(machine.full).toEqual(['d', 'c', 'b']);
    machine.clock.runUntilSync(1);
    expect(machine.turns.flat().filter(event => event.startsWith('a'))).toHaveLength(12);
    expect(machine.quota.room.bytes).toBe(0);
  });

  it('takes in no more of a turn than a few thousand frames of those who flood, and ends those', () => {
    const machine = new Machine();
    const [slow, ...floods] = ['a', 'b', 'c', 'd'].map(name => machine.queue(name, 3));
    let taken = 0;
    for (let i = 0; i < 30_000; i++) {
      if (i < 250) slow.push('x');
      for (const flood of floods) {
        const before = machine.full.length;
        flood.push('y');
        if (machine.full.length === before && !machine.full.includes('bcd'[floods.indexOf(flood)])) taken++;
      }
    }
    expect(machine.full.toSorted()).toEqual(['b', 'c', 'd']);
    expect(taken).toBeLessThanOrEqual(4096);
    machine.clock.runUntilSync(1);
    expect(machine.turns.flat().filter(event => event.startsWith('a'))).toHaveLength(250);
  });

  it('takes in fewer of whoever has brought that many already and goes on, but as many again of whoever waited for them', () => {
    const machine = new Machine();
    const flood = machine.queue('a', 0, () => new Promise(() => {})); // Never done with its first.
    const burst = machine.queue('b', 0.01);
    const bring = (queue: EventQueue, name: string, most: number) => {
      let count = 0;
      while (count < most && !machine.full.includes(name)) {
        queue.push('x');
        count++;
      }
      return count;
    };
    expect(bring(burst, 'b', 4000)).toBe(4000);
    machine.clock.runUntilSync(100);
    expect(bring(flood, 'a', 4000)).toBe(4000);
    machine.clock.runUntilSync(101);
    expect(bring(burst, 'b', 4000)).toBe(4000);
    machine.clock.runUntilSync(102);
    expect(bring(flood, 'a', 4000)).toBeLessThan(2048);
    expect(machine.full).toEqual(['a']);
  });

  it('takes long frames for the several that they are, and a single one whatever its length', () => {
    const machine = new Machine();
    const names = ['a', 'b', 'c'];
    const [one, ...floods] = names.map(name => machine.queue(name, 3));
    const bytes = new Uint8Array(1024 * 1024).fill(0x79);
    for (let i = 0; i < 10; i++) for (const flood of floods) flood.push(bytes);
    // Eight megabytes of them are taken, of whomsoever.
    expect([machine.full, machine.quota.room.bytes]).toEqual([['b', 'c'], 0]);
    one.push('x'.repeat(16 * 1024 * 1024));
    machine.clock.runUntilSync(1);
    expect(machine.turns.flat().some(event => event.startsWith('a'))).toBe(true);
  });

  it('lends a long frame as bytes until it is handled, at once and later, and others as text', async () => {
    const machine = new Machine();
    const handled: string[] = [];
    const queue = new EventQueue({
      handle: text => void handled.push(text),
      handleLong: async bytes => {
        const before = Buffer.from(bytes).toString();
        await Promise.resolve();
        handled.push(`${Buffer.from(bytes).toString() === before}: ${before[0]}${bytes.length}`);
      },
      onFull: () => {},
      pauseReading: () => {},
      quota: machine.quota,
    });
    for (const letter of 'abc') {
      const lent = Buffer.from(letter.repeat(70_000));
      queue.push(lent);
      lent.fill('x');
      queue.push(Buffer.from(letter));
    }
    await vi.waitFor(() => {
      machine.clock.runUntilSync(machine.clock.nowMs() + 1);
      expect(handled).toHaveLength(6);
    });
    expect(handled).toEqual(['a', 'b', 'c'].flatMap(letter => [`true: ${letter}70000`, letter]));
  });

  it('reuses the memory of long frames, and never what is still lent', async () => {
    const { quota } = new Machine();
    const lent: { readonly bytes: Uint8Array; readonly done: () => void }[] = [];
    const queue = () =>
      new EventQueue({
        handle: () => {},
        handleLong: bytes => new Promise(done => void lent.push({ bytes, done })),
        onFull: () => {},
        pauseReading: () => {},
        quota,
      });
    const long = (letter: string) => Buffer.alloc(100_000, letter);
    const [a, b, c] = [queue(), queue(), queue()];
    a.push(long('a'));
    b.push(long('b'));
    b.push(long('B')); // Waits.
    lent[0].done();
    await Promise.resolve();
    c.push(long('c'));
    a.push(long('d'));
    expect(lent[2].bytes.buffer === lent[0].bytes.buffer).toBe(true);
    const held = lent
      .slice(1)
      .map(({ bytes }) => [...new Set(bytes)].map(at => String.fromCharCode(at)).join(''));
    expect(held).toEqual(['b', 'c', 'd']);
  });

  it('counts what waits, whoever comes, waits, is served or goes', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(4), fc.nat(3), fc.string({ maxLength: 40 }))), steps => {
        const machine = new Machine(400);
        const queues = Array.from({ length: 5 }, (_, i) => machine.queue(String(i), 3));
        let ms = 0;
        for (const [at, kind, text] of steps) {
          if (kind === 0) machine.clock.runUntilSync(++ms);
          else if (kind === 1) queues[at].clear();
          else queues[at].push(text);
          const waiting = queues.reduce((sum, queue) => sum + queue.waitingBytes, 0);
          expect(machine.quota.room.bytes).toBe(waiting);
          expect(waiting).toBeLessThanOrEqual(400);
        }
      }),
    );
  });

  it('keeps the order behind an event that waits', async () => {
    const machine = new Machine();
    let release = () => {};
    const gate = new Promise<void>(resolve => {
      release = resolve;
    });
    const queue = machine.queue('a', 0, text => (text === '0' ? gate : undefined));
    send(queue, 5);
    machine.clock.runUntilSync(1);
    expect(machine.turns.flat()).toEqual(['a0']);
    release();
    await gate;
    await Promise.resolve();
    machine.clock.runUntilSync(2);
    expect(machine.turns.flat()).toEqual(['a0', 'a1', 'a2', 'a3', 'a4']);
  });
});

describe('texts that wait', () => {
  it('come out as they went in, whatever their lengths and letters', () => {
    const blocks = new Blocks();
    const length = fc.oneof(fc.nat(100), fc.constantFrom(0, 65_535, 65_536, 65_537, 30_000, 200_000));
    const text = fc
      .tuple(length, fc.constantFrom('a', 'é', '界', '😀', '"'))
      .map(([count, letter]) => letter.repeat(count));
    const step = fc.oneof(text, fc.constant(null), fc.constant(null));
    const next = (waiting: WaitingTexts, wantsBytes: boolean) => {
      const oldest = waiting.shift(wantsBytes);
      if (typeof oldest !== 'object') return oldest;
      const said = oldest.toString();
      waiting.returned(oldest);
      return said;
    };
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => {
        const waiting = new WaitingTexts(blocks);
        const expected: string[] = [];
        for (const one of steps) {
          if (one !== null) {
            waiting.push(one);
            expected.push(one);
          } else expect(next(waiting, expected.length % 2 === 0)).toBe(expected.shift());
          expect(waiting.count).toBe(expected.length);
          expect(waiting.bytes).toBe(Buffer.byteLength(expected.join('')));
        }
      }),
    );
    const many = new WaitingTexts(blocks);
    for (let i = 0; i < 5000; i++) many.push(String(i));
    for (let i = 0; i < 5000; i++) expect(many.shift()).toBe(String(i));
  });
});

describe('pictures', () => {
  const png = async (width: number, height: number) => {
    const create = { width, height, channels: 3, background: '#336699' } as const;
    const bytes = await sharp({ create }).png().toBuffer();
    return `data:image/png;base64,${bytes.toString('base64')}`;
  };
  const always = { allowBareBase64: false, isWanted: () => true };

  it('larger than the model looks at shrink while they are decoded, others stay as they are', async () => {
    const decode = new PictureDecoder(100_000).forItem(always);
    const large = await decode(await png(4096, 2048), 'a');
    expect([large.width / large.height, large.data.length]).toEqual([
      expect.closeTo(2, 2),
      large.width * large.height * 3,
    ]);
    expect(large.width * large.height).toBeLessThanOrEqual(640 * 480);
    expect(large.width * large.height).toBeGreaterThan(0.98 * 640 * 480);
    expect([...large.data.subarray(0, 3)]).toEqual([0x33, 0x66, 0x99]);
    expect(await decode(await png(640, 480), 'a')).toMatchObject({ width: 640, height: 480 });
  });

  it('of one item may have 67 million pixels together, and no more', async () => {
    const decode = new PictureDecoder(0).forItem(always);
    const picture = await png(4096, 4096);
    for (let i = 0; i < 4; i++) await decode(picture, 'a');
    await expect(decode(picture, 'content[4]')).rejects.toMatchObject({
      code: 'client.invalid_image',
      values: { param: 'content[4]' },
    });
  });

  it('of somebody who has gone are not decoded', async () => {
    let looked = 0;
    const isWanted = () => ++looked < 2;
    const decode = new PictureDecoder(0).forItem({ allowBareBase64: false, isWanted });
    const picture = await png(8, 8);
    await decode(picture, 'a');
    await expect(decode(picture, 'a')).rejects.toMatchObject({ code: 'client.invalid_image' });
  });

  it('that are empty are none', async () => {
    const decode = new PictureDecoder(0).forItem(always);
    await expect(decode('data:image/png;base64,', 'a')).rejects.toMatchObject({
      code: 'client.invalid_image',
    });
  });
});
