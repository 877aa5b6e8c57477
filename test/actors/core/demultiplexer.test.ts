import { Subject } from 'rxjs';
import { expect, test } from 'vitest';
import { Demultiplexer } from '../../../actors/core/index.ts';

const sessionOf = ({ session }: { readonly session: string }) => session;
const message = (session: string, body: number) => ({ session, turn: 1, epoch: 0, body });

test('each session hears its own, in order, for as long as it listens, and nothing is kept of the others', () => {
  const messages$ = new Subject<ReturnType<typeof message>>();
  const outputs = new Demultiplexer(messages$, sessionOf);
  const heard: Record<string, number[]> = { a: [], b: [] };
  const a = outputs.of('a').subscribe(({ body }) => heard.a.push(body));
  const also = outputs.of('a').subscribe(({ body }) => heard.a.push(-body));
  outputs.of('b').subscribe(({ body }) => heard.b.push(body));
  for (const [session, body] of [
    ['a', 1],
    ['b', 2],
    ['nobody', 3],
    ['a', 4],
  ] as const)
    messages$.next(message(session, body));
  a.unsubscribe();
  messages$.next(message('a', 5));
  also.unsubscribe();
  messages$.next(message('a', 6));
  expect(heard).toEqual({ a: [1, -1, 4, -4, -5], b: [2] });
  expect(outputs.size).toBe(1);
});

test('a listener that leaves while its message is told leaves alone', () => {
  const messages$ = new Subject<ReturnType<typeof message>>();
  const outputs = new Demultiplexer(messages$, sessionOf);
  const heard: number[] = [];
  const first = outputs.of('a').subscribe(() => first.unsubscribe());
  outputs.of('a').subscribe(({ body }) => heard.push(body));
  messages$.next(message('a', 1));
  messages$.next(message('a', 2));
  expect(heard).toEqual([1, 2]);
});
