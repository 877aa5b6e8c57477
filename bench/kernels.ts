/**
 * `npm run bench -- kernels [--model DIRECTORY]`: what the native kernels reach of this machine's limits, on one
 * thread, and decode steps on two; beside the reference engine and ONNX Runtime (the graphs of train/onnx_export.py
 * over models/nano). Times of one thread are its own CPU time, so that a busy machine disturbs them less; limits and
 * kernels are measured in alternation within one run. `LONGCAT_RT_ISA` picks another SIMD level.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { writeSeededCheckpoint } from '../kernels/checkpoint/index.ts';
import { loadAddon } from '../kernels/native/addon.ts';
import { nativeOps } from '../kernels/native/native-ops.ts';
import { referenceOps } from '../kernels/reference-ops.ts';
import { missingForOnnx, onnxRows } from './kernels/beside-onnx.ts';
import { componentRows, decodeRows } from './kernels/components.ts';
import { limitRows } from './kernels/limits.ts';
import { loadPeer } from './kernels/peers.ts';
import { printTable } from './kernels/table.ts';

const GRAPHS = '.cache/onnx';
const THREADS = 2;
const { model: given } = new Command('kernels')
  .option('--model <directory>', "whose components; absent: random ones of nano's size")
  .parse()
  .opts<{ model?: string }>();
const addon = loadAddon();
if (typeof addon === 'string') {
  console.error(`No native kernels: ${addon}.`);
  process.exit(1);
}
const scratch = mkdtempSync(join(tmpdir(), 'longcat-bench-'));
try {
  const seeded = join(scratch, 'nano');
  if (given === undefined) writeSeededCheckpoint(seeded, { seed: 1 });
  const model = given ?? seeded;
  const native = nativeOps(addon);

  console.log(`level ${addon.level} of ${addon.levels.join(', ')}; one thread; median [quartiles]\n`);
  printTable(['kernel', 'time', 'achieved', 'limit', 'share'], limitRows(addon, native));
  console.log('');
  printTable(
    ['nano component', 'native', 'reference', 'ratio', 'reached'],
    componentRows(model, native, referenceOps),
  );

  console.log('');
  const peer = loadPeer();
  const missing = missingForOnnx(peer, GRAPHS);
  if (peer && !missing) {
    printTable(
      ['step of models/nano', 'native', `ONNX Runtime ${peer.version}`, 'ratio', 'differ by'],
      onnxRows(native, 'models/nano', peer, GRAPHS),
    );
  } else {
    console.log(`Not compared with ONNX Runtime: ${missing}`);
  }

  // Last: a pool never shrinks.
  console.log('');
  addon.growPool(THREADS);
  printTable([`on ${THREADS} threads, by the wall clock`, 'native', 'reached'], decodeRows(model, native));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
