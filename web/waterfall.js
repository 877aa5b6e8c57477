/**
 * A turn's closed account as HTML: where the time between the user's last speech sample and the first heard sample went.
 * A pure function without a document, so that the simulator's report can use it too; the looks are in waterfall.css.
 */

/** Causes in the order of the pipeline, each with its own colour from turn to turn; others get one by their name. */
const CAUSES = [
  'endpointing',
  'audio encoding',
  'vision encoding',
  'prefill',
  'decode',
  'vocoder',
  'gate',
  'play-out',
];
/** The ways through a network, known where the far ends are simulated; one colour. */
const NETWORK = ['uplink', 'downlink'];
/** The mark that closes an account is named after its moment; what ended with it is play-out. */
const LABELS = new Map([['first.heard', 'play-out']]);

/**
 * @typedef {object} Account
 * @property {readonly { readonly cause: string, readonly ms: number }[]} entries in the order of time
 * @property {number} totalMs
 *
 * @param {{ waterfall: Account | null, interrupted?: boolean, heardMs?: number, speculations?: number, rollbacks?: number }} trace
 * @returns {string} HTML; empty when the turn has no account
 */
export function waterfallHtml(trace) {
  if (!trace.waterfall) return '';
  const { entries, totalMs } = trace.waterfall;
  const scale = totalMs > 0 ? 100 / totalMs : 0;
  let startMs = 0;
  const segments = [];
  const rows = [];
  for (const { cause: name, ms } of entries) {
    const cause = LABELS.get(name) ?? name;
    const colour = `var(--waterfall-${colourOf(cause)})`;
    const title = `${escapeHtml(cause)}: ${milliseconds(ms)}`;
    const width = (ms * scale).toFixed(3);
    segments.push(`<i style="width:${width}%;background:${colour}" title="${title}"></i>`);
    rows.push(
      `<li><span class="waterfall-cause">${escapeHtml(cause)}</span>` +
        `<span class="waterfall-track"><i style="left:${(startMs * scale).toFixed(3)}%;width:${width}%;background:${colour}"></i></span>` +
        `<span class="waterfall-ms">${milliseconds(ms)}</span></li>`,
    );
    startMs += ms;
  }
  const summary = entries.map(
    ({ cause, ms }) => `${escapeHtml(LABELS.get(cause) ?? cause)} ${milliseconds(ms)}`,
  );
  return (
    `<details class="waterfall"><summary><span class="waterfall-bar" role="img" aria-label="${summary.join(', ')}">${segments.join('')}</span>` +
    `<span class="waterfall-total"><b>${milliseconds(totalMs)}</b> to first sound</span></summary>` +
    `<ol class="waterfall-rows">${rows.join('')}</ol>${remarks(trace)}</details>`
  );
}

/** @param {{ heardMs?: number, interrupted?: boolean, speculations?: number, rollbacks?: number }} trace */
function remarks({ heardMs, interrupted, speculations = 0, rollbacks = 0 }) {
  const said = [];
  if (heardMs !== undefined) said.push(`${(heardMs / 1000).toFixed(1)} s heard`);
  if (interrupted) said.push('interrupted');
  if (speculations > 0) said.push(`started early ${times(speculations)}, taken back ${times(rollbacks)}`);
  return said.length ? `<p class="waterfall-remarks">${said.join(' · ')}</p>` : '';
}

function times(count) {
  return count === 0 ? 'never' : count === 1 ? 'once' : `${count} times`;
}

function milliseconds(ms) {
  return `${ms >= 10 || ms < 0.05 ? Math.round(ms) : ms.toFixed(1)} ms`;
}

function colourOf(cause) {
  const known = CAUSES.indexOf(cause);
  if (known >= 0) return known;
  if (NETWORK.includes(cause)) return CAUSES.length;
  let hash = 0;
  for (const letter of cause) hash = (hash * 31 + letter.codePointAt(0)) >>> 0;
  return hash % CAUSES.length;
}

function escapeHtml(text) {
  return text.replace(/[&<>"']/g, sign => `&#${sign.codePointAt(0)};`);
}
