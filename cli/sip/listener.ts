/** `udp:127.0.0.1:5060`, as the schema lets it through. */
export function listenerOf(text: string): {
  readonly protocol: 'UDP' | 'TCP' | 'TLS';
  readonly host: string;
  readonly port: number;
} {
  const [, protocol, host, port] = /^(udp|tcp|tls):(.+):(\d+)$/i.exec(text)!;
  return {
    protocol: protocol.toUpperCase() as 'UDP' | 'TCP' | 'TLS',
    host: host.replace(/^\[(.*)\]$/, '$1'),
    port: Number(port),
  };
}
