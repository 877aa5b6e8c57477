import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../actors/core/index.ts';
import { APPROVAL_TIMEOUT_MS, approvalId, McpApprovals } from '../../protocols/realtime/mcp-approvals.ts';
import { wireRig } from '../support/wire-rig.ts';

const CALL = { callId: 'call_1', label: 'house', name: 'set', argumentsJson: '{"x":5}' };
const never = new AbortController().signal;

/** A session that keeps what it is asked about. */
function asked(signal = never) {
  const clock = new VirtualClock();
  const session = wireRig().runtime.openSession();
  const approved: string[] = [];
  const approvals = new McpApprovals(session, clock, callId => approved.push(callId));
  const outcome = approvals.ask(CALL, signal).then(
    () => 'made',
    (error: Error) => error.message,
  );
  return { approvals, approved, clock, outcome, session };
}

describe('a call that a person is asked about', () => {
  it('is not made where nobody ever answers', async () => {
    const { approvals, approved, clock, outcome } = asked();
    await clock.runFor(APPROVAL_TIMEOUT_MS + 1);
    expect(await outcome).toContain('Nobody approved');
    approvals.answer(approvalId(CALL.callId), true, undefined);
    expect(approved).toEqual([]);
  });

  it('is made once it is approved, and is an item until then', async () => {
    const { approvals, approved, clock, outcome, session } = asked();
    await clock.runFor(10);
    expect(session.items).toMatchObject([
      { id: approvalId(CALL.callId), content: [{ kind: 'mcp_approval_request', fields: { name: 'set' } }] },
    ]);
    approvals.answer('another', true, undefined);
    expect(approved).toEqual([]);
    approvals.answer(approvalId(CALL.callId), true, undefined);
    expect(await outcome).toBe('made');
    expect(approved).toEqual([CALL.callId]);
  });

  it.each([
    ['an answer that is none', 'yes'],
    ['no', false],
  ])('is not made for %s', async (_what, approve) => {
    const { approvals, clock, outcome } = asked();
    await clock.runFor(10);
    approvals.answer(approvalId(CALL.callId), approve, null);
    expect(await outcome).toContain('was not approved. It was not made.');
  });

  it('is given up with the session, and with whoever wanted it', async () => {
    const first = asked();
    await first.clock.runFor(10);
    first.approvals.close();
    expect(await first.outcome).toContain('the session is over');
    const wanted = new AbortController();
    const second = asked(wanted.signal);
    await second.clock.runFor(10);
    wanted.abort();
    expect(await second.outcome).toContain('given up');
  });
});
