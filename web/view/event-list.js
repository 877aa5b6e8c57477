import { element, make } from './elements.js';

/** The protocol's events as lines that open; drawn only while they can be seen. */
export class EventList {
  /** @param {import('../talk/event-log.js').EventLog} log @param {() => boolean} isSeen */
  constructor(log, isSeen) {
    this.log = log;
    this.isSeen = isSeen;
    /** @type {HTMLOListElement} */
    this.list = element('event-list');
    /** @type {Map<number, HTMLElement>} */
    this.lines = new Map();
    element('event-filter').oninput = () => this.draw();
    element('clear-events').onclick = () => {
      log.clear();
      this.draw();
    };
  }

  draw() {
    this.lines.clear();
    this.list.replaceChildren();
    for (const entry of this.log.entries) this.write(entry);
    element('no-events').hidden = this.list.children.length > 0;
    this.list.scrollTop = this.list.scrollHeight;
  }

  /** @param {import('../talk/event-log.js').Entry} entry new, or changed */
  changed(entry) {
    if (!this.isSeen()) return;
    const isAtEnd = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < 40;
    this.write(entry);
    this.forget(this.log.entries[0]?.number ?? 0);
    element('no-events').hidden = this.list.children.length > 0;
    if (isAtEnd) this.list.scrollTop = this.list.scrollHeight;
  }

  write(entry) {
    if (!entry.type.includes(element('event-filter').value.trim())) return;
    const line = eventLine(entry);
    const old = this.lines.get(entry.number);
    if (old?.querySelector('details')?.open) return; // Being read.
    if (old) old.replaceWith(line);
    else this.list.append(line);
    this.lines.set(entry.number, line);
  }

  forget(beforeNumber) {
    for (const [number, line] of this.lines) {
      if (number >= beforeNumber) return;
      line.remove();
      this.lines.delete(number);
    }
  }
}

function eventLine({ atMs, direction, type, count, bytes, event }) {
  const line = make('li', `event ${direction}`);
  const details = line.appendChild(make('details'));
  const summary = details.appendChild(make('summary'));
  const arrow = make('span', 'event-arrow', direction === 'sent' ? '↑' : '↓');
  arrow.setAttribute('aria-hidden', 'true');
  summary.append(
    make('span', 'event-time', (atMs / 1000).toFixed(2)),
    arrow,
    make('span', 'visually-hidden', direction),
    typeName(type),
    make('span', 'event-size', count > 1 ? `× ${count}` : bytesIn(bytes)),
  );
  // Written when it is opened: most never are.
  details.ontoggle = () => {
    if (details.open && details.children.length === 1)
      details.append(make('pre', '', JSON.stringify(event, null, 1)));
  };
  return line;
}

/** Long names may break where their words do. */
function typeName(type) {
  const name = make('span', 'event-type');
  for (const part of type.split(/(?<=[._])/)) name.append(part, make('wbr'));
  return name;
}

const bytesIn = bytes => (bytes < 1000 ? `${bytes} B` : `${(bytes / 1000).toFixed(1)} kB`);
