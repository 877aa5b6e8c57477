/**
 * The runtime's session behind one of the protocol: its settings, what was said before, and the tool that hands over.
 */
import type { Session, Speaker, Tool } from '../../actors/session-api.ts';
import type { LiveContext } from './call-options.ts';
import { historyItem, type LiveConfig, toSettings } from './session-config.ts';

export interface OpenSessionOptions {
  readonly id: string;
  readonly context: Pick<LiveContext, 'runtime' | 'sessionDefaults'>;
  readonly config: LiveConfig;
  readonly speaker: Speaker;
  readonly tool: Tool;
}

/** Throws what the runtime refuses, and leaves nothing behind. */
export function openSession({ config, context, id, speaker, tool }: OpenSessionOptions): Session {
  const { runtime, sessionDefaults } = context;
  const session = runtime.openSession(toSettings(config, sessionDefaults), {
    ...{ id, speaker },
    tools: runtime.callsTools ? [tool] : [],
  });
  try {
    for (const item of config.input) session.send({ type: 'item.add', item: historyItem(item) });
    acknowledgeAfter(session, config);
    return session;
  } catch (error) {
    session.close('could not be set up');
    throw error;
  }
}

/** "One moment" is what the model says before it hands over; how long it waits for the answer first. */
export function acknowledgeAfter(session: Session, { delegation }: LiveConfig): void {
  const { toolPolicy } = session.settings;
  const fillerAfterMs = delegation.acknowledgement_delay_ms;
  session.send({ type: 'settings.update', settings: { toolPolicy: { ...toolPolicy, fillerAfterMs } } });
}
