import { waterfallHtml } from '../waterfall.js';
import { make, readable, setText } from './elements.js';
import { playButton } from './play-button.js';

const FORGOTTEN = 'You heard this; the model remembers whole clauses only and has forgotten it.';

/** An answer: pale until it is heard. What was never heard is struck out. */
export class AgentTurnView {
  /** @param {import('../talk/agent-turn.js').AgentTurn} turn */
  constructor(turn) {
    this.turn = turn;
    this.node = make('li', 'turn agent');
    this.node.append(make('span', 'visually-hidden', 'Agent: '));
    const caption = this.node.appendChild(make('p'));
    this.note = caption.appendChild(make('span', 'note', '…'));
    this.spoken = caption.appendChild(make('span', 'spoken'));
    this.forgotten = caption.appendChild(make('span', 'forgotten'));
    this.forgotten.title = FORGOTTEN;
    this.ahead = caption.appendChild(make('span', 'ahead'));
    this.meta = this.node.appendChild(make('div', 'meta'));
    this.play = playButton(turn.id, 'its');
    this.meta.append(this.play);
    this.accounted = false;
  }

  /** @param {number} scaleMs of the waterfalls */
  render(scaleMs) {
    const { turn, node } = this;
    const { remembered, heardOnly, rest } = turn.parts();
    setText(this.spoken, readable(remembered));
    setText(this.forgotten, readable(heardOnly));
    setText(this.ahead, readable(rest));
    this.note.hidden = turn.text !== '';
    if (turn.done) setText(this.note, turn.interrupted ? 'interrupted before a word' : 'no words');
    node.classList.toggle('interrupted', turn.interrupted);
    node.dataset.heardMs = String(Math.round(turn.heardMs));
    this.play.hidden = !turn.playable;
    if (turn.trace && !this.accounted) this.account(scaleMs);
  }

  account(scaleMs) {
    this.accounted = true;
    this.meta.insertAdjacentHTML('beforeend', waterfallHtml(this.turn.trace, scaleMs));
  }
}
