import { asteriskDoor, audioSocketDoor } from '../protocols/asterisk/index.ts';
import type { Door } from '../protocols/index.ts';
import { genesysDoor } from '../protocols/genesys/index.ts';
import { exotelDoor, telnyxDoor } from '../protocols/json-streams/index.ts';
import { listeningDoor } from '../protocols/listening-in/index.ts';
import { plivoDoor } from '../protocols/plivo/index.ts';
import type { DigitSettings } from '../protocols/telephone/index.ts';
import { twilioDoor } from '../protocols/twilio/index.ts';
import { vonageDoor } from '../protocols/vonage/index.ts';
import type { Config } from './config/schema.ts';
import { configuredSipDoor } from './sip/sip-door.ts';

/** The telephone doors that the configuration opens. */
export function phoneDoors(config: Config): Door[] {
  const digits: DigitSettings = {
    terminators: config.dtmfTerminators,
    timeoutMs: config.dtmfTimeoutMs,
    maxDigits: config.dtmfMaxDigits,
    secret: config.dtmfSecret === 'on',
  };
  const { publicUrl = null, twilioAuthToken: authToken = null, twilioAccountSid: accountSid = null } = config;
  const doors: Readonly<Record<Config['phone'][number], () => Door>> = {
    twilio: () => twilioDoor({ authToken, accountSid, publicUrl, digits }),
    telnyx: () => telnyxDoor(digits),
    exotel: () => exotelDoor(digits),
    plivo: () => plivoDoor({ authToken: config.plivoAuthToken ?? null, publicUrl, digits }),
    vonage: () => vonageDoor(digits),
    genesys: () => genesysDoor({ clientSecret: config.genesysClientSecret ?? null, publicUrl, digits }),
    asterisk: () => asteriskDoor(digits),
  };
  const { audioSocket, audioSocketPeers: peers } = config;
  const named = [...new Set(config.phone)].map(name => doors[name]());
  if (config.sip.length > 0) named.push(configuredSipDoor(config, digits));
  if (audioSocket !== undefined) {
    const at = audioSocket.lastIndexOf(':');
    const host = audioSocket.slice(0, at).replace(/^\[(.*)\]$/, '$1');
    named.push(audioSocketDoor({ host, port: Number(audioSocket.slice(at + 1)), peers, digits }));
  }
  return named.length === 0 ? [] : [...named, listeningDoor({ numbers: config.callNumbers })];
}
