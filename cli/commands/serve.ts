import type { Command } from 'commander';
import { unixTimeMs } from '../../actors/core/index.ts';
import type { Logger } from '../../actors/core/logger.ts';
import { PACKAGE_ROOT } from '../../kernels/package-root.ts';
import { startServer } from '../../protocols/index.ts';
import { callWebhook } from '../call-webhook.ts';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { giveHeapRoom, settleHeap } from '../heap-room.ts';
import { openHouse, openServingEngine } from '../house.ts';
import { addConfigOptions } from '../options.ts';
import { describePlace, servingOf } from '../place.ts';
import { phoneDoors } from '../phone-doors.ts';
import { directory } from '../replay/recording-files.ts';
import { StopSignals } from '../stop-signals.ts';
import { webRtcOptions } from '../webrtc-options.ts';

const WEB_ROOT = `${PACKAGE_ROOT}web/`;

/** What a server is told, in the order of `--help`. */
const SETTINGS = [
  'model',
  'engine',
  'threads',
  'ranks',
  'weights',
  'cache',
  'host',
  'port',
  'keys',
  'allowedOrigins',
  'tlsCert',
  'tlsKey',
  'socketServer',
  'webrtc',
  'webrtcHosts',
  'webrtcPorts',
  'iceServers',
  'iceRelayOnly',
  'responsesUrl',
  'responsesKey',
  'responsesModel',
  'phone',
  'publicUrl',
  'twilioAuthToken',
  'twilioAccountSid',
  'plivoAuthToken',
  'genesysClientSecret',
  'audioSocket',
  'audioSocketPeers',
  'sip',
  'sipPeers',
  'sipUsers',
  'sipPublicHost',
  'sipCodecs',
  'sipMaxCalls',
  'sipCallsPerSecond',
  'sipRegister',
  'sipPassword',
  'transferTargets',
  'rtpPorts',
  'dtmfTerminators',
  'dtmfTimeoutMs',
  'dtmfMaxDigits',
  'dtmfSecret',
  'callNumbers',
  'callWebhookUrl',
  'callWebhookSecret',
  'place',
  'sglangVectors',
  'stepDeadlineMs',
  'standby',
  'drainSeconds',
  'logLevel',
  'seed',
  'maxSessions',
  'maxBatch',
  'prefillTokenBudget',
  'remindAfterShare',
  'record',
  'recordFileMb',
  'recordTotalMb',
  'traceFile',
  'traceFileMb',
  'otlpUrl',
  'turnPreset',
  'endpointSilenceMs',
  'speculateSilenceMs',
  'vadThreshold',
  'prefixPaddingMs',
  'truncateAt',
  'maxReplySteps',
  'babbleGuard',
  'tools',
  'mcpAllow',
  'maxTokensPerPicture',
] as const;

/** `longcat-rt serve`: the page, the Realtime protocol and the health check, until interrupted. */
export function serveCommand(command: Command): Command {
  command.addHelpText('after', '\nExample:\n  longcat-rt serve --port 9000');
  return addConfigOptions(command, SETTINGS).action(serve);
}

function recordingsOf({ record, recordFileMb, recordTotalMb }: Config) {
  if (!record) return undefined;
  const limits = { fileMb: recordFileMb, totalMb: recordTotalMb };
  return (log: Logger) => directory(record, limits, unixTimeMs, log);
}

const responsesOf = ({ responsesKey, responsesModel }: Config, url: string) => ({
  ...{ url, key: responsesKey, model: responsesModel },
});

async function serve(options: Record<string, unknown>): Promise<void> {
  const config = loadConfig(options, process.env, options.config as string | undefined);
  giveHeapRoom();
  const signals = new StopSignals();
  const house = await openHouse(config, 'real', recordingsOf(config), openServingEngine);
  const { model, kind } = house.engine;
  const { name: modelName, maxPicturePixels } = model;
  const serving = servingOf(kind, config.place);
  const names = { modelName, maxPicturePixels, engineKind: kind, serving, unixTimeMs };
  const webRtc = await webRtcOptions(config);
  const callEvents = callWebhook(config, house.clock, house.log);
  const server = await startServer({
    ...house,
    ...config,
    ...names,
    webRoot: WEB_ROOT,
    ...(webRtc && { webRtc }),
    ...(config.responsesUrl !== undefined && { responses: responsesOf(config, config.responsesUrl) }),
    doors: phoneDoors(config),
    callEvents,
  }).catch(async error => {
    await house.close(); // Its threads would keep the process alive.
    throw error;
  });
  settleHeap();
  const places = ['', ...config.place.map(entry => describePlace(entry))].join(', ');
  console.log(`Talk at ${server.url}  (model ${model.name}, ${kind} engine${places}; Ctrl-C stops)`);
  if (house.seeded)
    console.log(
      'The weights are random: it listens, sees and speaks, but what it says means nothing until models/nano is trained.',
    );
  if (config.tools && !model.toolTemplate)
    console.log(`The model ${model.name} was taught no tools (no template.json): it never calls them.`);
  if (config.record)
    console.log(`Conversations are recorded in ${config.record}, voices and pictures included.`);
  signals.watch({
    clock: house.clock,
    drain: () => server.drain(config.drainSeconds * 1000),
    close: async () => {
      await server.close();
      await callEvents?.close();
      await house.close();
    },
  });
}
