import { rescale, scaleOf } from '../waterfall.js';
import { AgentTurnView } from './agent-turn-view.js';
import { CallTurnView } from './call-turn-view.js';
import { make } from './elements.js';
import { SoundLevels } from './sound-levels.js';
import { UserTurnView } from './user-turn-view.js';

const REDRAW_MS = 100;
/** Nearer to the end than this, the page follows. */
const NEAR_PX = 160;

/** Both sides' turns on the page. The newest stays in sight, unless the person has scrolled up to read. */
export class CaptionList {
  /** @param {HTMLOListElement} list @param {(turnId: string) => void} onReplay */
  constructor(list, onReplay) {
    this.list = list;
    this.levels = new SoundLevels();
    /** @type {Map<string, { node: HTMLElement, view: UserTurnView | AgentTurnView | CallTurnView | null }>} */
    this.shown = new Map();
    /** @type {UserTurnView | null} */
    this.speaking = null;
    this.drawnMs = 0;
    this.scaleMs = scaleOf([]);
    // A waterfall that is opened at the bottom is brought above the fold. `toggle` does not bubble.
    list.addEventListener('toggle', ({ target }) => bringIntoView(target), true);
    list.addEventListener('click', ({ target }) => {
      const button = target instanceof Element && target.closest('.play');
      if (button instanceof HTMLElement && button.dataset.turn) onReplay(button.dataset.turn);
    });
  }

  /** The sound that follows counts from zero. */
  newSession() {
    this.speaking = null;
    this.levels.reset();
  }

  userSound(level, lengthMs) {
    this.levels.add(level, lengthMs);
    if (!this.speaking || this.levels.nowMs - this.drawnMs < REDRAW_MS) return;
    this.drawnMs = this.levels.nowMs;
    this.speaking.draw(this.levels);
  }

  /** @param {import('../talk/turns.js').Turn} turn new, or changed */
  show(turn) {
    const { view } = this.shown.get(turn.id) ?? this.insert(turn);
    if (view instanceof UserTurnView) {
      if (view.turn.toMs === null && !view.turn.typed) this.speaking = view;
      else if (this.speaking === view) this.speaking = null;
      view.render(this.levels);
    } else if (view instanceof AgentTurnView) {
      this.fit(view.turn.trace);
      view.render(this.scaleMs);
    } else view?.render();
    this.follow();
  }

  /** All bars have one scale: a slower answer than any before draws them all anew. */
  fit(trace) {
    const scaleMs = scaleOf([this.scaleMs, trace?.waterfall?.totalMs ?? 0]);
    if (scaleMs === this.scaleMs) return;
    this.scaleMs = scaleMs;
    rescale(this.list, scaleMs);
  }

  forget({ id }) {
    this.shown.get(id)?.node.remove();
    this.shown.delete(id);
  }

  /** @param {string | null} turnId what plays again now */
  replays(turnId) {
    for (const button of this.list.querySelectorAll('.play'))
      button.setAttribute(
        'aria-pressed',
        String(button instanceof HTMLElement && button.dataset.turn === turnId),
      );
  }

  insert(turn) {
    const view = viewOf(turn);
    const node = view?.node ?? make('li', 'divider', 'new conversation');
    const entry = { node, view };
    this.shown.set(turn.id, entry);
    const above = turn.side === 'agent' && turn.above ? this.shown.get(turn.above)?.node : null;
    this.list.insertBefore(node, above ?? null);
    this.follow(true);
    return entry;
  }

  follow(always = false) {
    const page = document.scrollingElement;
    if (!page) return;
    const belowPx = page.scrollHeight - page.scrollTop - page.clientHeight;
    if (always || (belowPx > 0 && belowPx < NEAR_PX))
      page.scrollTo({ top: page.scrollHeight, behavior: pace() });
  }
}

/** @param {import('../talk/turns.js').Turn} turn */
function viewOf(turn) {
  if (turn.side === 'user') return new UserTurnView(turn);
  if (turn.side === 'agent') return new AgentTurnView(turn);
  return turn.side === 'tool' ? new CallTurnView(turn) : null;
}

function bringIntoView(target) {
  if (target instanceof HTMLDetailsElement && target.open)
    target.scrollIntoView({ block: 'nearest', behavior: pace() });
}

/** Who wants no motion gets none. */
function pace() {
  return matchMedia('(prefers-reduced-motion: reduce)').matches ? 'instant' : 'smooth';
}
