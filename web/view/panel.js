import { element } from './elements.js';

/** On a screen as wide as this the panel stands beside the conversation; on a smaller one it covers it. */
const WIDE = '(min-width: 60rem)';

/** Settings, figures, events and files: one panel, one tab at a time. */
export class Panel {
  /** @param {Record<string, () => void>} shown what to draw when a tab comes into sight, by its id */
  constructor(shown) {
    this.shown = shown;
    /** @type {HTMLDialogElement} */
    this.dialog = element('panel');
    /** @type {HTMLElement[]} */
    this.tabs = [...this.dialog.querySelectorAll('[role=tab]')].filter(tab => tab instanceof HTMLElement);
    for (const tab of this.tabs) tab.onclick = () => this.choose(tab);
    element('tabs').onkeydown = event => this.onKey(event);
    element('more').onclick = () => this.toggle();
    element('close-panel').onclick = () => this.dialog.close();
    this.dialog.onkeydown = event => {
      if (event.code !== 'Escape') return;
      event.preventDefault(); // It closes this and does not stop the agent besides.
      this.dialog.close();
    };
    this.dialog.onclose = () => {
      if (this.dialog.open) return; // Shown anew in its other form; this tells of the form before.
      document.body.classList.remove('with-panel');
      element('more').setAttribute('aria-expanded', 'false');
      element('more').focus();
    };
    matchMedia(WIDE).onchange = () => {
      if (!this.dialog.open) return;
      this.dialog.close();
      this.open();
    };
  }

  toggle() {
    if (this.dialog.open) this.dialog.close();
    else this.open();
  }

  open() {
    if (matchMedia(WIDE).matches) this.dialog.show();
    else this.dialog.showModal();
    document.body.classList.add('with-panel');
    element('more').setAttribute('aria-expanded', 'true');
    this.draw();
    this.tabs.find(tab => tab.ariaSelected === 'true')?.focus();
  }

  choose(chosen) {
    for (const tab of this.tabs) {
      tab.ariaSelected = String(tab === chosen);
      tab.tabIndex = tab === chosen ? 0 : -1;
      element(tab.getAttribute('aria-controls') ?? '').hidden = tab !== chosen;
    }
    this.draw();
  }

  onKey(event) {
    const at = this.tabs.indexOf(event.target);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (at < 0 || !step) return;
    const next = this.tabs[(at + step + this.tabs.length) % this.tabs.length];
    this.choose(next);
    next.focus();
  }

  /** @param {string} id of a tab's part @returns {boolean} whether a person can see it */
  sees(id) {
    return this.dialog.open && !element(id).hidden;
  }

  draw() {
    for (const [id, draw] of Object.entries(this.shown)) if (this.sees(id)) draw();
  }
}
