import { pino } from 'pino';
import { expect, test } from 'vitest';
import { createLogger, silentLogger } from '../../../actors/core/logger.ts';

test('lines reach pino with their level, values and the values of the logger', () => {
  const lines: Record<string, unknown>[] = [];
  const stream = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const log = createLogger(createLogger(pino({ level: 'debug' }, stream)), { actor: 'encoder' });
  log.debug({ queued: 3 }, 'one');
  log.info({}, 'two');
  log.warn({ actor: 'mine' }, 'three');
  log.error({ code: 'x.y' }, 'four');
  expect(lines).toEqual([
    expect.objectContaining({ level: 20, actor: 'encoder', queued: 3, msg: 'one' }),
    expect.objectContaining({ level: 30, actor: 'encoder', msg: 'two' }),
    expect.objectContaining({ level: 40, actor: 'mine', msg: 'three' }),
    expect.objectContaining({ level: 50, actor: 'encoder', code: 'x.y', msg: 'four' }),
  ]);
});

test('the silent logger takes everything and says nothing', () => {
  expect(silentLogger.error({}, 'nobody hears this')).toBeUndefined();
});
