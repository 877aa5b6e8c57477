/** A `longcat-rt serve` in a process of its own, and what can be seen of it from outside. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { PACKAGE_ROOT } from '../../kernels/package-root.ts';

const TURNS = new URL('./turns.js', import.meta.url).href;
const PROGRAM = `${PACKAGE_ROOT}cli/longcat-rt.js`;

/** MiB, as `/metrics` says. */
export interface Memory {
  readonly resident: number;
  readonly heap: number;
  readonly external: number;
}

/** Of the event loop, without standing in line for a processor (turns.js). */
export interface Turns {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export class WatchedServer {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #server;
  #url = '';
  #onTurns: (turns: Turns) => void = () => {};

  private constructor(model: string, socketServer: string) {
    const args = [
      '--import',
      TURNS,
      PROGRAM,
      'serve',
      '--port',
      '0',
      '--model',
      model,
      '--socket-server',
      socketServer,
    ];
    this.#server = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#server.stderr.on('data', (text: Buffer) => this.#read(text.toString()));
  }

  static async start(model: string, socketServer = 'uws'): Promise<WatchedServer> {
    const server = new WatchedServer(model, socketServer);
    const [line] = (await once(server.#server.stdout, 'data')) as [Buffer];
    server.#url = /http\S+/.exec(line.toString())![0];
    return server;
  }

  get webSocketUrl(): string {
    return this.#url.replace('http', 'ws');
  }

  ask(path: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const request = get(`${this.#url}${path}`, { agent: this.#agent }, answer => {
        let text = '';
        answer.setEncoding('utf8').on('data', part => {
          text += part;
        });
        answer.on('end', () => resolve(text));
      });
      request.on('error', reject);
    });
  }

  async memory(): Promise<Memory> {
    const text = await this.ask('/metrics');
    const mib = (name: string) => Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1]) / 2 ** 20;
    return {
      resident: mib('process_resident_memory_bytes'),
      heap: mib('nodejs_heap_size_used_bytes'),
      external: mib('nodejs_external_memory_bytes'),
    };
  }

  /** Since they were last asked for. */
  turns(): Promise<Turns> {
    this.#server.kill('SIGUSR2');
    return new Promise(resolve => {
      this.#onTurns = resolve;
    });
  }

  stop(): void {
    this.#server.kill('SIGINT');
  }

  /** What it logs, without the deadlines of its components: on a busy machine they are missed. */
  #read(text: string): void {
    for (const line of text.split('\n')) {
      if (line.startsWith('turns ')) this.#onTurns(JSON.parse(line.slice(6)) as Turns);
      else if (line !== '' && !line.includes('component fault')) console.error(line);
    }
  }
}
