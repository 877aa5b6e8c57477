import { element } from './elements.js';

/** Where the focus goes when what had it is gone: the first of these that can be used. */
const NEXT = ['talk', 'start', 'try-now', 'mute', 'end'];

/**
 * Changes the page without letting the focus fall to nowhere: people who use a keyboard or a screen reader would have
 * to begin at the top again.
 */
export function keepFocus(change) {
  const focused = document.activeElement;
  change();
  if (!(focused instanceof HTMLElement) || focused === document.body || usable(focused)) return;
  for (const id of NEXT) {
    const next = element(id);
    if (!usable(next)) continue;
    next.focus({ preventScroll: true });
    return;
  }
}

function usable(node) {
  return node.isConnected && !node.disabled && node.getClientRects().length > 0;
}
