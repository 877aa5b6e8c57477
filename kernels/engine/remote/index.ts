export type { Bus, BusMessage, BusTimers } from './bus.ts';
export { ComponentHost, type HostedComponent } from './component-host.ts';
export { connectNats, withoutSecret } from './nats-bus.ts';
export { RemoteChannel, type RemoteChannelOptions } from './remote-channel.ts';
export type { ModelIdentity } from './wire.ts';
