import { AgentTurn } from './agent-turn.js';
import { CallTurn } from './call-turn.js';
import { UserTurn } from './user-turn.js';

/** Turns that are kept; the oldest go. */
const MAX_TURNS = 200;

/**
 * Both sides' turns in the order in which they began: what captions show and what an export writes. Each change of a
 * turn is told.
 *
 * @typedef {UserTurn | AgentTurn | CallTurn | Divider} Turn
 */
export class Turns {
  /** @param {(turn: Turn) => void} onChange a new turn too @param {(turn: Turn) => void} onForgotten */
  constructor(onChange, onForgotten) {
    this.onChange = onChange;
    this.onForgotten = onForgotten;
    /** @type {Map<string, Turn>} */
    this.all = new Map();
    this.sessions = 0;
  }

  /** What follows belongs to another conversation. */
  newSession(atMs) {
    this.sessions += 1;
    if (this.all.size > 0) this.add(new Divider(`session ${this.sessions}`, atMs));
  }

  userSpoke(id, atMs, fromMs) {
    this.add(new UserTurn(id, atMs, fromMs));
  }

  userWrote(id, atMs, text) {
    const turn = new UserTurn(id, atMs, null);
    turn.write(text, true);
    this.add(turn);
  }

  /**
   * @param {string} id @param {number} atMs @param {readonly string[]} calls of the same reply: what is said before
   * them is told after them, where they are made at once
   */
  agentBegan(id, atMs, calls = []) {
    if (this.all.has(id)) return;
    const turn = new AgentTurn(id, atMs);
    const newest = [...this.all.values()];
    const below = newest.slice(newest.findLastIndex(other => !calls.includes(other.id)) + 1);
    turn.above = below[0]?.id ?? null;
    for (const call of below) this.all.delete(call.id);
    this.add(turn);
    for (const call of below) this.all.set(call.id, call);
  }

  /** @param {any} item of the protocol, as far as it is known now */
  agentCalled(item, atMs) {
    this.add(new CallTurn(item.id, atMs, item.name));
    this.change(item.id, CallTurn, turn => turn.know(item));
  }

  /** @param {string} id of a call @param {string} given its arguments, as they were written in the end */
  agentGave(id, given) {
    this.change(id, CallTurn, turn => {
      turn.given = given;
    });
  }

  /** @param {(turn: UserTurn) => void} change */
  ofUser(id, change) {
    this.change(id, UserTurn, change);
  }

  /** @param {(turn: AgentTurn) => void} change */
  ofAgent(id, change) {
    this.change(id, AgentTurn, change);
  }

  /** Belongs to the newest answer without an account that says this. @returns {boolean} whether there is one */
  trace(trace) {
    const isIts = turn => turn instanceof AgentTurn && turn.trace === null && turn.says(trace.text);
    const turn = [...this.all.values()].findLast(isIts);
    if (!turn) return false;
    this.ofAgent(turn.id, agent => agent.account(trace));
    return true;
  }

  /** It cannot be played again any more. */
  forgetSound(id) {
    const silence = turn => {
      turn.playable = false;
    };
    this.ofUser(id, silence);
    this.ofAgent(id, silence);
  }

  /** @param {Turn} turn */
  add(turn) {
    if (this.all.has(turn.id)) return;
    this.all.set(turn.id, turn);
    this.onChange(turn);
    const oldest = this.all.values().next().value;
    if (this.all.size <= MAX_TURNS || !oldest) return;
    this.all.delete(oldest.id);
    this.onForgotten(oldest);
  }

  change(id, kind, change) {
    const turn = this.all.get(id);
    if (!turn || !(turn instanceof kind)) return;
    change(turn);
    this.onChange(turn);
  }
}

/** Another conversation begins here. */
class Divider {
  side = /** @type {const} */ ('divider');

  /** @param {string} id @param {number} atMs */
  constructor(id, atMs) {
    this.id = id;
    this.atMs = atMs;
  }
}
