import { make } from './elements.js';

const ICON =
  '<svg viewBox="0 0 16 16" aria-hidden="true"><path class="icon-play" d="M4 2.5v11l9-5.5z"/><path class="icon-halt" d="M3.5 3.5h9v9h-9z"/></svg>';

/** Plays one turn's sound again. @param {string} turnId @param {'your' | 'its'} whose */
export function playButton(turnId, whose) {
  const button = make('button', 'play');
  button.type = 'button';
  button.hidden = true;
  button.dataset.turn = turnId;
  button.setAttribute('aria-label', whose === 'your' ? 'Play your turn again' : 'Play this answer again');
  button.setAttribute('aria-pressed', 'false');
  button.title = 'Play again';
  button.innerHTML = ICON;
  return button;
}
