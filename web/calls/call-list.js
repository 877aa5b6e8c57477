import { make, readable, setText } from '../view/elements.js';

/**
 * @typedef {object} Call
 * @property {string} id
 * @property {string} carrier
 * @property {string | null} from
 * @property {string | null} to
 * @property {number} started_at Unix seconds
 * @property {string} with
 */

/** Who is on the line. @param {Call} call */
export const nameOf = ({ from, carrier }) => readable(from ?? `a caller by ${carrier}`);

/** @param {number} seconds */
export function lasted(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** The calls that are up; one button each. */
export class CallList {
  /** @param {HTMLElement} list @param {(call: Call) => void} onChosen */
  constructor(list, onChosen) {
    this.list = list;
    this.onChosen = onChosen;
    /** @type {Map<string, { node: HTMLElement, name: HTMLElement, about: HTMLElement }>} */
    this.rows = new Map();
  }

  /** @param {readonly Call[]} calls @param {string | null} watchedId @param {number} nowS Unix seconds */
  draw(calls, watchedId, nowS) {
    for (const [id, { node }] of this.rows)
      if (!calls.some(call => call.id === id)) {
        node.remove();
        this.rows.delete(id);
      }
    for (const call of calls) {
      const { node, name, about } = this.rows.get(call.id) ?? this.add(call);
      setText(name, nameOf(call));
      const to = call.to === null ? '' : ` to ${readable(call.to)}`;
      setText(about, `${call.carrier}${to}, ${lasted(nowS - call.started_at)}, with ${call.with}`);
      node.firstElementChild?.setAttribute('aria-pressed', String(call.id === watchedId));
    }
  }

  /** @param {Call} call */
  add(call) {
    const node = make('li');
    const button = node.appendChild(make('button', 'call'));
    button.type = 'button';
    button.onclick = () => this.onChosen(call);
    const name = button.appendChild(make('b'));
    const about = button.appendChild(make('span'));
    this.list.append(node);
    const row = { node, name, about };
    this.rows.set(call.id, row);
    return row;
  }
}
