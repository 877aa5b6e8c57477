export type { Bus, BusMessage, BusTimers } from './bus.ts';
export { ComponentHost, type HostedComponent } from './component-host.ts';
export { connectNats, withoutSecret } from './nats-bus.ts';
export { RemoteChannel, type RemoteChannelOptions } from './remote-channel.ts';
export { search } from './search.ts';
export type { Found, ModelIdentity } from './wire.ts';
