import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import type { Command } from 'commander';
import { nativeSupport } from '../../kernels/native/index.ts';
import { loadConfig } from '../config/load.ts';

const GIB = 2 ** 30;
const VECTOR_EXTENSIONS = ['avx2', 'fma', 'avx512f', 'avx512_vnni', 'avx512_bf16', 'asimd', 'bf16'];

interface Finding {
  readonly what: string;
  readonly found: string;
  /** What the runtime makes of it; a sentence with a remedy where something is missing. */
  readonly meaning: string;
}

/** `longcat-rt doctor`: what this machine has and what will be used. */
export function doctorCommand(command: Command): Command {
  return command
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  longcat-rt doctor')
    .action(async ({ json }: { json?: boolean }) => {
      const findings = await examine();
      if (json) return console.log(JSON.stringify(findings, null, 2));
      const width = Math.max(...findings.map(({ what }) => what.length));
      for (const { what, found, meaning } of findings)
        console.log(`${what.padEnd(width)}  ${found}\n${' '.repeat(width)}  ${meaning}`);
    });
}

async function examine(): Promise<Finding[]> {
  return [
    node(),
    processor(),
    engine(),
    memory(),
    await webSockets(),
    model(),
    program('ffmpeg', 'reads video files in `talk --video`'),
    chromium(),
  ];
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

function engine(): Finding {
  const { level, reason } = nativeSupport();
  if (level)
    return { what: 'engine', found: 'cpu', meaning: `used, SIMD level ${level} (LONGCAT_RT_ISA overrides)` };
  return {
    what: 'engine',
    found: 'reference',
    meaning: `used and slow, because the native addon does not load: ${reason}`,
  };
}

function memory(): Finding {
  return {
    what: 'memory',
    found: `${(totalmem() / GIB).toFixed(1)} GiB`,
    meaning: 'nano needs less than 1 GiB',
  };
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

function model(): Finding {
  const { model } = loadConfig({}, process.env);
  const trained = existsSync(`${model}/config.json`);
  const meaning = trained
    ? 'used'
    : 'no weights there: a seeded random checkpoint of the same shape is used; it speaks, but says nothing meaningful';
  return { what: 'model', found: model, meaning };
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
