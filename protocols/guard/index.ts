/**
 * One guard for every door: a connection may be idle, live, leave unread and send only so much, and its faults are its
 * own.
 */
export { EventQueue } from './event-queue.ts';
export { shapeFault } from './frame-shape.ts';
export { deliverUtf8, guardedListener } from './listener.ts';
export { ODD_FRAMES, RateGuard } from './rate.ts';
export { SlowReaderGuard } from './slow-reader.ts';
export { guardedTimers, type Timers } from './timers.ts';
export { textOf } from './waiting-texts.ts';
export { ConnectionWatch, type WatchLimits } from './watch.ts';
export { WorkQuota } from './work-quota.ts';
