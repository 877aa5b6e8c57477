import { make, readable } from './elements.js';

const MAX_SAID = 6;

/**
 * What a screen reader reads out: each turn once, when its words are final, and what becomes of the conversation. Never
 * word by word.
 */
export class Announcer {
  /** @param {HTMLElement} place a polite live region */
  constructor(place) {
    this.place = place;
    this.told = new Set();
  }

  /** @param {import('../talk/user-turn.js').UserTurn | import('../talk/agent-turn.js').AgentTurn} turn */
  turn(turn) {
    if (this.told.has(turn.id) || turn.text.trim() === '') return;
    this.told.add(turn.id);
    if (turn.side === 'user') return this.say(`You: ${turn.text.trim()}`);
    const heard = turn.text.slice(0, turn.text.length - turn.parts().rest.length).trim();
    this.say(
      turn.interrupted ? `Agent, interrupted: ${heard || 'before a word'}` : `Agent: ${turn.text.trim()}`,
    );
  }

  say(text) {
    this.place.append(make('p', '', readable(text)));
    while (this.place.children.length > MAX_SAID) this.place.firstElementChild?.remove();
  }
}
