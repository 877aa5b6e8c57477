import { describe, expect, it } from 'vitest';
import { loadAddon } from '../../kernels/native/addon.ts';
import { NativeNetwork } from '../../protocols/rtp/native-network.ts';
import type { DatagramNetwork, HostPort } from '../../protocols/rtp/network.ts';
import { nodeNetwork } from '../../protocols/rtp/node-network.ts';
import { codeOfRejection } from '../support/code-of.ts';

const addon = loadAddon();
const networks: [string, DatagramNetwork][] = [['by Node', nodeNetwork]];
if (typeof addon !== 'string' && addon.datagrams)
  networks.push(['native', new NativeNetwork(addon.datagrams)]);

/** A socket, what comes to it, and the way to wait for so many. */
async function listen(network: DatagramNetwork, host = '127.0.0.1', port = 0) {
  const heard: { readonly bytes: Buffer; readonly from: HostPort }[] = [];
  let told = () => {};
  const socket = await network.bind({ host, port }, (bytes, from) => {
    heard.push({ bytes, from });
    told();
  });
  const came = async (count: number) => {
    while (heard.length < count) await new Promise<void>(resolve => (told = resolve));
    return heard;
  };
  return { socket, heard, came };
}

describe.each(networks)('sockets %s', (_name, network) => {
  it('bring what was sent, from whom, as often as it is sent, and each keeps its own', async () => {
    const [a, b, c] = [await listen(network), await listen(network), await listen(network)];
    const largest = Buffer.alloc(60_000, 3);
    b.socket.send(largest, a.socket.local);
    for (let n = 0; n < 100; n++) (n % 2 ? b : c).socket.send(Buffer.from([n]), a.socket.local);
    const heard = await a.came(101);
    expect(heard[0]).toEqual({ bytes: largest, from: b.socket.local });
    expect(heard.slice(1).map(({ bytes }) => bytes[0])).toEqual(Array.from({ length: 100 }, (_, n) => n));
    const senders = heard.slice(1).map(({ from }) => from.port);
    expect(senders).toEqual(Array.from({ length: 100 }, (_, n) => (n % 2 ? b : c).socket.local.port));
    // Back to each of them: an address that was used last is no other's.
    for (const { from } of [heard[1], heard[2], heard[3]]) a.socket.send(Buffer.from('back'), from);
    expect((await b.came(1)).length).toBe(1);
    expect((await c.came(2)).length).toBe(2);
    for (const { socket } of [a, b, c]) socket.close();
  });

  it('say why a port cannot be had', async () => {
    const { socket } = await listen(network);
    const again = listen(network, '127.0.0.1', socket.local.port);
    expect(await codeOfRejection(again)).toBe('net.bind');
    await expect(again).rejects.toMatchObject({ values: { cause: 'EADDRINUSE' } });
    await expect(listen(network, '192.0.2.1')).rejects.toMatchObject({ values: { cause: 'EADDRNOTAVAIL' } });
    await expect(listen(network, 'no address')).rejects.toMatchObject({ code: 'net.bind' });
    socket.close();
  });

  it('hear and say nothing once they are closed, and give their port back', async () => {
    const [a, b] = [await listen(network), await listen(network)];
    const at = b.socket.local;
    b.socket.close();
    b.socket.close();
    b.socket.send(Buffer.from('late'), a.socket.local);
    a.socket.send(Buffer.from('to nobody'), { host: '127.0.0.1', port: 0 });
    a.socket.send(Buffer.from('nowhere'), { host: 'not numeric', port: 9 });
    const anew = await listen(network, at.host, at.port);
    a.socket.send(Buffer.from('hello'), at);
    expect(String((await anew.came(1))[0].bytes)).toBe('hello');
    expect([a.heard, b.heard]).toEqual([[], []]);
    a.socket.close();
    anew.socket.close();
  });
});
