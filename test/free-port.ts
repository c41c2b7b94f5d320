import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * A port that is free at this moment, and that nobody else gets who asks for any, or connects: systems
 * give them those from 32768 on.
 */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (;;) {
    const port = randomInt(15_000, 32_000);
    const server = createServer().listen(port, host);
    try {
      await once(server, 'listening');
    } catch {
      continue; // it is somebody's
    }
    server.close();
    await once(server, 'close');
    return port;
  }
}
