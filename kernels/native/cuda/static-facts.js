// `npm run cuda:facts`: what can be known of the kernels without a device, out of what the compiler says: registers,
// spills, and the products of fragments in its PTX, each of which becomes one HMMA. Written into docs/cuda.md between
// the marks there.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { findNvcc } from './nvcc.js';

new Command('npm run cuda:facts')
  .description('What the compiler says of the CUDA kernels, into docs/cuda.md.')
  .parse();

const here = dirname(fileURLToPath(import.meta.url));
const DOCUMENT = join(here, '../../../docs/cuda.md');
const [BEGIN, END] = ['<!-- facts -->', '<!-- end of facts -->'];
const ARCHITECTURES = ['80', '90a'];

function run(program, args) {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 256 << 20 });
  if (status !== 0) throw new Error(`${program} failed: ${stderr}`);
  return { stdout, stderr };
}

/** Of every kernel by its mangled name. */
function factsOf(nvcc, architecture, work) {
  const source = join(here, 'kernels.cu');
  const options = ['-O3', '-std=c++20', `-arch=sm_${architecture}`, '--keep', '--keep-dir', work];
  const { stderr } = run(nvcc, [
    ...options,
    '-Xptxas',
    '-v',
    '-cubin',
    source,
    '-o',
    join(work, 'kernels.cubin'),
  ]);
  const facts = new Map();
  for (const report of stderr.split(/Compiling entry function '/).slice(1)) {
    const name = report.slice(0, report.indexOf("'"));
    const number = pattern => Number(pattern.exec(report)?.[1] ?? 0);
    const spills = number(/(\d+) bytes spill stores/) + number(/(\d+) bytes spill loads/);
    const stack = number(/(\d+) bytes stack frame/);
    facts.set(name, { registers: number(/Used (\d+) registers/), spills, stack, fragments: 0 });
  }
  const ptx = readFileSync(join(work, 'kernels.ptx'), 'utf8');
  for (const entry of ptx.split(/\.entry /).slice(1)) {
    const found = facts.get(entry.slice(0, entry.indexOf('(')).trim());
    if (found) found.fragments = entry.match(/\bmma\.sync\b/g)?.length ?? 0;
  }
  return facts;
}

/** `linearKernel<Bfloat16, 4>` out of what the linker calls it. */
function plainNames(mangled) {
  const { stdout } = spawnSync('c++filt', [], { encoding: 'utf8', input: mangled.join('\n') });
  return (stdout || mangled.join('\n')).split('\n').map(name =>
    name
      .replace(/^void /, '')
      .replace(/cuda::/g, '')
      .replace(/\(.*$/, ''),
  );
}

function table(facts) {
  const first = facts[0];
  const names = [...first.keys()].sort();
  const plain = plainNames(names);
  const heads = ARCHITECTURES.flatMap(a => [`sm_${a} registers`, 'spilled bytes', 'stack bytes', 'mma.sync']);
  const rows = names.map((name, i) => {
    const cells = facts.flatMap(of => {
      const found = of.get(name);
      return found ? [found.registers, found.spills, found.stack, found.fragments] : ['–', '–', '–', '–'];
    });
    return `| \`${plain[i]}\` | ${cells.join(' | ')} |`;
  });
  rows.sort();
  return [`| kernel | ${heads.join(' | ')} |`, `|---|${heads.map(() => '---:|').join('')}`, ...rows].join(
    '\n',
  );
}

const nvcc = findNvcc();
if (nvcc === null) {
  console.error('nvcc not found; NVCC names one.');
  process.exitCode = 2;
} else {
  const work = mkdtempSync(join(tmpdir(), 'longcat-cuda-'));
  try {
    const version = /release ([\d.]+)/.exec(run(nvcc, ['--version']).stdout)?.[1];
    const facts = ARCHITECTURES.map(architecture => factsOf(nvcc, architecture, work));
    const text = readFileSync(DOCUMENT, 'utf8');
    const [before, after] = [text.indexOf(BEGIN) + BEGIN.length, text.indexOf(END)];
    const written = `\n\nnvcc ${version}, \`-O3\`; shared memory is dynamic and stands in the kernels' launchers.\n\n${table(facts)}\n\n`;
    writeFileSync(DOCUMENT, text.slice(0, before) + written + text.slice(after));
    console.log(`docs/cuda.md: ${facts[0].size} kernels for sm_${ARCHITECTURES.join(' and sm_')}.`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
