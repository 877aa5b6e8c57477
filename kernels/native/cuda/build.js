// Builds the second library: with nvcc for devices (`npm run build:cuda`), or with g++ for the emulation that tests
// use. What was built from the same sources by the same compiler is kept, in build/ beside this file.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, cpus } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findNvcc } from './nvcc.js';

const here = dirname(fileURLToPath(import.meta.url));
const kernels = dirname(dirname(here));
const emulation = join(dirname(here), 'cuda-emulation');
const BUILD = join(here, 'build');

/** Where `npm run build:cuda` puts the library of devices; device.ts looks there. */
export const DEVICE_LIBRARY = join(BUILD, 'longcat_cuda.node');

/** Machine code for these, and PTX of the newest for what comes after. */
export const ARCHITECTURES = ['80', '90a', '100'];

const HOST_FLAGS = ['-std=c++20', '-O1', '-fPIC', '-DNAPI_VERSION=8', '-DNAPI_CPP_EXCEPTIONS'];
const WARNINGS = ['-Wall', '-Wextra', '-Wno-unknown-pragmas', '-Wno-psabi'];
// No contraction behind the kernels' back: where they want fmaf they say so.
const EMULATION_FLAGS = ['-DCUDA_EMULATION', '-ffp-contract=off', '-march=native', '-g1'];

/** What a build of the emulation looks for beside wrong results. */
const FLAVOURS = {
  /** Nothing: fastest, for conversations. */
  plain: { kernels: [], all: [] },
  /** Races, reads of what nobody wrote, addresses outside of device memory (memory-check.cpp). */
  checked: { kernels: ['-fsanitize=thread'], all: [] },
  /** The address sanitizer, host code included. */
  address: { kernels: [], all: ['-fsanitize=address', '-fno-omit-frame-pointer'] },
};

function filesOf(directory, pattern) {
  return readdirSync(directory)
    .filter(name => pattern.test(name))
    .sort()
    .map(name => join(directory, name));
}

/** Everything that the library is made of. */
function sources() {
  const operations = readdirSync(kernels)
    .sort()
    .map(name => join(kernels, name, 'cuda.cu'))
    .filter(path => existsSync(path));
  const native = filesOf(dirname(here), /^(arguments|dispatch|kernels|memory)\.h$/);
  return [...operations, ...native, ...[here, emulation].flatMap(of => filesOf(of, /\.(cpp|h|cu)$/))];
}

function headerDirectories() {
  const require = createRequire(import.meta.url);
  const beside = join(dirname(dirname(process.execPath)), 'include/node');
  // Where node-gyp found the headers, when they did not come with node.
  const configured = join(dirname(here), 'build/config.gypi');
  const nodedir = existsSync(configured)
    ? /"nodedir": "([^"]*)"/.exec(readFileSync(configured, 'utf8'))
    : null;
  const node = existsSync(beside) ? beside : join(nodedir?.[1] ?? '', 'include/node');
  if (!existsSync(join(node, 'node_api.h'))) throw new Error('the headers of node were not found');
  return [require('node-addon-api').include_dir, node];
}

/** Runs commands side by side, as many as there are processors; the first failure is thrown with its output. */
async function runAll(commands) {
  const waiting = [...commands];
  async function runNext() {
    for (let command = waiting.shift(); command; command = waiting.shift()) {
      const [program, ...rest] = command;
      const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
      let output = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', data => (output += data));
      const status = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
      if (status !== 0) throw new Error(`${command.join(' ')} failed (${status}):\n${output.slice(0, 4000)}`);
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, runNext));
}

function hashOf(flags) {
  const hash = createHash('sha256').update(JSON.stringify([flags, process.version, cpus()[0]?.model]));
  for (const path of sources()) hash.update(basename(dirname(path))).update(readFileSync(path));
  return hash.digest('hex').slice(0, 16);
}

