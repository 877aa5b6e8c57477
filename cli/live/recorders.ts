/** Programs that record from a microphone or play to a loudspeaker, and how each is told to. */

interface RecordingProgram {
  readonly program: string;
  /** The package that brings it, with Debian and mostly elsewhere. */
  readonly from: string;
  /** Absent: all of them. */
  readonly system?: NodeJS.Platform;
  readonly options: (rate: number, device: string | undefined) => readonly string[] | null;
  /** Where the program takes its device from the environment. */
  readonly deviceVariable?: string;
}

const SOX_RAW = (rate: number) => [
  '-t',
  'raw',
  '-e',
  'signed-integer',
  '-b',
  '16',
  '-r',
  `${rate}`,
  '-c',
  '1',
  '-',
];

/** 16-bit little-endian mono at the rate, to standard output, in pieces as small as it can. In order of trust. */
export const RECORDERS: readonly RecordingProgram[] = [
  {
    program: 'arecord',
    from: 'alsa-utils',
    system: 'linux',
    options: (rate, device) => [
      ...['-q', '-t', 'raw', '-f', 'S16_LE', '-r', `${rate}`, '-c', '1'],
      ...['--buffer-time=200000', '--period-time=20000'],
      ...(device ? ['-D', device] : []),
    ],
  },
  {
    program: 'parec',
    from: 'pulseaudio-utils',
    system: 'linux',
    options: (rate, device) => [
      ...['--raw', '--format=s16le', `--rate=${rate}`, '--channels=1', '--latency-msec=20'],
      ...(device ? [`--device=${device}`] : []),
    ],
  },
  {
    program: 'rec',
    from: 'sox',
    options: rate => ['-q', '--buffer', '1024', ...SOX_RAW(rate)],
    deviceVariable: 'AUDIODEV',
  },
  {
    program: 'ffmpeg',
    from: 'ffmpeg',
    options: (rate, device) => {
      const source = ffmpegSource(device);
      const output = ['-ar', `${rate}`, '-ac', '1', '-f', 's16le', '-flush_packets', '1', 'pipe:1'];
      return (
        source && [
          '-nostdin',
          '-hide_banner',
          '-loglevel',
          'error',
          '-fflags',
          'nobuffer',
          ...source,
          ...output,
        ]
      );
    },
  },
];

/** From standard input. */
export const PLAYERS: readonly RecordingProgram[] = [
  {
    program: 'aplay',
    from: 'alsa-utils',
    system: 'linux',
    options: (rate, device) => [
      ...['-q', '-t', 'raw', '-f', 'S16_LE', '-r', `${rate}`, '-c', '1', '--buffer-time=120000'],
      ...(device ? ['-D', device] : []),
      '-',
    ],
  },
  {
    program: 'pacat',
    from: 'pulseaudio-utils',
    system: 'linux',
    options: (rate, device) => [
      ...['--playback', '--raw', '--format=s16le', `--rate=${rate}`, '--channels=1', '--latency-msec=60'],
      ...(device ? [`--device=${device}`] : []),
    ],
  },
  {
    program: 'play',
    from: 'sox',
    options: rate => ['-q', '--buffer', '1024', ...SOX_RAW(rate)],
    deviceVariable: 'AUDIODEV',
  },
  {
    program: 'ffplay',
    from: 'ffmpeg',
    options: rate => [
      ...['-nodisp', '-hide_banner', '-loglevel', 'error', '-fflags', 'nobuffer', '-probesize', '32'],
      ...['-f', 's16le', '-sample_rate', `${rate}`, '-ch_layout', 'mono', '-i', 'pipe:0'],
    ],
  },
];

function ffmpegSource(device: string | undefined): string[] | null {
  if (process.platform === 'linux') return ['-f', 'alsa', '-i', device ?? 'default'];
  if (process.platform === 'darwin') return ['-f', 'avfoundation', '-i', `:${device ?? 'default'}`];
  // Windows knows no default; its devices have names.
  return device && process.platform === 'win32' ? ['-f', 'dshow', '-i', `audio=${device}`] : null;
}

export interface Command {
  readonly program: string;
  readonly path: string;
  readonly options: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** Those of the candidates that this machine has. */
export function installed(
  candidates: readonly RecordingProgram[],
  rate: number,
  device: string | undefined,
  find: (program: string) => string | null,
): Command[] {
  return candidates.flatMap(({ program, system, options, deviceVariable }) => {
    const path = isHere(system) ? find(program) : null;
    const given = options(rate, device);
    if (!path || !given) return [];
    return [
      {
        program,
        path,
        options: given,
        environment: deviceVariable && device ? { [deviceVariable]: device } : {},
      },
    ];
  });
}

function isHere(system: NodeJS.Platform | undefined): boolean {
  return system === undefined || system === process.platform;
}

/** "arecord (alsa-utils), rec (sox), …" of this system. */
export function namesOf(candidates: readonly RecordingProgram[]): string {
  return candidates
    .filter(({ system }) => isHere(system))
    .map(({ program, from }) => (program === from ? program : `${program} (${from})`))
    .join(', ');
}
