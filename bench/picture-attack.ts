/**
 * `npm run bench -- picture-attack [--model DIRECTORY]`: what pictures that are small on the wire and large in memory
 * do to a server.
 *
 * A real `longcat-rt serve` in a process of its own; one client at a time. `item of 64`: four frames at once, each an
 * item with 64 pictures of 4096² pixels (some kilobytes each), and the client leaves. `items of 4`: as many as an item
 * may have, 24 times, each waited for. `one picture`: 4096² again and again, each waited for; `one photograph`: of
 * megabytes on the wire. Memory is what `/metrics` says, every 20 ms; turns of the event loop are without what the
 * server stood in line for a processor (socket-flood/turns.js).
 */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import sharp from 'sharp';
import { WebSocket } from 'ws';
import { printTable } from './kernels/table.ts';
import { type Memory, WatchedServer } from './socket-flood/watched-server.ts';

const SIDE = 4096;
const AFTER_MS = 3000;

const options = new Command('picture-attack')
  .option('--model <directory>', 'what serves', 'models/nano')
  .parse()
  .opts<{ model: string }>();

async function picture(side: number): Promise<string> {
  const create = { width: side, height: side, channels: 3, background: '#336699' } as const;
  const bytes = await sharp({ create }).png({ palette: true, compressionLevel: 9 }).toBuffer();
  return `data:image/png;base64,${bytes.toString('base64')}`;
}

/** Every pixel differs from its neighbours, as in a photograph: megabytes on the wire. */
async function photograph(side: number, quality: number): Promise<string> {
  const noise = { type: 'gaussian', mean: 128, sigma: 30 } as const;
  const create = { width: side, height: side, channels: 3, noise } as const;
  const bytes = await sharp({ create } as never)
    .jpeg({ quality })
    .toBuffer();
  return `data:image/jpeg;base64,${bytes.toString('base64')}`;
}

const large = await picture(SIDE);
const photo = await photograph(SIDE, 35);
const item = (count: number, url = large) =>
  JSON.stringify({
    type: 'conversation.item.create',
    item: {
      type: 'message',
      role: 'user',
      content: Array.from({ length: count }, () => ({ type: 'input_image', image_url: url })),
    },
  });

class Client {
  readonly answers: Record<string, number> = {};
  readonly #socket: WebSocket;
  #onAnswer = () => {};

  constructor(url: string) {
    this.#socket = new WebSocket(`${url}/v1/realtime?model=attack`);
    this.#socket.on('error', () => {});
    this.#socket.on('message', (data: Buffer) => {
      const { type, error } = JSON.parse(data.toString()) as { type: string; error?: { code: string } };
      if (type !== 'error' && type !== 'conversation.item.done') return;
      const name = error?.code ?? 'taken';
      this.answers[name] = (this.answers[name] ?? 0) + 1;
      this.#onAnswer();
    });
  }

  opened(): Promise<unknown> {
    return once(this.#socket, 'open');
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  async ask(text: string): Promise<void> {
    const answered = new Promise<void>(resolve => {
      this.#onAnswer = resolve;
    });
    this.send(text);
    await answered;
  }

  leave(): void {
    this.#socket.terminate();
  }
}

const attacks: Record<string, (client: Client) => Promise<void>> = {
  'item of 64, four at once, leaves': async client => {
    for (let i = 0; i < 4; i++) client.send(item(64));
    await sleep(50);
    client.leave();
  },
  'item of 64, waits': client => client.ask(item(64)),
  'items of 4, 24 times': async client => {
    for (let i = 0; i < 24; i++) await client.ask(item(4));
  },
  'one picture, 40 times': async client => {
    for (let i = 0; i < 40; i++) await client.ask(item(1));
  },
  'one photograph, 10 times': async client => {
    for (let i = 0; i < 10; i++) await client.ask(item(1, photo));
  },
};

const shown = (memories: readonly Memory[]) =>
  (['resident', 'heap', 'external'] as const)
    .map(of => Math.max(...memories.map(memory => memory[of])).toFixed(0))
    .join(' / ');

async function row(name: string, attack: (client: Client) => Promise<void>): Promise<string[]> {
  const client = new Client(server.webSocketUrl);
  await client.opened();
  await sleep(300);
  const before = await server.memory();
  await server.turns();
  const during: Memory[] = [];
  let over = false;
  const watching = (async () => {
    while (!over) {
      during.push(await server.memory());
      await sleep(20);
    }
  })();
  const startMs = performance.now();
  await attack(client);
  const tookMs = performance.now() - startMs;
  await sleep(AFTER_MS);
  over = true;
  await watching;
  const { p99, max } = await server.turns();
  const kept = await server.memory();
  client.leave();
  await sleep(500);
  const answers = Object.entries(client.answers).map(([code, count]) => `${count} ${code}`);
  const turns = `${p99.toFixed(1)} / ${max.toFixed(1)}`;
  return [
    name,
    answers.join(', ') || '–',
    `${tookMs.toFixed(0)}`,
    turns,
    shown([before]),
    shown(during),
    shown([kept]),
  ];
}

const server = await WatchedServer.start(options.model);
const rows: string[][] = [];
try {
  const warm = new Client(server.webSocketUrl);
  await warm.opened();
  await warm.ask(item(1));
  warm.leave();
  for (const [name, attack] of Object.entries(attacks)) rows.push(await row(name, attack));
} finally {
  server.stop();
}
console.log(
  `${SIDE}² pixels in ${large.length} characters, a photograph in ${photo.length}; memory in MiB: resident / heap / external; turns: p99 / max ms\n`,
);
printTable(['attack', 'answers', 'ms', 'turns of the loop', 'before', 'most', 'while it stays'], rows);
process.exit(0);
