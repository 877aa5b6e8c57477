import { randomUUID } from 'node:crypto';
import type { Clock } from '../actors/core/clock.ts';
import { unixTimeMs } from '../actors/core/index.ts';
import type { Logger } from '../actors/core/logger.ts';
import { CallWebhook, WEBHOOK_TIMEOUT_MS } from '../protocols/telephone/index.ts';
import type { Config } from './config/schema.ts';

/** Where call events go, by the configuration; undefined: nowhere. */
export function callWebhook(
  { callWebhookSecret, callWebhookUrl }: Config,
  clock: Clock,
  log: Logger,
): CallWebhook | undefined {
  if (callWebhookUrl === undefined) return undefined;
  return new CallWebhook({
    ...{ clock, log, unixTimeMs, newId: randomUUID, secret: callWebhookSecret ?? null },
    async post(headers, body) {
      const given = new AbortController();
      const timer = clock.setTimer(WEBHOOK_TIMEOUT_MS, () => given.abort());
      const request = { method: 'POST', headers, body, redirect: 'error' as const, signal: given.signal };
      try {
        const response = await fetch(callWebhookUrl, request);
        await response.body?.cancel();
        return response.status;
      } finally {
        timer.cancel();
      }
    },
  });
}
