import { make, readable, setText } from './elements.js';
import { playButton } from './play-button.js';

/** A turn of the person: its sound while it is spoken, then its length, and the words when they are known. */
export class UserTurnView {
  /** @param {import('../talk/user-turn.js').UserTurn} turn */
  constructor(turn) {
    this.turn = turn;
    this.node = make('li', 'turn user');
    this.node.append(make('span', 'visually-hidden', 'You: '));
    this.sound = make('div', 'sound');
    this.sound.hidden = turn.typed;
    this.play = playButton(turn.id, 'your');
    this.levels = make('span', 'levels-place');
    this.length = make('span');
    this.sound.append(this.play, this.levels, this.length);
    this.caption = make('p');
    this.node.append(this.sound, this.caption);
  }

  /** @param {import('./sound-levels.js').SoundLevels} levels */
  render(levels) {
    const { turn } = this;
    this.caption.hidden = turn.text === '' && !turn.final;
    this.caption.classList.toggle('note', turn.text === '');
    setText(this.caption, readable(turn.text) || 'no words recognised');
    this.play.hidden = !turn.playable;
    if (turn.toMs === null || this.length.textContent) return;
    this.draw(levels);
    this.length.textContent = `${(turn.lengthMs / 1000).toFixed(1)} s`;
  }

  draw(levels) {
    if (this.turn.fromMs !== null)
      this.levels.innerHTML = levels.drawing(this.turn.fromMs, this.turn.toMs ?? undefined);
  }
}
