import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { inventoryOf, machineMemoryBytes } from '../../kernels/inventory/index.ts';
import type { CudaDescription } from '../../kernels/native/cuda/addon.ts';
import { openCudaDevice } from '../../kernels/native/cuda/device.ts';
import { nativeSupport } from '../../kernels/native/index.ts';
import { hasWebRtc } from '../../protocols/webrtc/index.ts';
import { loadConfig, unknownVariables } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import {
  componentFindings,
  cudaFinding,
  engineFinding,
  type Finding,
  hostFindings,
  modelFinding,
  programsFinding,
  weightsFinding,
  weightsPlace,
} from '../doctor/index.ts';
import { PLAYERS, RECORDERS } from '../live/recorders.ts';
import { addConfigOptions } from '../options.ts';
import { sglangAddresses } from '../place.ts';
import { RealClock } from '../../actors/core/index.ts';
import { sglangIllness } from '../../kernels/engine/sglang/index.ts';
import { modelPath } from '../model-directory.ts';
import { modelHash } from '../replay/model-hash.ts';
import { findProgram } from '../programs.ts';

const GIB = 2 ** 30;
const VECTOR_EXTENSIONS = ['avx2', 'fma', 'avx512f', 'avx512_vnni', 'avx512_bf16', 'asimd', 'bf16'];

/** `longcat-rt doctor`: what this machine has and what will be used. */
export function doctorCommand(command: Command): Command {
  command
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExamples:\n  longcat-rt doctor\n  longcat-rt doctor --model DIRECTORY');
  return addConfigOptions(command, ['model', 'engine', 'place', 'seed']).action(
    async (options: { json?: boolean; config?: string }) => {
      const findings = await examine(options);
      if (options.json) return console.log(JSON.stringify(findings, null, 2));
      const width = Math.max(...findings.map(({ what }) => what.length));
      for (const { what, found, meaning } of findings)
        console.log(`${what.padEnd(width)}  ${found}\n${' '.repeat(width)}  ${meaning}`);
    },
  );
}

async function examine(options: { config?: string }): Promise<Finding[]> {
  const { config, refused } = settings(options);
  const opened = openCudaDevice();
  const cuda = typeof opened === 'string' ? opened : opened.description;
  return [
    ...refused,
    node(),
    processor(),
    engineFinding(config.engine, nativeSupport(), cuda),
    cudaFinding(cuda),
    ...served(config, cuda),
    ...(await hostFindings(config.place, () => modelHash(modelPath(config.model)), new RealClock())),
    ...(await sglang(config)),
    memory(),
    await webSockets(),
    await webRtc(),
    modelFinding(config.model, config.seed),
    ...weights(config),
    program('ffmpeg', 'reads sound that is no WAV and video files in `talk`'),
    programsFinding(
      'microphone',
      RECORDERS,
      'records for `talk --microphone` and `call --microphone`',
      findProgram,
    ),
    programsFinding('loudspeaker', PLAYERS, 'plays the answers then', findProgram),
    chromium(),
  ];
}

/** What a server would start with; where it would not start, that is the first finding. */
function settings(options: { config?: string }): { config: Config; refused: Finding[] } {
  const refused: Finding[] = unknownVariables(process.env).map(name => ({
    what: 'environment',
    found: name,
    meaning: 'no such setting: it changes nothing (docs/configuration.md has the names)',
  }));
  try {
    return { config: loadConfig({ ...options }, process.env, options.config), refused };
  } catch (error) {
    const finding = { what: 'settings', found: 'refused', meaning: (error as Error).message };
    return { config: loadConfig({}, {}), refused: [finding, ...refused] };
  }
}

function node(): Finding {
  const supported = Number(process.versions.node.split('.')[0]) >= 20;
  return {
    what: 'Node.js',
    found: process.version,
    meaning: supported ? 'supported' : 'too old: install Node 20 or later',
  };
}

function processor(): Finding {
  const flags = existsSync('/proc/cpuinfo')
    ? (/^(?:flags|Features)\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? '').split(' ')
    : [];
  const vector =
    VECTOR_EXTENSIONS.filter(extension => flags.includes(extension)).join(' ') || 'unknown vector extensions';
  return {
    what: 'processor',
    found: `${cpus()[0]?.model ?? process.arch}, ${availableParallelism()} threads`,
    meaning: vector,
  };
}

function memory(): Finding {
  return {
    what: 'memory',
    found: `${(totalmem() / GIB).toFixed(1)} GiB`,
    meaning: 'what the model needs of it stands beside its weights',
  };
}

function served(config: Config, cuda: CudaDescription | string): Finding[] {
  const path = modelPath(config.model);
  const isModel = existsSync(join(path, 'config.json'));
  return isModel ? componentFindings(config, path, nativeSupport(), cuda) : [];
}

/** Every tensor of every component, from the headers alone. */
function weights({ model, weights: matrices, place }: Config): Finding[] {
  const path = modelPath(model);
  if (!existsSync(join(path, 'config.json'))) return [];
  return inventoryOf(path, matrices).map(inventory =>
    weightsFinding(inventory, machineMemoryBytes(), weightsPlace(inventory.component, place)),
  );
}

/** Whether the servers that are to make the replies are there. */
async function sglang({ place }: Config): Promise<Finding[]> {
  const timers = new RealClock();
  const finding = async (address: string) => {
    const ill = await sglangIllness(address, timers);
    return { what: 'SGLang', found: address, meaning: ill ?? 'healthy' };
  };
  return Promise.all(sglangAddresses(place).map(finding));
}

async function webSockets(): Promise<Finding> {
  try {
    await import('uWebSockets.js');
    return { what: 'WebSockets', found: 'uWebSockets.js', meaning: 'used' };
  } catch (error) {
    return {
      what: 'WebSockets',
      found: 'ws',
      meaning: `used, because uWebSockets.js does not load: ${(error as Error).message.split('\n')[0]}`,
    };
  }
}

async function webRtc(): Promise<Finding> {
  return hasWebRtc()
    ? { what: 'WebRTC', found: 'werift, libopus-wasm', meaning: '`serve` takes calls over it' }
    : {
        what: 'WebRTC',
        found: 'not installed',
        meaning: '`serve` takes no calls over it: npm install without --omit=optional',
      };
}

function program(name: string, use: string): Finding {
  try {
    const version = execFileSync(name, ['-version'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).split('\n')[0];
    return { what: name, found: version, meaning: use };
  } catch {
    return { what: name, found: 'not installed', meaning: `optional: ${use}` };
  }
}

function chromium(): Finding {
  const path = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
  return {
    what: 'Chromium',
    found: existsSync(path) ? path : 'not found',
    meaning: 'only the end-to-end tests of the page need it (CHROMIUM_PATH)',
  };
}
