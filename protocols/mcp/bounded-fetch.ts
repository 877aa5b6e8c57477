/** The one way out that the MCP client gets: to one address, without redirects, so many bytes an answer. */

type Fetch = (url: string | URL, request?: RequestInit) => Promise<Response>;

/** @param onTooLong an answer was longer than `maxBytes`, and was cut */
export function boundedFetch(address: URL, maxBytes: number, onTooLong: () => void): Fetch {
  return async (url, request = {}) => {
    if (new URL(url).href !== address.href) throw new Error(`${String(url)} is not the server's address.`);
    // A stream for what the server has to say by itself: nothing of it is wanted, and it would stay open.
    if ((request.method ?? 'GET') === 'GET') return new Response(null, { status: 405 });
    const response = await fetch(address, { ...request, redirect: 'error' });
    const { body, headers, status, statusText } = response;
    if (!body) return response;
    return new Response(body.pipeThrough(counted(maxBytes, onTooLong)), { headers, status, statusText });
  };
}

function counted(maxBytes: number, onTooLong: () => void): TransformStream<Uint8Array, Uint8Array> {
  let bytes = 0;
  return new TransformStream({
    transform(part, controller) {
      bytes += part.length;
      if (bytes <= maxBytes) return controller.enqueue(part);
      controller.error(new Error(`The answer has more than ${maxBytes} bytes.`));
      onTooLong();
    },
  });
}
