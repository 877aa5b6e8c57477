import { make } from './elements.js';
import { keepFocus } from './focus.js';

const MAX_NOTICES = 3;

/** What went wrong and what to do about it, until the person has read it or it is over. */
export class Notices {
  /** @param {HTMLElement} place */
  constructor(place) {
    this.place = place;
  }

  /** @param {import('../talk/problem.js').Problem} problem @param {HTMLElement} [extra] something to act with */
  show(problem, extra) {
    const notice = make('div', 'notice');
    notice.dataset.topic = problem.topic;
    const text = make('p');
    text.append(make('b', '', problem.message), ` ${problem.remedy}`);
    const close = make('button', '', 'Dismiss');
    close.type = 'button';
    close.onclick = () => keepFocus(() => notice.remove());
    notice.append(text, ...(extra ? [extra] : []), close);
    for (const same of this.place.querySelectorAll('.notice')) {
      if (same.firstChild?.textContent === text.textContent) same.remove();
    }
    this.place.append(notice);
    while (this.place.children.length > MAX_NOTICES) this.place.firstElementChild?.remove();
  }

  /** @param {import('../talk/problem.js').Problem} problem @param {(key: string) => void} useKey */
  askForKey(problem, useKey) {
    const form = make('form');
    const field = make('input');
    field.type = 'password';
    field.autocomplete = 'off';
    field.required = true;
    field.setAttribute('aria-label', 'API key');
    form.append(field, make('button', '', 'Use key'));
    form.onsubmit = event => {
      event.preventDefault();
      this.clear();
      useKey(field.value);
    };
    this.show(problem, form);
    field.focus();
  }

  /** @param {import('../talk/problem.js').Problem} problem @param {string} label @param {() => void} act */
  offer(problem, label, act) {
    const button = make('button', '', label);
    button.type = 'button';
    button.onclick = () => {
      this.clear();
      act();
    };
    this.show(problem, button);
  }

  /** What these were about is over. */
  resolve(topic) {
    for (const notice of this.place.querySelectorAll('.notice'))
      if (notice instanceof HTMLElement && notice.dataset.topic === topic) keepFocus(() => notice.remove());
  }

  clear() {
    keepFocus(() => this.place.replaceChildren());
  }
}
