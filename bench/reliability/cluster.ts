/**
 * A nats-server, engine hosts and frontends, each behind a relay of its own:
 *
 *   callers ──relay──► frontend ──relay──► nats-server ◄──relay── engine host
 */
import { mkdtempSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../../kernels/package-root.ts';
import { Program } from './program.ts';
import { Relay } from './relay.ts';

const COMPONENTS = ['audioEncoder', 'languageModel', 'ganDecoder'];
const LONGCAT_RT = `${PACKAGE_ROOT}cli/longcat-rt.js`;

/** One of several, and its way to the others. */
export interface Part {
  readonly program: Program;
  readonly relay: Relay;
}

export interface ClusterOptions {
  readonly hosts: number;
  readonly frontends: number;
  readonly model: string;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
}

export class Cluster {
  readonly logs = mkdtempSync(join(tmpdir(), 'longcat-rt-reliability-'));
  readonly hosts: Part[] = [];
  /** `relay` is the one to the bus. */
  readonly frontends: (Part & { readonly door: Relay })[] = [];
  nats!: Program;
  readonly #options: ClusterOptions;

  constructor(options: ClusterOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const natsPort = await freePort();
    const command = ['nats-server', '-a', '127.0.0.1', '-p', String(natsPort)];
    this.nats = new Program(command, /Server is ready/, join(this.logs, 'nats-server.log'));
    await this.nats.start();
    const { hosts, frontends, model } = this.#options;
    const toBus = () => Relay.open(() => natsPort);
    for (let n = 1; n <= hosts; n++) {
      const relay = await toBus();
      const own = ['--components', COMPONENTS.join(','), '--nats', `nats://127.0.0.1:${relay.port}`];
      const program = this.#program(['engine', '--model', model, ...own], /^Serves /, `host-${n}.log`);
      this.hosts.push({ program, relay });
      await program.start();
    }
    for (let n = 1; n <= frontends; n++) {
      const relay = await toBus();
      const port = await freePort();
      const place = COMPONENTS.map(name => `${name}=nats://127.0.0.1:${relay.port}`).join(',');
      const own = ['--host', '127.0.0.1', '--port', String(port), '--place', place];
      const program = this.#program(['serve', '--model', model, ...own], /^Talk at /, `frontend-${n}.log`);
      const door = await Relay.open(() => port);
      this.frontends.push({ program, relay, door });
      await program.start();
    }
  }

  async stop(): Promise<void> {
    const parts = [...this.frontends, ...this.hosts];
    await Promise.all([...parts.map(({ program }) => program), this.nats].map(each => each?.kill()));
    for (const { relay } of parts) relay.close();
    for (const { door } of this.frontends) door.close();
  }

  #program(args: readonly string[], ready: RegExp, log: string): Program {
    return new Program([process.execPath, LONGCAT_RT, ...args], ready, join(this.logs, log));
  }
}
