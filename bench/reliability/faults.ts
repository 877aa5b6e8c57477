/** What can happen to each part of a cluster, and what undoes it. */
import type { Cluster } from './cluster.ts';

/** A process that was killed is started again after so long; everything else lasts so long. */
const LASTS_MS = 3000;
const LINE_OUT_MS = 1000;
/** Added to each message, each way. */
const SLOW_MS = 40;

export interface FaultKind {
  readonly what: string;
  readonly how: string;
  /** Resolves when all is as it was. `n` counts the strikes of this kind: each hits the next of its parts. */
  strike(cluster: Cluster, n: number): Promise<void>;
}

const wait = (ms: number) => new Promise<void>(resolve => setTimeout(resolve, ms));
const hostOf = ({ hosts }: Cluster, n: number) => hosts[n % hosts.length];
const frontendOf = ({ frontends }: Cluster, n: number) => frontends[n % frontends.length];

export const FAULT_KINDS: readonly FaultKind[] = [
  {
    what: 'an engine host',
    how: 'kill -9, started again 3 s later',
    strike: async (cluster, n) => {
      const { program } = hostOf(cluster, n);
      await program.kill();
      await wait(LASTS_MS);
      await program.start();
    },
  },
  {
    what: 'an engine host',
    how: 'SIGSTOP for 3 s',
    strike: async (cluster, n) => {
      const { program } = hostOf(cluster, n);
      program.signal('SIGSTOP');
      await wait(LASTS_MS);
      program.signal('SIGCONT');
    },
  },
  {
    what: 'an engine host',
    how: 'cut off for 3 s',
    strike: async (cluster, n) => {
      const { relay } = hostOf(cluster, n);
      relay.dead(true);
      await wait(LASTS_MS);
      relay.dead(false);
    },
  },
  {
    what: 'an engine host',
    how: `${2 * SLOW_MS} ms slower there and back, for 3 s`,
    strike: async (cluster, n) => {
      const { relay } = hostOf(cluster, n);
      relay.slow(SLOW_MS);
      await wait(LASTS_MS);
      relay.slow(0);
    },
  },
  {
    what: 'nats-server',
    how: 'kill -9, started again at once',
    strike: async ({ nats }) => {
      await nats.kill();
      await nats.start();
    },
  },
  {
    what: 'nats-server',
    how: 'SIGSTOP for 1 s',
    strike: async ({ nats }) => {
      nats.signal('SIGSTOP');
      await wait(LINE_OUT_MS);
      nats.signal('SIGCONT');
    },
  },
  {
    what: 'a frontend',
    how: 'SIGSTOP for 1 s',
    strike: async (cluster, n) => {
      const { program } = frontendOf(cluster, n);
      program.signal('SIGSTOP');
      await wait(LINE_OUT_MS);
      program.signal('SIGCONT');
    },
  },
  {
    what: 'a frontend',
    how: 'cut off from the bus for 1 s',
    strike: async (cluster, n) => {
      const { relay } = frontendOf(cluster, n);
      relay.dead(true);
      await wait(LINE_OUT_MS);
      relay.dead(false);
    },
  },
  {
    what: 'the callers’ line to a frontend',
    how: 'broken for 1 s',
    strike: async (cluster, n) => {
      const { door } = frontendOf(cluster, n);
      door.refuse(true);
      await wait(LINE_OUT_MS);
      door.refuse(false);
    },
  },
  {
    what: 'the callers’ line to a frontend',
    how: `${2 * SLOW_MS} ms slower there and back, for 3 s`,
    strike: async (cluster, n) => {
      const { door } = frontendOf(cluster, n);
      door.slow(SLOW_MS);
      await wait(LASTS_MS);
      door.slow(0);
    },
  },
  {
    what: 'a frontend',
    how: 'kill -9, started again 3 s later',
    strike: async (cluster, n) => {
      const { program } = frontendOf(cluster, n);
      await program.kill();
      await wait(LASTS_MS);
      await program.start();
    },
  },
];
