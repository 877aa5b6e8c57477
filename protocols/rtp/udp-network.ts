/** The machine's UDP. */
import { loadAddon } from '../../kernels/native/addon.ts';
import { NativeNetwork } from './native-network.ts';
import type { DatagramNetwork } from './network.ts';
import { nodeNetwork } from './node-network.ts';

let chosen: DatagramNetwork | null = null;

/** By the addon where it has sockets (Linux), else by Node; known when the first port is wanted. */
export const udpNetwork: DatagramNetwork = {
  bind: (local, onDatagram) => (chosen ??= choose()).bind(local, onDatagram),
};

function choose(): DatagramNetwork {
  const addon = loadAddon();
  return typeof addon !== 'string' && addon.datagrams ? new NativeNetwork(addon.datagrams) : nodeNetwork;
}
