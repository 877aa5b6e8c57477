import { element, make } from './elements.js';

const EVERY_MS = 1000;

/** Statistics as a table, drawn anew every second while it can be seen. */
export class Figures {
  /**
   * @param {import('../talk/statistics.js').Statistics} statistics @param {() => number} nowMs @param {() => boolean}
   * isSeen
   */
  constructor(statistics, nowMs, isSeen) {
    this.statistics = statistics;
    this.nowMs = nowMs;
    setInterval(() => {
      if (isSeen()) this.draw();
    }, EVERY_MS);
  }

  draw() {
    const rows = this.statistics.rows(this.nowMs()).map(([name, value]) => {
      const row = make('div');
      row.append(make('dt', '', name), make('dd', '', value));
      return row;
    });
    element('figures').replaceChildren(...rows);
  }
}
