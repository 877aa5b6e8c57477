import { make, readable, setText } from './elements.js';

/** A call of a tool: its name, what it was given, what it gave. */
export class CallTurnView {
  /** @param {import('../talk/call-turn.js').CallTurn} turn */
  constructor(turn) {
    this.turn = turn;
    this.node = make('li', 'turn acts');
    this.node.append(make('span', 'visually-hidden', 'The agent calls a tool: '));
    this.call = this.node.appendChild(make('code', 'call'));
    this.node.append(make('span', 'visually-hidden', ' and gets: '));
    this.outcome = this.node.appendChild(make('code', 'outcome'));
  }

  render() {
    const { turn, node } = this;
    setText(this.call, readable(turn.text));
    setText(this.outcome, readable(turn.outcome));
    node.classList.toggle('waits', turn.output === null);
  }
}
