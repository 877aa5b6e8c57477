import { toTurnTrace } from '../talk/server-events.js';
import { make, readable } from '../view/elements.js';
import { scaleOf, waterfallHtml } from '../waterfall.js';

const MAX_TURNS = 200;

/** What is said in a call that is watched, and under each answer where its time went. */
export class Captions {
  /** @param {HTMLElement} list */
  constructor(list) {
    this.list = list;
    /** @type {Map<string, { node: HTMLElement, text: HTMLElement }>} */
    this.turns = new Map();
    /** @type {HTMLElement | null} */
    this.answer = null;
    /** @type {number[]} */
    this.totalsMs = [];
  }

  clear() {
    this.list.replaceChildren();
    this.turns.clear();
    this.answer = null;
    this.totalsMs = [];
  }

  /** @param {any} event as `/calls/ID/listen` tells it */
  take(event) {
    const { documentElement: page } = document;
    const isAtEnd = page.scrollHeight - page.scrollTop - page.clientHeight < 80;
    if (event.type === 'caller') this.say('user', event.item, event.delta);
    else if (event.type === 'agent') this.say('agent', event.item, event.delta);
    else if (event.type === 'agent.done' && event.interrupted) this.cut(event.item);
    else if (event.type === 'agent.cut') this.cut(event.item, event.text);
    else if (event.type === 'trace') this.account(toTurnTrace(event.trace));
    if (isAtEnd) page.scrollTop = page.scrollHeight;
  }

  say(side, id, words) {
    if (words === '') return;
    const turn = this.turns.get(id) ?? this.add(side, id);
    turn.text.append(readable(words));
  }

  add(side, id) {
    const node = make('li', `turn ${side}`);
    node.append(make('span', 'visually-hidden', side === 'user' ? 'Caller: ' : 'Agent: '));
    const text = node.appendChild(make('p'));
    this.list.append(node);
    const turn = { node, text };
    this.turns.set(id, turn);
    if (side === 'agent') this.answer = node;
    if (this.turns.size > MAX_TURNS) {
      const [oldest, { node: gone }] = [...this.turns][0];
      gone.remove();
      this.turns.delete(oldest);
    }
    return turn;
  }

  /** What was heard of it stays as it is; the rest is struck out. */
  cut(id, heard = null) {
    const turn = this.turns.get(id);
    if (!turn) return;
    turn.node.classList.add('interrupted');
    if (heard === null) return;
    const all = turn.text.textContent ?? '';
    const kept = all.startsWith(heard) ? heard : '';
    turn.text.replaceChildren(make('span', 'spoken', kept), make('span', 'ahead', all.slice(kept.length)));
  }

  account(trace) {
    if (!this.answer || !trace.waterfall) return;
    this.totalsMs = [...this.totalsMs, trace.waterfall.totalMs].slice(-MAX_TURNS);
    const meta = this.answer.appendChild(make('div', 'meta'));
    meta.insertAdjacentHTML('beforeend', waterfallHtml(trace, scaleOf(this.totalsMs)));
    this.answer = null;
  }
}
