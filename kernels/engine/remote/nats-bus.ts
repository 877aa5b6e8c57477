/**
 * NATS as the bus: nats-server 2.9 and newer. TLS and credentials come with the address (`nats://user:secret@host`,
 * `tls://host`).
 */
import { RuntimeError } from '../../errors.ts';
import type { Bus, BusMessage } from './bus.ts';

/** Nobody listens: NATS answers a message that has a reply subject with this status. */
const NO_RESPONDERS = 503;

/** Calls wait meanwhile. */
const RECONNECTION = {
  ...{ maxReconnectAttempts: -1, reconnectTimeWait: 50, reconnectJitter: 50 },
  /** A machine that is gone says nothing: two of these unanswered, and the connection is given up. */
  pingInterval: 2000,
};

/** @throws (rejects) RuntimeError `remote.no-bus` */
export async function connectNats(url: string): Promise<Bus> {
  const { connect } = await import('@nats-io/transport-node').catch(error => {
    const remedy = 'npm install @nats-io/transport-node';
    throw new RuntimeError(
      'remote.no-bus',
      'The NATS client is not installed.',
      { cause: String(error) },
      remedy,
    );
  });
  const connection = await connect({ servers: url, ...RECONNECTION }).catch(error => {
    const values = { url: withoutSecret(url), cause: (error as Error).message };
    const remedy = 'Start nats-server, or give its address.';
    throw new RuntimeError('remote.no-bus', 'NATS does not answer.', values, remedy);
  });
  return {
    maxMessageBytes: connection.info?.max_payload ?? 1024 * 1024,
    publish: (subject, bytes, reply) =>
      connection.publish(subject, bytes, reply === undefined ? {} : { reply }),
    subscribe: (subject, onMessage: (message: BusMessage) => void) => {
      const subscription = connection.subscribe(subject, {
        callback: (error, message) => {
          if (error) return;
          const isUnheard = message.headers?.code === NO_RESPONDERS;
          onMessage({ subject: message.subject, bytes: message.data, isUnheard });
        },
      });
      return () => subscription.unsubscribe();
    },
    close: () => connection.close(),
  };
}

/** Addresses are shown in errors and logs. */
export function withoutSecret(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//…@');
}
