/**
 * A turn's closed account as HTML: where the time between the user's last speech sample and the first heard sample
 * went. A pure function without a document or inline style, so that the simulator's report can use it too and the
 * page's security policy need allow none; the looks are in waterfall.css.
 */

/**
 * Causes in the order of the pipeline, each with its own colour from turn to turn, in plain words.
 *
 * @type {Record<string, string>}
 */
const CAUSES = {
  endpointing: 'Silence, until your turn was taken to be over',
  packet: 'Your voice, waiting for its packet to be full',
  'jitter buffer': 'Your voice, waiting for a packet that came late or not at all',
  'audio encoding': 'Hearing the last of what you said',
  'vision encoding': 'Looking at the last picture',
  prefill: 'Reading it all into the model’s memory',
  decode: 'The model choosing its first words',
  vocoder: 'Giving these words a voice',
  gate: 'The answer was ready, and waited until you had surely finished',
  'play-out': 'On the way to your loudspeaker',
  tool: 'What the model called had to answer',
};
/** Outside the runtime, known where the far ends are simulated; one colour. */
const NETWORK = {
  noise: 'Another sound at your end, after your last word',
  uplink: 'Your voice on its way through the network',
  downlink: 'The answer on its way through the network',
};
/** Where a part of the runtime is elsewhere. */
const ELSEWHERE = {
  hop: 'On the way to another host and back',
  'sending context': 'Sending the conversation to the server that answers',
  're-prefill': 'That server reading it all anew',
};
const NAMES = Object.keys(CAUSES);
/** The mark that closes an account is named after its moment; what ended with it is play-out. */
const LABELS = new Map([['first.heard', 'play-out']]);
/** Ends of a scale: bars beside one another are drawn to the same one. */
const SCALES_MS = [1, 2, 5].flatMap(digit => [1, 10, 100, 1000, 10_000, 100_000].map(power => digit * power));
const LEAST_SCALE_MS = 500;

/**
 * @typedef {object} Account
 * @property {readonly { readonly cause: string, readonly ms: number }[]} entries in the order of time
 * @property {number} totalMs
 *
 * @typedef {object} Trace
 * @property {Account | null} waterfall
 * @property {boolean} [interrupted]
 * @property {number} [heardMs]
 * @property {number} [speculations]
 * @property {number} [rollbacks]
 * @property {{ roundTripMs: number | null, hereMs: number | null, thereMs: number | null } | null} [network] of the
 * line, beside the account
 */

/** The least scale on which all of these can be drawn. @param {readonly number[]} totalsMs */
export function scaleOf(totalsMs) {
  const longest = Math.max(LEAST_SCALE_MS, ...totalsMs);
  return SCALES_MS.toSorted((a, b) => a - b).find(scaleMs => scaleMs >= longest) ?? longest;
}

/**
 * @param {Trace} trace
 * @param {number} scaleMs what a whole bar stands for; the same for all that are seen together
 * @returns {string} HTML; empty when the turn has no account
 */
export function waterfallHtml(trace, scaleMs) {
  if (!trace.waterfall) return '';
  const { entries, totalMs } = trace.waterfall;
  let startMs = 0;
  const segments = [];
  const rows = [];
  for (const { cause: name, ms } of entries) {
    const cause = LABELS.get(name) ?? name;
    const bar = `<rect class="waterfall-${colourOf(cause)}" x="${number(startMs)}" width="${number(ms)}" height="8"/>`;
    segments.push(bar);
    rows.push(
      `<li><span class="waterfall-cause"><b>${escapeHtml(cause)}</b> ${escapeHtml(wordsFor(cause))}</span>` +
        `${barSvg('waterfall-track', bar, scaleMs)}<span class="waterfall-ms">${milliseconds(ms)}</span></li>`,
    );
    startMs += ms;
  }
  return (
    `<details class="waterfall"><summary>${barSvg('waterfall-bar', segments.join(''), scaleMs)}` +
    `<span class="waterfall-total"><b>${milliseconds(totalMs)}</b> to first sound</span></summary>` +
    `<ol class="waterfall-rows">${rows.join('')}${networkRows(trace.network, scaleMs)}</ol>` +
    `<p class="waterfall-remarks">${remarks(trace, scaleMs)}</p></details>`
  );
}

/** Not of the account, which ends where the runtime does: what the line adds on the way to the ear. */
function networkRows(network, scaleMs) {
  if (!network) return '';
  const known = [
    ['round trip', 'There and back through the network', network.roundTripMs],
    ['jitter buffer here', 'Held back by your browser, to play without gaps', network.hereMs],
    [
      'jitter buffer there',
      'How long the server waits for a packet of yours that is missing',
      network.thereMs,
    ],
  ].filter(([, , ms]) => ms !== null);
  return known
    .map(([name, words, ms]) => {
      const bar = `<rect class="waterfall-${NAMES.length}" x="0" width="${number(ms)}" height="8"/>`;
      return (
        `<li class="waterfall-network"><span class="waterfall-cause"><b>${name}</b> ${words}</span>` +
        `${barSvg('waterfall-track', bar, scaleMs)}<span class="waterfall-ms">${milliseconds(ms)}</span></li>`
      );
    })
    .join('');
}

/** What the bars that are there already stand for from now on. @param {ParentNode} place @param {number} scaleMs */
export function rescale(place, scaleMs) {
  for (const bar of place.querySelectorAll('.waterfall svg')) bar.setAttribute('viewBox', `0 0 ${scaleMs} 8`);
  for (const told of place.querySelectorAll('.waterfall-scale')) told.textContent = scaleInWords(scaleMs);
}

function barSvg(className, inside, scaleMs) {
  return `<svg class="${className}" viewBox="0 0 ${scaleMs} 8" preserveAspectRatio="none" aria-hidden="true">${inside}</svg>`;
}

/** @param {Trace} trace @param {number} scaleMs */
function remarks({ heardMs, interrupted, speculations = 0, rollbacks = 0 }, scaleMs) {
  const said = [];
  if (heardMs !== undefined) said.push(`${(heardMs / 1000).toFixed(1)} s heard`);
  if (interrupted) said.push('interrupted');
  if (speculations > 0) said.push(`started early ${times(speculations)}, taken back ${times(rollbacks)}`);
  said.push(`<span class="waterfall-scale">${scaleInWords(scaleMs)}</span>`);
  return said.join(' · ');
}

function scaleInWords(scaleMs) {
  return `a whole bar is ${scaleMs >= 1000 ? `${scaleMs / 1000} s` : `${scaleMs} ms`}`;
}

function times(count) {
  return count === 0 ? 'never' : count === 1 ? 'once' : `${count} times`;
}

function milliseconds(ms) {
  return `${ms >= 10 || ms < 0.05 ? Math.round(ms) : ms.toFixed(1)} ms`;
}

const number = ms => String(Number(ms.toFixed(3)));
const wordsFor = cause => CAUSES[cause] ?? NETWORK[cause] ?? ELSEWHERE[cause] ?? '';

function colourOf(cause) {
  const known = NAMES.indexOf(cause);
  if (known >= 0) return known;
  if (cause in NETWORK) return NAMES.length;
  let hash = 0;
  for (const letter of cause) hash = (hash * 31 + letter.codePointAt(0)) >>> 0;
  return hash % NAMES.length;
}

function escapeHtml(text) {
  return text.replace(/[&<>"']/g, sign => `&#${sign.codePointAt(0)};`);
}
