/**
 * Every setting of the runtime, once: unit, default and meaning. The configuration file, the environment and the
 * command line flags are views of this schema, and docs/configuration.md is generated from it.
 */
import { z } from 'zod';
import { DEFAULT_MEMORY } from '../../actors/memory.ts';
// Not by the folder's face: `--help` needs no engine.
import { ENGINE_COMPONENTS } from '../../kernels/engine/lifecycle.ts';
import { placement } from './placement.ts';
import { count, milliseconds } from './ranges.ts';
import { telephoneSettings } from './telephone-settings.ts';

/** Whoever pastes the content of a key here must not find it in an error. */
const pemPath = () =>
  z
    .string()
    .refine(text => !/[\r\n]|-----BEGIN/.test(text), 'the path of a PEM file is wanted, not its content');

export const configSchema = z.strictObject({
  model: z
    .string()
    .default('models/nano')
    .describe(
      'Model directory (docs/spec/model.md §11). Where models/nano holds no weights, a seeded random checkpoint of the same shape is written once and used.',
    ),
  engine: z
    .enum(['auto', 'reference', 'cpu', 'cuda'])
    .default('auto')
    .describe(
      'What does the arithmetic, where `place` says nothing else. `auto` takes `cpu` where its addon loads, else `reference`. ' +
        '`cuda` has every component on a device (docs/cuda.md).',
    ),
  threads: count(64)
    .default(1)
    .describe(
      'Threads that one kernel of the `cpu` engine, and a decode step of more than eight sessions, may use; they serve all sessions. Components have a thread each besides. No result depends on it.',
    ),
  ranks: z.coerce
    .number()
    .int()
    .min(0)
    .max(64)
    .default(0)
    .describe(
      "Expert ranks: threads that hold a part of the language model's experts each and work beside its dense path; 0 = the experts stay in its own thread. No result depends on it.",
    ),
  weights: z
    .enum(['stored', 'int8'])
    .default('stored')
    .describe(
      "The language model's matrices: as the checkpoint has them, or brought to int8 with a scale per output when loaded, with products in int8: faster, less exact.",
    ),
  cache: z
    .enum(['auto', 'f32', 'bf16', 'int8'])
    .default('auto')
    .describe(
      "The language model's cache: `bf16` takes half of `f32`, `int8` (not on a GPU) a quarter, each less exact; `auto`: `bf16` where a context takes more than 64 MiB in `f32`.",
    ),
  host: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe('Address to listen on. Anything but loopback requires `keys`.'),
  port: z.coerce.number().int().min(0).max(65_535).default(8080).describe('TCP port; 0 takes a free one.'),
  keys: z
    .array(z.string().min(1))
    .max(100)
    .default([])
    .describe('API keys; none = no authentication, which is allowed on loopback only.'),
  allowedOrigins: z
    .array(z.string())
    .max(100)
    .default([])
    .describe('Browser origins allowed beside the page this server serves itself.'),
  tlsCert: pemPath()
    .optional()
    .describe(
      'PEM certificate file; with `tlsKey` the server speaks https and wss, which browsers want for the microphone anywhere but on localhost.',
    ),
  tlsKey: pemPath().optional().describe('PEM private key file.'),
  socketServer: z
    .enum(['auto', 'uws', 'ws'])
    .default('auto')
    .describe(
      '`auto`: uWebSockets.js where its binary loads, else ws. A client that sends too fast loses its connection with uWebSockets.js and is paused with ws.',
    ),
  webrtc: z
    .enum(['auto', 'on', 'off'])
    .default('auto')
    .describe(
      'Calls over WebRTC: OpenAI’s at /v1/realtime/calls, WHIP at /whip. Each has UDP sockets of its own; the page uses them ' +
        'where it can. `auto`: on where the optional libraries for it are installed.',
    ),
  webrtcHosts: z
    .array(z.union([z.ipv4(), z.ipv6()], { error: 'an IP address is wanted' }))
    .max(16)
    .default([])
    .describe(
      'Addresses that callers over WebRTC are told, which may be those outside a NAT; none: those of this machine’s interfaces, or 127.0.0.1 alone where `host` is loopback.',
    ),
  webrtcPorts: z
    .string()
    .regex(/^\d{1,5}-\d{1,5}$/, 'FIRST-LAST is wanted')
    .optional()
    .describe('UDP ports for WebRTC, FIRST-LAST: what a firewall lets through. Absent: any.'),
  responsesUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe(
      'OpenAI-compatible endpoint of the Responses API, up to and without /responses (https://HOST/v1): it does what GPT-Live sessions delegate to `responses`. Absent: such sessions are refused.',
    ),
  responsesKey: z
    .string()
    .min(1)
    .optional()
    .describe('API key for `responsesUrl`; better in the environment.'),
  responsesModel: z
    .string()
    .min(1)
    .optional()
    .describe('Model that `responsesUrl` is asked for, whatever the client names.'),
  iceServers: z
    .array(
      z.string().regex(/^(?:stun|turns?):.+/, 'stun:HOST:PORT or turn:USER:PASSWORD@HOST:PORT is wanted'),
    )
    .max(8)
    .default([])
    .describe(
      'STUN and TURN servers that this server itself uses: stun:HOST:PORT, turn:USER:PASSWORD@HOST:PORT, with ?transport=tcp where wanted.',
    ),
  iceRelayOnly: z
    .enum(['on', 'off'])
    .default('off')
    .describe('WebRTC through the TURN server alone: no address of this machine is told.'),
  ...telephoneSettings,
  place: placement().describe(
    'Where single components are, in a file also as a mapping: with other kernels than those of `engine` (`ganDecoder=reference`, ' +
      '`languageModel=cuda`), or on another host (`languageModel=nats://10.0.0.5:4222`, served there by `longcat-rt engine`: docs/elsewhere.md; ' +
      '`languageModel=sglang+http://10.0.0.5:30000`, the makers’ own server, as often as there are such servers: docs/real-model.md).',
  ),
  sglangVectors: z
    .enum(['bf16', 'f32'])
    .default('bf16')
    .describe(
      'How exactly vectors are written for an SGLang server: as the bfloat16 that it computes in, or as float32, three times the text.',
    ),
  nats: z
    .string()
    .regex(/^(nats|tls):\/\/\S+$/, 'nats://HOST:PORT is wanted')
    .default('nats://127.0.0.1:4222')
    .describe('The NATS server at which `longcat-rt engine` serves.'),
  components: z
    .array(z.enum(ENGINE_COMPONENTS))
    .min(1)
    .max(ENGINE_COMPONENTS.length)
    .default([...ENGINE_COMPONENTS])
    .describe('What `longcat-rt engine` serves; only their weights are loaded.'),
  metricsPort: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .optional()
    .describe(
      'TCP port on `host` where `longcat-rt engine` tells its metrics (`/metrics`, for Prometheus) and whether all that it serves ' +
        'is well (`/readyz`); 0 takes a free one. Absent: none.',
    ),
  stepDeadlineMs: z.coerce
    .number()
    .int()
    .min(50)
    .max(600_000)
    .default(250)
    .describe(
      'A step of a component that is not done after this, or after four times what steps of its size took lately where that is ' +
        'more, is given up: its thread is replaced and what it held is computed again.',
    ),
  standby: z
    .enum(['auto', 'on', 'off'])
    .default('auto')
    .describe(
      'While somebody calls, and five minutes more, a thread with every component loaded, which takes over at once where one ' +
        'fails; with nano it costs 16 MB. `auto`: with weights of at most 256 MiB. Not with `ranks`.',
    ),
  drainSeconds: z.coerce
    .number()
    .min(0)
    .max(86_400)
    .default(30)
    .describe(
      'After SIGTERM no new session is taken, and those that are open may go on for this long before they are closed with 1001.',
    ),
  logLevel: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('Least severe level that is logged.'),
  seed: z.coerce
    .number()
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .default(1)
    .describe('Seed of every random stream.'),
  maxSessions: count(10_000)
    .default(64)
    .describe('Sessions at once; one more is refused with `runtime.full`.'),
  maxBatch: count(1024).default(16).describe('Work items of one engine step.'),
  prefillTokenBudget: count(65_536)
    .default(256)
    .describe('Positions prefilled per language-model tick, after the decode steps.'),
  remindAfterShare: z.coerce
    .number()
    .min(0)
    .max(1)
    .default(DEFAULT_MEMORY.reminder?.afterShare ?? 1)
    .describe(
      'Turns that matter most (a name, a number that was told) are brought before the model again when more than this share of its ' +
        'context has come between, which prefills what followed them once more (docs/tools.md); 1 = never.',
    ),
  turnPreset: z
    .enum(['none', 'fast', 'balanced', 'patient', 'telephone'])
    .default('balanced')
    .describe(
      'Turn-taking policy; `balanced` becomes `telephone` where the line is heard to be one (no voice above 4 kHz, or ' +
        'packets that go on being lost). Its endpoint follows what the model makes of the meaning, and its values stand above ' +
        '`endpointSilenceMs`, `speculateSilenceMs` and `vadThreshold`. `none`: silence alone; so it is where one of ' +
        'those three is set and this is not.',
    ),
  endpointSilenceMs: milliseconds()
    .default(650)
    .describe('Silence that ends a turn: t4 − t2 (docs/spec/model.md §6.2).'),
  speculateSilenceMs: milliseconds()
    .default(200)
    .describe(
      'Silence after which decoding starts speculatively: t3 − t2; ≥ endpointSilenceMs switches speculation off.',
    ),
  vadThreshold: z.coerce
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe('Speech probability from which a 20 ms frame counts as speech.'),
  prefixPaddingMs: milliseconds()
    .default(300)
    .describe('Audio before the detected onset that still belongs to the turn.'),
  truncateAt: z
    .enum(['punctuation', 'word', 'sample'])
    .default('punctuation')
    .describe('Where an interrupted reply is cut in the context: at the last such point that was heard.'),
  maxReplySteps: count(65_536)
    .default(512)
    .describe('Language-model steps of one reply (60 ms of speech each); then the reply is incomplete.'),
  babbleGuard: z
    .enum(['on', 'off'])
    .default('on')
    .describe(
      'Ends a reply that has lost itself (repeats its words or sounds, never stops) at its last good punctuation, `incomplete` for `babble`.',
    ),
  tools: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Tools that the agent may call and the server runs: a module or an http(s) address (docs/tools.md). The model must know tools: its directory has a template.json.',
    ),
  mcpAllow: z
    .array(z.string().min(1))
    .max(100)
    .default([])
    .describe(
      'Addresses (`https://host/path`, each with all below it) of MCP servers that clients of the Realtime protocol may have this server reach; none = it reaches none (docs/tools.md).',
    ),
  maxTokensPerPicture: count(65_536)
    .default(128)
    .describe('Upper bound of LLM positions one picture may take (docs/spec/model.md §2.8).'),
  record: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Records what comes from outside, the callers’ voices and pictures included, for `longcat-rt replay`: `serve` into this directory, `talk` into this file. Off unless given.',
    ),
  recordFileMb: count(65_536)
    .default(1024)
    .describe('Size of one recording; what follows in the same conversations is not recorded.'),
  recordTotalMb: count(16_777_216)
    .default(10_240)
    .describe('Size of all recordings in the directory; beyond it no new one begins.'),
  traceFile: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Writes what every turn took and why into this new file, in the format that ui.perfetto.dev and chrome://tracing open; times and numbers, no words.',
    ),
  traceFileMb: count(65_536).default(256).describe('Size of the trace file; later turns are left out.'),
  otlpUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe(
      'Sends the same as OpenTelemetry spans to this collector, by OTLP over HTTP with JSON: usually http://HOST:4318/v1/traces.',
    ),
});

/** Settings that are lists: separated by commas in a flag and in the environment. */
export const LISTS: ReadonlySet<string> = new Set([
  ...['keys', 'allowedOrigins', 'mcpAllow', 'webrtcHosts', 'iceServers', 'phone', 'audioSocketPeers'],
  ...['sip', 'sipPeers', 'sipUsers', 'sipCodecs', 'transferTargets'],
  ...['place', 'components'],
]);

export type Config = z.infer<typeof configSchema>;
