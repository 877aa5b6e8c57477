/** Small pictures as SVG text; colours are variables of web/theme.css. */
import type { Job } from '../../sim/engines/device.ts';

const WIDTH = 720;
const MOST_BINS = 40;
const MARGIN = { left: 56, right: 16, top: 12, bottom: 36 };

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, sign => `&#${sign.codePointAt(0)};`);
}

/**
 * How often a value falls into each bin, with lines at p50 and p95; as many bins as the number of values tells apart.
 */
export function histogram(
  values: readonly number[],
  marks: readonly { label: string; value: number }[],
  range: readonly [low: number, high: number] = [Math.min(...values), Math.max(...values)],
): string {
  if (values.length === 0) return '<p class="empty">Nothing was answered.</p>';
  const height = 230;
  // The bars leave room for the names of the lines.
  const top = MARGIN.top + 16 * marks.length;
  const [low] = range;
  const high = Math.max(range[1], low + 1);
  const count = Math.max(6, Math.min(MOST_BINS, Math.round(2 * Math.sqrt(values.length))));
  const bins = new Array<number>(count).fill(0);
  for (const value of values) {
    bins[Math.min(count - 1, Math.floor(((value - low) / (high - low)) * count))] += 1;
  }
  const most = Math.max(...bins);
  const x = scale(low, high, MARGIN.left, WIDTH - MARGIN.right);
  const y = scale(0, most, height - MARGIN.bottom, top);
  const bars = bins.map((inBin, i) => {
    const from = x(low + ((high - low) * i) / count);
    const to = x(low + ((high - low) * (i + 1)) / count);
    const box = { x: from, y: y(inBin), width: Math.max(1, to - from - 1), height: y(0) - y(inBin) };
    return rect(box, 'var(--agent)', `${inBin} of ${values.length}`);
  });
  const counts = ticks(0, most, 3).filter(Number.isInteger);
  const lines = marks.map(
    ({ label, value }, i) =>
      upright(x(value), MARGIN.top, height - MARGIN.bottom, 'mark') +
      // Each on a line of its own, on the side where there is room.
      (x(value) > WIDTH / 3
        ? words(x(value) - 4, MARGIN.top + 10 + i * 14, 'end', label)
        : words(x(value) + 4, MARGIN.top + 10 + i * 14, 'start', label)),
  );
  return svg(height, 'Distribution', [
    ...bars,
    axis(x, low, high, height, `ms; n ${values.length}`),
    ...counts.map(value => yTick(y(value), value)),
    ...lines,
  ]);
}

/** Jobs of each device over time. */
export function gantt(
  devices: readonly { readonly device: string; readonly jobs: readonly Job[] }[],
  fromMs: number,
  lengthMs: number,
): string {
  const rowHeight = 34;
  const height = MARGIN.top + MARGIN.bottom + rowHeight * devices.length;
  const left = 150;
  const x = scale(0, lengthMs, left, WIDTH - MARGIN.right);
  const rows = devices.flatMap(({ device, jobs }, row) => {
    const top = MARGIN.top + row * rowHeight;
    return [
      `<text x="${left - 8}" y="${top + 20}" text-anchor="end">${escapeHtml(device)}</text>`,
      `<rect x="${left}" y="${top + 6}" width="${WIDTH - MARGIN.right - left}" height="${rowHeight - 12}" fill="var(--line)" opacity="0.5"/>`,
      ...jobs
        .filter(({ startedMs }) => startedMs < fromMs + lengthMs)
        .map(job => bar(job, x, fromMs, lengthMs, top + 6, rowHeight - 12)),
    ];
  });
  return svg(height, 'Devices over time', [...rows, axis(x, 0, lengthMs, height, 'ms after the warm-up')]);
}

const JOB_COLOURS: Readonly<Record<string, number>> = {
  'audio encoding': 1,
  'vision encoding': 2,
  prefill: 3,
  decode: 4,
  'decode and prefill': 7,
  vocoder: 5,
  'speech tokenizing': 6,
};

export function jobLegend(labels: readonly string[]): string {
  const entries = labels.map(
    label =>
      `<li><i style="background:var(--waterfall-${JOB_COLOURS[label] ?? 0})"></i>${escapeHtml(label)}</li>`,
  );
  return `<ul class="legend">${entries.join('')}</ul>`;
}

