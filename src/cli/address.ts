import { UsageError } from './command.js';

/** Where a server listens. */
export interface Address {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

export const DEFAULT_PORT = 8000;

/** Whether an operand is meant as an address: `8001`, `0:8001`, `[::1]:8001`, `localhost:8001`. */
export function looksLikeAddress(operand: string): boolean {
  return /^\d+$|^[^/\\]*:[^/\\]*$/.test(operand);
}

/**
 * Reads Django's `addrport`: https://docs.djangoproject.com/en/stable/ref/django-admin/#runserver
 *
 * @throws {UsageError} for what is no address.
 */
export function parseAddress(operand: string | undefined, ipv6: boolean): Address {
  const host = ipv6 ? '::1' : '127.0.0.1';
  if (operand === undefined) return { host, port: DEFAULT_PORT };
  const [, brackets, plain, digits] =
    /^(?:\[([\da-f:.]+)\]:|([^:[\]/\\]*):)?(\d+)$/i.exec(operand) ?? [];
  const port = Number(digits);
  if (!(port <= 65_535)) {
    throw new UsageError(
      `'${operand}' is no port and no address:port, such as 8001 or 0.0.0.0:8001.`,
    );
  }
  if (brackets !== undefined) return { host: brackets, port };
  // Django's short form for every address of this machine.
  if (plain === '0') return { host: ipv6 ? '::' : '0.0.0.0', port };
  return { host: plain || host, port };
}

/** The URL of a server's root. */
export function urlOf({ host, port }: Address): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}/`;
}
