/** The application at the other end does what is handed over, and answers with commentary that carries its id. */
import { refusal } from '../../json/index.ts';
import type { Addition } from '../client-events.ts';
import type { Delegation } from './delegations.ts';

/** Ids that are remembered, oldest first: an application may add to what it has answered. */
const MAX_KNOWN = 256;

export class ClientDelegation {
  /** By id: what gives the answer, or null where the answer is no longer waited for. */
  readonly #known = new Map<string, ((answer: string) => void) | null>();

  begin({ id, signal }: Delegation): Promise<string> {
    for (const oldest of [...this.#known.keys()].slice(0, Math.max(0, this.#known.size + 1 - MAX_KNOWN)))
      this.#known.delete(oldest);
    return new Promise((resolve, reject) => {
      this.#known.set(id, resolve);
      signal.addEventListener('abort', () => {
        if (this.#known.has(id)) this.#known.set(id, null);
        reject(new Error('No answer came in time.'));
      });
    });
  }

  /** True: it was the answer; false: it is an addition like any other. Throws a refusal of an id that is none. */
  take({ type, content, delegation_id }: Addition & { readonly delegation_id: string }): boolean {
    const answer = this.#known.get(delegation_id);
    if (answer === undefined) {
      const name = JSON.stringify(delegation_id.slice(0, 100));
      throw refusal('unknown_delegation', `There is no delegation ${name} in this session.`, 'delegation_id');
    }
    // What is not to be told leaves the answer open.
    if (answer === null || type !== 'session.commentary.append') return false;
    this.#known.set(delegation_id, null);
    answer(content);
    return true;
  }
}
