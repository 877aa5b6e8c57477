/** Settings of the telephone doors (docs/telephony.md). */
import { z } from 'zod';
import { count, milliseconds } from './ranges.ts';

export const telephoneSettings = {
  phone: z
    .array(z.enum(['twilio', 'telnyx', 'exotel', 'plivo', 'vonage', 'genesys', 'asterisk']))
    .max(16)
    .default([])
    .describe(
      'Telephone doors that are open (docs/telephony.md): `twilio` at /twilio and /twilio/voice, `telnyx` at /telnyx, `exotel` at /exotel, ' +
        '`plivo` at /plivo and /plivo/answer, `vonage` at /vonage, `genesys` (AudioHook) at /genesys, `asterisk` (chan_websocket) at /asterisk.',
    ),
  publicUrl: z
    .url({ protocol: /^https?$/, error: 'an address like https://voice.example.com is wanted' })
    .optional()
    .describe(
      'How carriers reach this server, where a proxy hides it: their signatures are of this address.',
    ),
  twilioAuthToken: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Twilio's auth token: only what is signed with it comes in by the door `twilio`. Without it that door asks for `keys`, which Twilio cannot present.",
    ),
  twilioAccountSid: z.string().min(1).optional().describe('Calls of another Twilio account are refused.'),
  plivoAuthToken: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Plivo's auth token: only what is signed with it comes in by the door `plivo`. Without it that door asks for `keys`, in the address.",
    ),
  genesysClientSecret: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Of the AudioHook integration, base64; with it only what Genesys signed is answered. Better in the environment.',
    ),
  audioSocket: z
    .string()
    .regex(/^.+:\d{1,5}$/, 'HOST:PORT is wanted')
    .optional()
    .describe('HOST:PORT on which Asterisk’s AudioSocket is answered; it has no keys. Off unless given.'),
  audioSocketPeers: z
    .array(z.string())
    .max(100)
    .default([])
    .describe(
      'Addresses that may connect to `audioSocket` beside this machine’s own; beyond loopback at least one.',
    ),
  sip: z
    .array(z.string().regex(/^(?:udp|tcp|tls):.+:\d{1,5}$/i, 'udp:HOST:PORT is wanted, or tcp: or tls:'))
    .max(8)
    .default([])
    .describe(
      'Where SIP is spoken (docs/telephony.md): `udp:HOST:PORT`, `tcp:…`, `tls:…` (with `tlsCert` and `tlsKey`). Off unless given. ' +
        'Beyond loopback it must be said who may call: `sipPeers`, `sipUsers`.',
    ),
  sipPeers: z
    .array(z.string())
    .max(1000)
    .default([])
    .describe(
      'Addresses and networks (192.0.2.0/24) that may call without a password; this machine always may.',
    ),
  sipUsers: z
    .array(z.string().regex(/^[^:\s]+:.+$/, 'USER:PASSWORD is wanted'))
    .max(1000)
    .default([])
    .describe('USER:PASSWORD of who may call from elsewhere, asked for by digest.'),
  sipPublicHost: z
    .string()
    .min(1)
    .optional()
    .describe('The address under which telephones reach this machine, where a NAT hides it.'),
  sipCodecs: z
    .array(z.enum(['opus', 'g722', 'pcmu', 'pcma']))
    .min(1)
    .max(4)
    .default(['opus', 'g722', 'pcmu', 'pcma'])
    .describe(
      'In order of choice. Opus and G.722 give the model 16 kHz, G.711 8 kHz; Opus where libopus-wasm is installed.',
    ),
  sipMaxCalls: count(10_000).default(64).describe('SIP calls at once; one more is refused with 503.'),
  sipCallsPerSecond: count(1000).default(10).describe('New SIP calls a second; more are refused with 503.'),
  sipRegister: z
    .string()
    .regex(/^sips?:[^@\s]+@\S+$/i, 'sip:USER@HOST is wanted')
    .optional()
    .describe('Registers as this telephone of a PBX, so that it rings here.'),
  transferTargets: z
    .array(z.string().regex(/^[\w -]{1,40}=sips?:[^@\s]+@\S+$/i, 'NAME=sip:USER@HOST is wanted'))
    .max(50)
    .default([])
    .describe(
      'NAME=sip:USER@HOST: to whom the agent itself may transfer a caller, by a tool `transfer_call`; needs `sip`.',
    ),
  sipPassword: z.string().min(1).optional().describe('Of `sipRegister`.'),
  rtpPorts: z
    .string()
    .regex(/^\d{1,5}-\d{1,5}$/, 'FIRST-LAST is wanted')
    .refine(text => {
      const [first, last] = text.split('-').map(Number);
      return first >= 1 && last <= 65_535 && last - first >= 3;
    }, 'at least four ports, none above 65535')
    .default('10000-19999')
    .describe('UDP ports for the sound of SIP calls, two a call.'),
  dtmfTerminators: z
    .string()
    .regex(/^[0-9*#A-D]*$/, 'keys of a telephone are 0–9, *, # and A–D')
    .default('#')
    .describe('Keys of the telephone that end an entry and are no part of it; empty: none does.'),
  dtmfTimeoutMs: milliseconds().default(2000).describe('After the last key, an entry is complete.'),
  dtmfMaxDigits: count(256).default(32).describe('An entry of so many keys is complete.'),
  dtmfSecret: z
    .enum(['on', 'off'])
    .default('on')
    .describe('What is typed is not shown in the log. Recordings (`record`) hold it all the same.'),
  callNumbers: z
    .enum(['masked', 'shown'])
    .default('masked')
    .describe(
      'Numbers of telephone calls on the page and in `GET /calls`: `masked` leaves the last two digits.',
    ),
  callWebhookUrl: z
    .url({ protocol: /^https?$/, error: 'an address like https://crm.example.com/calls is wanted' })
    .optional()
    .describe(
      'Told by POST what happens in telephone calls (docs/telephony.md): begun, digits, moved, ended.',
    ),
  callWebhookSecret: z
    .string()
    .min(1)
    .optional()
    .describe('Signs what goes to `callWebhookUrl`, as Standard Webhooks has it.'),
};
