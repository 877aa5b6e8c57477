/**
 * Tells a registrar where we are (RFC 3261 §10), again and again, so that a PBX can ring us as one of its telephones.
 */
import type { Timer } from '../../actors/core/clock.ts';
import { parseNameAddress, parseUri } from './address.ts';
import { authorization, chooseChallenge, type Credentials } from './digest.ts';
import { Headers } from './headers.ts';
import { request, type SipResponse } from './message.ts';
import type { Flow } from './transport.ts';
import type { UserAgent } from './user-agent.ts';

export interface RegistrationOptions {
  readonly agent: UserAgent;
  /** `sip:user@domain` */
  readonly address: string;
  readonly credentials: Credentials | null;
  readonly expiresS?: number;
}

const EXPIRES_S = 600;
const RETRY_MS = 30_000;
const LONGEST_S = 24 * 3600;

export class Registration {
  readonly #options: RegistrationOptions;
  readonly #callId: string;
  readonly #fromTag: string;
  #expiresS: number;
  #sequence = 0;
  #timer: Timer | null = null;
  #isClosed = false;
  isRegistered = false;

  constructor(options: RegistrationOptions) {
    this.#options = options;
    this.#expiresS = options.expiresS ?? EXPIRES_S;
    this.#callId = options.agent.newId(24);
    this.#fromTag = options.agent.newId();
    void this.#register(this.#expiresS);
  }

  /** Takes the registration back, as far as the registrar hears it. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer?.cancel();
    if (this.isRegistered) await this.#register(0);
  }

  async #register(expiresS: number): Promise<void> {
    const { agent, address } = this.#options;
    try {
      const uri = parseUri(address)!;
      const flow = await agent.flowTo(await agent.resolve(uri));
      let response = await this.#ask(flow, expiresS, null);
      if (response?.status === 423) {
        this.#expiresS = Math.min(LONGEST_S, Number(response.headers.get('min-expires')) || this.#expiresS);
        response = await this.#ask(flow, this.#expiresS, null);
      }
      if (response && (response.status === 401 || response.status === 407))
        response = await this.#ask(flow, expiresS, response);
      this.#told(response, expiresS);
    } catch (error) {
      agent.log.warn({ err: error, address }, 'The registrar could not be reached.');
      this.#told(null, expiresS);
    }
  }

  #ask(flow: Flow, expiresS: number, challenged: SipResponse | null): Promise<SipResponse | null> {
    const { agent, address } = this.#options;
    const { user, host } = parseUri(address)!;
    const registrar = `sip:${host.includes(':') ? `[${host}]` : host}`;
    return agent.hostFor(flow.remote).then(
      localHost =>
        new Promise(resolve => {
          const headers = new Headers([
            ['max-forwards', '70'],
            ['from', `<${address}>;tag=${this.#fromTag}`],
            ['to', `<${address}>`],
            ['call-id', this.#callId],
            ['cseq', `${++this.#sequence} REGISTER`],
            ['contact', agent.contact(flow.protocol, localHost, user || undefined)],
            ['expires', String(expiresS)],
            ...this.#credentials(challenged, registrar),
          ]);
          const handlers = {
            response: (response: SipResponse) => response.status >= 200 && resolve(response),
            timeout: () => resolve(null),
          };
          agent.send(request('REGISTER', registrar, headers), flow, handlers).catch(() => resolve(null));
        }),
    );
  }

  #credentials(challenged: SipResponse | null, uri: string): [string, string][] {
    const { agent, credentials } = this.#options;
    if (!challenged || !credentials) return [];
    const isProxy = challenged.status === 407;
    const challenge = chooseChallenge(
      challenged.headers.fields(isProxy ? 'proxy-authenticate' : 'www-authenticate'),
    );
    if (!challenge) return [];
    const field = authorization(challenge, credentials, { method: 'REGISTER', uri }, agent.newId());
    return [[isProxy ? 'proxy-authorization' : 'authorization', field]];
  }

  #told(response: SipResponse | null, expiresS: number): void {
    const { agent, address } = this.#options;
    if (this.#isClosed || expiresS === 0) return;
    const wasRegistered = this.isRegistered;
    this.isRegistered = response !== null && response.status < 300;
    if (this.isRegistered && !wasRegistered) agent.log.info({ address }, 'Registered.');
    if (!this.isRegistered)
      agent.log.warn({ address, status: response?.status ?? 'none' }, 'Not registered.');
    const waitMs = this.isRegistered ? 1000 * 0.8 * grantedS(response!, expiresS) : RETRY_MS;
    this.#timer = agent.clock.setTimer(Math.max(5000, waitMs), () => void this.#register(this.#expiresS));
  }
}

/** What the registrar made of it: on our contact, or for all. */
function grantedS({ headers }: SipResponse, askedS: number): number {
  const [contact] = headers.list('contact');
  const own = Number(contact && parseNameAddress(contact)?.params.get('expires'));
  const all = Number(headers.get('expires'));
  return Math.min(LONGEST_S, own || all || askedS);
}
