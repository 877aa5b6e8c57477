const MAX_NOTICES = 3;

/** What went wrong and what to do about it, until the person has read it. */
export class Notices {
  /** @param {HTMLElement} place */
  constructor(place) {
    this.place = place;
  }

  /** @param {import('./problem.js').Problem} problem @param {HTMLElement} [extra] something to act with */
  show(problem, extra) {
    const notice = document.createElement('div');
    notice.className = 'notice';
    const text = document.createElement('p');
    const what = document.createElement('b');
    what.textContent = problem.message;
    text.append(what, ` ${problem.remedy}`);
    const close = document.createElement('button');
    close.type = 'button';
    close.textContent = 'Dismiss';
    close.onclick = () => notice.remove();
    notice.append(text, ...(extra ? [extra] : []), close);
    for (const same of this.place.querySelectorAll('.notice')) {
      if (same.firstChild?.textContent === text.textContent) same.remove();
    }
    this.place.append(notice);
    while (this.place.children.length > MAX_NOTICES) this.place.firstElementChild?.remove();
  }

  /** @param {import('./problem.js').Problem} problem @param {(key: string) => void} useKey */
  askForKey(problem, useKey) {
    const form = document.createElement('form');
    const field = document.createElement('input');
    field.type = 'password';
    field.autocomplete = 'off';
    field.required = true;
    field.setAttribute('aria-label', 'API key');
    const button = document.createElement('button');
    button.textContent = 'Use key';
    form.append(field, button);
    form.onsubmit = event => {
      event.preventDefault();
      this.clear();
      useKey(field.value);
    };
    this.show(problem, form);
    field.focus();
  }

  clear() {
    this.place.replaceChildren();
  }
}
