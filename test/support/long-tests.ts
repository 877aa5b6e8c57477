/**
 * Tests that wait for a browser's own timers (ICE) and now and then need a minute or a second try: not in
 * `npm test`, which must end. LONGCAT_RT_LONG_TESTS=1 runs them.
 */
export const runsLongTests = process.env.LONGCAT_RT_LONG_TESTS === '1';
