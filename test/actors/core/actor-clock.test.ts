import { delay, Observable, observeOn, Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { actorRig } from './actor-rig.ts';

describe('the timers of an actor', () => {
  it('run to completion: what is sent from one waits until it has returned', () => {
    const { clock, envelope, start } = actorRig();
    const order: string[] = [];
    const worker = start(
      (inbox, context) =>
        new Observable(() => {
          inbox.messages$.subscribe(({ message }) => order.push(`message ${message.body}`));
          context.clock.setTimer(10, () => {
            worker.send('control', envelope('sent by the timer'));
            order.push('timer done');
          });
        }),
    );
    clock.runForSync(20);
    expect(order).toEqual(['timer done', 'message sent by the timer']);
  });

  it('tell the supervisor when they throw, and are gone after the restart and after a stop', () => {
    const { clock, envelope, restarts, start } = actorRig();
    const fired: string[] = [];
    let life = 0;
    const worker = start(
      (inbox, context) =>
        new Observable(() => {
          const name = `life ${++life}`;
          inbox.messages$.subscribe();
          context.clock.setTimer(30, () => fired.push(name));
          if (life === 1)
            context.clock.setTimer(10, () => {
              throw new Error('defect');
            });
        }),
    );
    worker.send('control', envelope('here'));
    clock.runForSync(100);
    expect(restarts).toEqual(['worker [s] at 10']);
    expect(fired).toEqual(['life 2']);
    const other = start(
      (_inbox, { clock: own }) =>
        new Observable(() => void own.xstate.setTimeout(() => fired.push('late'), 10)),
      'other',
    );
    other.stop();
    clock.runForSync(100);
    expect(fired).toEqual(['life 2']);
  });

  it('are those of operators: a stream from outside is handled in the actor’s turn, and dies with it', () => {
    const { clock, envelope, restarts, start } = actorRig();
    const outside = new Subject<string>();
    const order: string[] = [];
    let life = 0;
    const worker = start(
      (inbox, { clock: { scheduler } }) =>
        new Observable(subscriber => {
          const name = `life ${++life}`;
          subscriber.add(inbox.messages$.subscribe(({ message }) => order.push(`message ${message.body}`)));
          const inTurn$ = outside.pipe(observeOn(scheduler));
          subscriber.add(
            inTurn$.subscribe(value => {
              worker.send('control', envelope(`about ${value}`));
              order.push(value);
            }),
          );
          subscriber.add(
            outside.pipe(delay(10, scheduler)).subscribe(value => order.push(`${name}: ${value}`)),
          );
        }),
    );
    outside.next('news');
    expect(order).toEqual([]);
    clock.runForSync(5);
    expect(order).toEqual(['news', 'message about news']);
    worker.stop();
    outside.next('more');
    clock.runForSync(20);
    expect([order.length, restarts]).toEqual([2, []]);
  });
});
