import { config, map } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { Outlet } from '../../../actors/core/outlet.ts';

describe('an outlet', () => {
  it('gives each listener every value from its subscription to its leaving, in order', () => {
    const outlet = new Outlet<number>();
    const heard: string[] = [];
    outlet.next(0);
    const first = outlet.values$.subscribe(value => heard.push(`a${value}`));
    outlet.next(1);
    outlet.values$.subscribe(value => heard.push(`b${value}`));
    outlet.next(2);
    first.unsubscribe();
    outlet.next(3);
    expect(heard).toEqual(['a1', 'a2', 'b2', 'b3']);
  });

  it('lets listeners join and leave while it is heard: from the next value on', () => {
    const outlet = new Outlet<number>();
    const heard: string[] = [];
    const leaving = outlet.values$.subscribe(value => {
      heard.push(`a${value}`);
      leaving.unsubscribe();
      outlet.values$.subscribe(later => heard.push(`c${later}`));
    });
    outlet.values$.subscribe(value => heard.push(`b${value}`));
    outlet.next(1);
    outlet.next(2);
    expect(heard).toEqual(['a1', 'b1', 'b2', 'c2']);
  });

  it('gives nothing to a listener that another has sent away, and stops for none that fails', () => {
    const outlet = new Outlet<number>();
    const heard: string[] = [];
    const failures: unknown[] = [];
    config.onUnhandledError = error => void failures.push(error);
    vi.useFakeTimers();
    outlet.values$.subscribe(() => {
      sentAway.unsubscribe();
      throw new Error('of a listener');
    });
    const sentAway = outlet.values$.subscribe(value => heard.push(`a${value}`));
    outlet.values$.pipe(map(value => 10 * value)).subscribe(value => heard.push(`b${value}`));
    outlet.next(1);
    vi.runAllTimers();
    vi.useRealTimers();
    config.onUnhandledError = null;
    expect(heard).toEqual(['b10']);
    expect(failures).toEqual([new Error('of a listener')]);
  });

  it('completes those who listen and those who come later, once', () => {
    const outlet = new Outlet<number>();
    let completions = 0;
    const complete = () => {
      completions += 1;
    };
    outlet.values$.subscribe({ complete });
    const byFunction = outlet.values$.subscribe(() => {});
    outlet.complete();
    expect(byFunction.closed).toBe(true);
    outlet.values$.subscribe({ complete });
    expect(completions).toBe(2);
    expect(outlet.isHeard).toBe(false);
  });
});
