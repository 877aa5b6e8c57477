/**
 * Figures of one page's conversations, kept since it was opened.
 *
 * @typedef {object} Network of a line that carries media
 * @property {number | null} roundTripMs
 * @property {number | null} hereMs what this browser's jitter buffer holds back
 * @property {number | null} thereMs how long the server waits for a packet that is missing
 * @property {number} lost packets of this voice that did not come
 */
export class Statistics {
  constructor() {
    /** @type {number | null} */
    this.beganMs = null;
    this.endedMs = null;
    this.answers = 0;
    this.interrupted = 0;
    this.failed = 0;
    this.questions = 0;
    this.sentAudioMs = 0;
    this.heardAudioMs = 0;
    this.pictures = 0;
    this.sentBytes = 0;
    this.receivedBytes = 0;
    this.inputTokens = 0;
    this.cachedTokens = 0;
    this.outputTokens = 0;
    this.errors = 0;
    this.losses = 0;
    this.gaps = 0;
    /** What carries it. */
    this.line = '';
    /** Of the line, as last told. @type {Network | null} */
    this.network = null;
    /** Time to the first sound of each answer that was spoken to. @type {number[]} */
    this.firstSoundMs = [];
  }

  began(nowMs) {
    this.beganMs ??= nowMs;
    this.endedMs = null;
  }

  ended(nowMs) {
    this.endedMs ??= nowMs;
  }

  /** @param {any} response of `response.done` */
  response({ status, usage }) {
    if (status === 'failed') this.failed += 1;
    else this.answers += 1;
    this.inputTokens += usage?.input_tokens ?? 0;
    this.cachedTokens += usage?.input_token_details?.cached_tokens ?? 0;
    this.outputTokens += usage?.output_tokens ?? 0;
  }

  trace({ waterfall }) {
    if (waterfall) this.firstSoundMs.push(waterfall.totalMs);
  }

  /** @param {number} nowMs @returns {[name: string, value: string][]} */
  rows(nowMs) {
    return [
      [
        'Conversation',
        this.beganMs === null ? 'not begun' : duration((this.endedMs ?? nowMs) - this.beganMs),
      ],
      ['Your turns', String(this.questions)],
      [
        'Answers',
        counted(this.answers, [
          [this.interrupted, 'interrupted'],
          [this.failed, 'failed'],
        ]),
      ],
      ['To the first sound', latency(this.firstSoundMs)],
      ['Line', this.line || 'none yet'],
      ...networkRows(this.network),
      ['Sound sent', duration(this.sentAudioMs)],
      ['Sound heard', counted(duration(this.heardAudioMs), [[this.gaps, this.gaps === 1 ? 'gap' : 'gaps']])],
      ['Pictures sent', String(this.pictures)],
      ['Tokens read', counted(thousands(this.inputTokens), [[this.cachedTokens, 'from the cache']])],
      ['Tokens spoken', thousands(this.outputTokens)],
      ['Sent', megabytes(this.sentBytes)],
      ['Received', megabytes(this.receivedBytes)],
      ['Errors', String(this.errors)],
      ['Lines lost', String(this.losses)],
    ];
  }
}

/** @param {Network | null} network @returns {[string, string][]} */
function networkRows(network) {
  if (!network) return [];
  const { roundTripMs, hereMs, thereMs, lost } = network;
  const ms = value => (value === null ? 'not known yet' : `${Math.round(value)} ms`);
  return [
    ['Round trip', ms(roundTripMs)],
    ['Jitter buffer here, there', `${ms(hereMs)}, ${ms(thereMs)}`],
    ['Packets of yours lost', String(lost)],
  ];
}

function latency(values) {
  if (values.length === 0) return 'no answer yet';
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length / 2;
  const median = (sorted[Math.ceil(half) - 1] + sorted[Math.floor(half)]) / 2;
  const slowest = sorted.length > 1 ? `, slowest ${Math.round(sorted.at(-1))} ms (n ${sorted.length})` : '';
  return `${slowest ? 'median ' : ''}${Math.round(median)} ms${slowest}`;
}

function counted(all, parts) {
  const told = parts.filter(([count]) => count > 0).map(([count, what]) => `${thousands(count)} ${what}`);
  return told.length > 0 ? `${all}, ${told.join(', ')}` : String(all);
}

export function duration(ms) {
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
}

const thousands = count => String(count).replace(/\B(?=(\d{3})+$)/g, '\u202f');
const megabytes = bytes =>
  bytes < 100_000 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