function bar(
  job: Job,
  x: (ms: number) => number,
  fromMs: number,
  lengthMs: number,
  y: number,
  height: number,
): string {
  const from = x(Math.max(0, job.startedMs - fromMs));
  const to = x(Math.min(lengthMs, job.endedMs - fromMs));
  const title = `${job.label}, batch ${job.batch}: ${(job.endedMs - job.startedMs).toFixed(2)} ms, waited ${(job.startedMs - job.arrivedMs).toFixed(2)} ms`;
  return `<rect x="${fixed(from)}" y="${y}" width="${fixed(Math.max(0.4, to - from - 0.3))}" height="${height}" fill="var(--waterfall-${JOB_COLOURS[job.label] ?? 0})"><title>${title}</title></rect>`;
}

export interface CurvePoint {
  readonly label: string;
  readonly x: number;
  readonly y: number;
  readonly yInterval: readonly [number, number] | null;
}

/** Points joined in their order, each with its label and interval. */
export function curve(points: readonly CurvePoint[], xLabel: string, yLabel: string): string {
  const height = 280;
  const xs = points.map(point => point.x);
  const top = Math.max(...points.map(point => point.yInterval?.[1] ?? point.y), 1e-9);
  const spread = Math.max(1, Math.max(...xs) - Math.min(...xs));
  const [low, high] = [Math.min(...xs) - spread * 0.06, Math.max(...xs) + spread * 0.1];
  const x = scale(low, high, MARGIN.left, WIDTH - MARGIN.right);
  const y = scale(0, top, height - MARGIN.bottom, MARGIN.top + 8);
  const line = `<polyline fill="none" stroke="var(--agent)" stroke-width="1.5" points="${points.map(point => `${fixed(x(point.x))},${fixed(y(point.y))}`).join(' ')}"/>`;
  const dots = points.map(point => {
    const bounds = point.yInterval
      ? `<line x1="${fixed(x(point.x))}" x2="${fixed(x(point.x))}" y1="${fixed(y(point.yInterval[0]))}" y2="${fixed(y(point.yInterval[1]))}" class="bounds"/>`
      : '';
    const dot = `<circle cx="${fixed(x(point.x))}" cy="${fixed(y(point.y))}" r="4" fill="var(--agent)"/>`;
    return bounds + dot + words(x(point.x) + 8, y(point.y) - 6, 'start', point.label);
  });
  const yTicks = ticks(0, top, 4).map(value => yTick(y(value), value));
  const caption = `<text x="${MARGIN.left}" y="${MARGIN.top}">${escapeHtml(yLabel)}</text>`;
  return svg(height, yLabel, [axis(x, low, high, height, xLabel), ...yTicks, caption, line, ...dots]);
}

function axis(
  x: (value: number) => number,
  low: number,
  high: number,
  height: number,
  label: string,
): string {
  const bottom = height - MARGIN.bottom;
  const marks = ticks(low, high, 5).map(
    value => `<text x="${fixed(x(value))}" y="${bottom + 15}" text-anchor="middle">${short(value)}</text>`,
  );
  const line = `<line x1="${fixed(x(low))}" x2="${fixed(x(high))}" y1="${bottom}" y2="${bottom}" class="axis"/>`;
  return line + marks.join('') + words(x((low + high) / 2), bottom + 30, 'middle', label);
}

function svg(height: number, label: string, parts: readonly string[]): string {
  return `<div class="chart"><svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeHtml(label)}">${parts.join('')}</svg></div>`;
}

/** Round values between the bounds, about so many, 1, 2 or 5 apart in some power of ten. */
function ticks(low: number, high: number, about: number): number[] {
  const rough = (high - low) / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find(each => each * power >= 0.75 * rough) ?? 10);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.max(0, Math.floor(high / step) - first + 1) }, (_, i) =>
    Number(((first + i) * step).toPrecision(12)),
  );
}

function yTick(y: number, value: number): string {
  return `<text x="${MARGIN.left - 8}" y="${fixed(y + 4)}" text-anchor="end">${short(value)}</text>`;
}

function scale(low: number, high: number, from: number, to: number): (value: number) => number {
  return value => from + ((value - low) / (high - low)) * (to - from);
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function rect({ x, y, width, height }: Box, fill: string, title: string): string {
  const size = `width="${fixed(width)}" height="${fixed(height)}"`;
  return `<rect x="${fixed(x)}" y="${fixed(y)}" ${size} fill="${fill}"><title>${title}</title></rect>`;
}

function upright(x: number, from: number, to: number, name: string): string {
  return `<line x1="${fixed(x)}" x2="${fixed(x)}" y1="${fixed(from)}" y2="${fixed(to)}" class="${name}"/>`;
}

function words(x: number, y: number, anchor: 'start' | 'middle' | 'end', text: string): string {
  return `<text x="${fixed(x)}" y="${fixed(y)}" text-anchor="${anchor}">${escapeHtml(text)}</text>`;
}

const fixed = (value: number) => value.toFixed(1);
const short = (value: number) => String(Number(value.toFixed(2)));
