import { describe, expect, it } from 'vitest';
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

  it('completes those who listen and those who come later, once', () => {
    const outlet = new Outlet<number>();
    let completions = 0;
    const complete = () => {
      completions += 1;
    };
    outlet.values$.subscribe({ complete });
    outlet.complete();
    outlet.values$.subscribe({ complete });
    expect(completions).toBe(2);
    expect(outlet.isHeard).toBe(false);
  });
});
