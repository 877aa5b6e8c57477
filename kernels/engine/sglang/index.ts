export { sglangIllness } from './server-health.ts';
export { SglangChannel } from './sglang-channel.ts';
