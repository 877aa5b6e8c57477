import { SoundLevels } from './sound-levels.js';
import { waterfallHtml } from './waterfall.js';

const MAX_TURNS = 200;
const REDRAW_MS = 100;

/**
 * Live captions of both sides. The agent's words are pale until they have been heard; what was never heard is struck
 * out. A user's turn without a transcript shows its sound.
 */
export class CaptionList {
  /** @param {HTMLOListElement} list */
  constructor(list) {
    this.list = list;
    this.levels = new SoundLevels();
    /** @type {Map<string, UserTurn | AgentTurn>} in the order of the page */
    this.turns = new Map();
    /** @type {UserTurn | null} */
    this.speaking = null;
    this.drawnMs = 0;
    // A waterfall that is opened at the bottom is brought above the fold. `toggle` does not bubble.
    list.addEventListener('toggle', ({ target }) => bringIntoView(target), true);
  }

  /** What follows belongs to another conversation. */
  newSession() {
    if (this.turns.size > 0) this.list.append(listItem('divider', 'new conversation'));
    this.turns.clear();
    this.speaking = null;
    this.levels.reset();
  }

  userSound(level, lengthMs) {
    this.levels.add(level, lengthMs);
    if (!this.speaking || this.levels.nowMs - this.drawnMs < REDRAW_MS) return;
    this.drawnMs = this.levels.nowMs;
    this.speaking.draw(this.levels);
  }

  userStarted(itemId, atMs) {
    this.speaking = new UserTurn(atMs);
    this.insert(itemId, this.speaking);
  }

  userStopped(itemId, atMs) {
    const turn = this.turns.get(itemId);
    if (turn instanceof UserTurn) turn.stop(atMs, this.levels);
    this.speaking = null;
  }

  userText(itemId, text, final) {
    const turn = this.turns.get(itemId);
    if (turn instanceof UserTurn) turn.write(text, final);
    this.follow();
  }

  agentStarted(itemId) {
    this.insert(itemId, new AgentTurn());
  }

  /** @param {number} atSample samples of the item received before this text */
  agentText(itemId, text, atSample) {
    this.withAgent(itemId, turn => turn.write(text, atSample));
  }

  agentHeard(itemId, samples) {
    this.withAgent(itemId, turn => turn.hear(samples));
  }

  agentInterrupted(itemId) {
    this.withAgent(itemId, turn => turn.interrupt());
  }

  /** @param {string} text what stays in the context */
  agentCut(itemId, text) {
    this.withAgent(itemId, turn => turn.cut(text));
  }

  /** Belongs to the newest answer without an account. */
  trace(trace) {
    const open = [...this.turns.values()].findLast(turn => turn instanceof AgentTurn && !turn.accounted);
    if (open instanceof AgentTurn) open.account(trace);
    this.follow();
  }

  withAgent(itemId, change) {
    const turn = this.turns.get(itemId);
    if (turn instanceof AgentTurn) change(turn);
    this.follow();
  }

  insert(itemId, turn) {
    if (this.turns.has(itemId)) return;
    this.turns.set(itemId, turn);
    this.list.append(turn.node);
    while (this.list.children.length > MAX_TURNS) this.list.firstElementChild?.remove();
    if (this.turns.size > MAX_TURNS) this.turns.delete(this.turns.keys().next().value ?? '');
    this.follow(true);
  }

  /** Scrolls along, unless the person has scrolled up to read. */
  follow(always = false) {
    const page = document.scrollingElement;
    if (!page) return;
    const belowPx = page.scrollHeight - page.scrollTop - page.clientHeight;
    if (always || belowPx < 160) page.scrollTo({ top: page.scrollHeight, behavior: 'smooth' });
  }
}

class UserTurn {
  constructor(fromMs) {
    this.fromMs = fromMs;
    this.text = '';
    this.node = listItem('turn user');
    this.sound = this.node.appendChild(document.createElement('div'));
    this.sound.className = 'sound';
    this.caption = this.node.appendChild(document.createElement('p'));
    this.caption.hidden = true;
  }

  draw(levels) {
    this.sound.innerHTML = levels.drawing(this.fromMs);
  }

  stop(atMs, levels) {
    const length = document.createElement('span');
    length.textContent = `${((atMs - this.fromMs) / 1000).toFixed(1)} s`;
    this.sound.innerHTML = levels.drawing(this.fromMs, atMs);
    this.sound.append(length);
  }

  write(text, final) {
    this.text = final ? text : this.text + text;
    this.caption.textContent = readable(this.text);
    this.caption.hidden = this.text === '';
  }
}

class AgentTurn {
  constructor() {
    /** @type {{ text: string, atSample: number }[]} */
    this.words = [];
    this.heard = 0;
    this.accounted = false;
    this.node = listItem('turn agent');
    const caption = this.node.appendChild(document.createElement('p'));
    this.note = caption.appendChild(document.createElement('span'));
    this.note.className = 'note';
    this.note.textContent = '…';
    this.spoken = caption.appendChild(document.createElement('span'));
    this.spoken.className = 'spoken';
    this.ahead = caption.appendChild(document.createElement('span'));
    this.ahead.className = 'ahead';
  }

  write(text, atSample) {
    this.words.push({ text, atSample });
    this.draw();
  }

  hear(samples) {
    this.heard = samples;
    this.node.dataset.heardMs = String(Math.round(samples / 24));
    this.draw();
  }

  draw() {
    const said = this.words.filter(({ atSample }) => atSample < this.heard);
    this.show(said, this.words.slice(said.length));
  }

  show(said, ahead) {
    this.note.hidden = this.words.some(({ text }) => text !== '');
    this.spoken.textContent = readable(said.map(({ text }) => text).join(''));
    this.ahead.textContent = readable(ahead.map(({ text }) => text).join(''));
  }

  interrupt() {
    this.node.classList.add('interrupted');
  }

  cut(text) {
    const all = this.words.map(word => word.text).join('');
    if (!all.startsWith(text)) return;
    this.words = [
      { text, atSample: Number.NEGATIVE_INFINITY },
      { text: all.slice(text.length), atSample: Number.POSITIVE_INFINITY },
    ];
    this.draw();
  }

  account(trace) {
    this.accounted = true;
    if (trace.text === '')
      this.note.textContent = trace.interrupted ? 'interrupted before a word' : 'no words';
    this.node.insertAdjacentHTML('beforeend', waterfallHtml(trace));
  }
}

function bringIntoView(target) {
  if (target instanceof HTMLDetailsElement && target.open)
    target.scrollIntoView({ block: 'nearest', behavior: 'smooth' });
}

function listItem(className, text = '') {
  const item = document.createElement('li');
  item.className = className;
  item.textContent = text;
  return item;
}

/** Control characters would leave holes. */
function readable(text) {
  return text.replace(/\p{Cc}+/gu, ' ');
}
