/** A TCP relay that can be cut or made slow: the network between two programs of one machine. */
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

const HOST = '127.0.0.1';

export class Relay {
  readonly #target: () => number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Added to the way of every chunk. */
  #delayMs = 0;
  readonly #lastAtMs = new WeakMap<Socket, number>();
  /** Nothing passes and nobody is told, as where a cable is out. */
  #isDead = false;
  #refuses = false;

  static async open(target: () => number): Promise<Relay> {
    const relay = new Relay(target);
    await new Promise<void>(resolve => relay.#server.listen(0, HOST, resolve));
    return relay;
  }

  private constructor(target: () => number) {
    this.#target = target;
    this.#server = createServer(near => this.#join(near));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  slow(delayMs: number): void {
    this.#delayMs = delayMs;
  }

  /** The cable is out: what is sent meanwhile is lost, and so are the connections when it is back. */
  dead(isDead: boolean): void {
    this.#isDead = isDead;
    if (!isDead) this.#dropAll();
  }

  /** Connections break, and none is taken while it lasts. */
  refuse(refuses: boolean): void {
    this.#refuses = refuses;
    if (refuses) this.#dropAll();
  }

  close(): void {
    this.#dropAll();
    this.#server.close();
  }

  #dropAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(near: Socket): void {
    if (this.#refuses) return void near.destroy();
    const far = createConnection(this.#target(), HOST);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ]) {
      this.#sockets.add(from);
      from.setNoDelay(true);
      from.on('data', chunk => this.#pass(chunk, to));
      from.on('error', () => {});
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
  }

  #pass(chunk: Buffer, to: Socket): void {
    if (this.#isDead) return;
    const nowMs = performance.now();
    // Nothing overtakes what was sent before it, also where the slow time is over.
    const atMs = Math.max(nowMs + this.#delayMs, this.#lastAtMs.get(to) ?? 0);
    this.#lastAtMs.set(to, atMs);
    if (atMs <= nowMs) to.write(chunk);
    else setTimeout(() => to.writable && to.write(chunk), Math.ceil(atMs - nowMs));
  }
}