/** Compiles into a directory of its own, which takes its place only when it is whole. */
async function buildInto(target, compile) {
  mkdirSync(BUILD, { recursive: true });
  const work = mkdtempSync(join(BUILD, 'work-'));
  try {
    const built = join(work, basename(target));
    await compile(work, built);
    mkdirSync(dirname(target), { recursive: true });
    renameSync(built, target);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return target;
}

/**
 * Object files of sources, each compiled unless it is kept from before; what no longer belongs to these sources is not
 * kept.
 *
 * @param {readonly (readonly [source: string, flags: readonly string[]])[]} files
 * @returns {Promise<string[]>} their paths
 */
async function objectsOf(compiler, files) {
  const version = spawnSync(compiler, ['--version'], { encoding: 'utf8' }).stdout;
  if (!version) throw new Error(`${compiler} not found`);
  const directory = join(BUILD, 'objects', hashOf([version]));
  if (!existsSync(directory)) rmSync(dirname(directory), { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const objects = files.map(([source, flags]) => {
    const hash = createHash('sha256').update(readFileSync(source)).update(flags.join(' ')).digest('hex');
    return join(directory, `${basename(source)}-${hash.slice(0, 16)}.o`);
  });
  const commands = files.flatMap(([source, flags], i) =>
    existsSync(objects[i]) ? [] : [[compiler, ...flags, '-c', source, '-o', `${objects[i]}.${process.pid}`]],
  );
  await runAll(commands);
  for (const object of objects) if (!existsSync(object)) renameSync(`${object}.${process.pid}`, object);
  return objects;
}

/** The inner loops of everything emulated. */
const FAST = ['-O2'];
const emulatorFiles = flags => filesOf(emulation, /\.cpp$/).map(path => [path, [...flags, ...FAST]]);

/**
 * The library of the emulation, built unless it is there.
 *
 * @param {keyof typeof FLAVOURS} flavour
 * @returns {Promise<string>} its path
 * @throws where there is no compiler, or it fails
 */
export async function buildEmulation(flavour) {
  const compiler = process.env.CXX ?? 'g++';
  const { kernels: checks, all } = FLAVOURS[flavour];
  const flags = [...HOST_FLAGS, ...EMULATION_FLAGS, ...WARNINGS, ...all];
  const target = join(BUILD, flavour, hashOf([flags, checks]), 'longcat_cuda_emulated.node');
  if (existsSync(target)) return target;
  rmSync(dirname(dirname(target)), { recursive: true, force: true });
  const include = headerDirectories().flatMap(path => ['-isystem', path]);
  const objects = await objectsOf(compiler, [
    [join(here, 'kernels.cu'), [...flags, ...FAST, ...checks, '-x', 'c++']],
    ...filesOf(here, /\.cpp$/).map(path => [path, [...flags, ...include]]),
    ...emulatorFiles(flags),
  ]);
  return buildInto(target, (_, built) =>
    runAll([[compiler, '-shared', ...all, ...objects, '-ldl', '-o', built]]),
  );
}

/**
 * A program of the emulator's own tests.
 *
 * @param {string} source a .cu file with a main function
 * @returns {Promise<string>} its path
 */
export async function buildEmulatorTest(source) {
  const compiler = process.env.CXX ?? 'g++';
  const flags = [...HOST_FLAGS, ...EMULATION_FLAGS, ...WARNINGS];
  const target = join(BUILD, 'emulator-test', hashOf([flags, readFileSync(source, 'utf8')]), 'test');
  if (existsSync(target)) return target;
  rmSync(dirname(dirname(target)), { recursive: true, force: true });
  const objects = await objectsOf(compiler, [
    [source, [...flags, '-fsanitize=thread', '-x', 'c++']],
    ...emulatorFiles(flags),
  ]);
  return buildInto(target, (_, built) => runAll([[compiler, '-rdynamic', ...objects, '-ldl', '-o', built]]));
}

const DEVICE_FLAGS = ['-O3', '-std=c++20', '-Xcompiler', '-fPIC,-fvisibility=hidden', '-DNAPI_VERSION=8'];

/** What nvcc is told about the machine code that is wanted. */
export function codeFlags(architectures = ARCHITECTURES) {
  return architectures.flatMap((architecture, i) => {
    const code = [`sm_${architecture}`];
    if (i === architectures.length - 1 && /^\d+$/.test(architecture)) code.push(`compute_${architecture}`);
    return ['-gencode', `arch=compute_${architecture},code=[${code.join(',')}]`];
  });
}

/**
 * The library of devices. It needs no driver to be loaded: without one it says that there is no device.
 *
 * @param {string} [nvcc]
 * @returns {Promise<string>} its path
 */
export async function buildDevice(nvcc = findNvcc() ?? undefined, target = DEVICE_LIBRARY) {
  if (!nvcc) throw new Error('nvcc not found');
  return buildInto(target, async (work, built) => {
    const include = headerDirectories().flatMap(path => ['-isystem', path]);
    const object = path => join(work, `${basename(path)}.o`);
    const flags = [...DEVICE_FLAGS, '-DNAPI_CPP_EXCEPTIONS'];
    const all = [join(here, 'kernels.cu'), ...filesOf(here, /\.cpp$/)];
    await runAll(
      all.map(path => [
        ...[nvcc, ...flags, ...include, ...(path.endsWith('.cu') ? codeFlags() : [])],
        ...['-c', path, '-o', object(path)],
      ]),
    );
    await runAll([
      [nvcc, '-shared', '-cudart', 'static', '-Xcompiler', '-fPIC', ...all.map(object), '-o', built],
    ]);
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { Command } = await import('commander');
  new Command('npm run build:cuda').description('Builds the CUDA kernels with nvcc; NVCC names one.').parse();
  const nvcc = findNvcc();
  if (nvcc === null) {
    console.warn('longcat-rt: no CUDA kernels (nvcc not found; NVCC names one); the cpu engine will serve.');
  } else {
    await buildDevice(nvcc);
    console.log(`longcat-rt: CUDA kernels built for sm_${ARCHITECTURES.join(', sm_')} and PTX.`);
  }
}
