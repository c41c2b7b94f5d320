import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * Passes a request on, or reports a fault; Connect's. To one that takes no argument only requests are
 * passed: faults are printed by `console.error`, and answered with 500.
 */
export type Next = (error?: unknown) => void;

/** A request listener of `node:http` that also is a middleware of Connect and Express. */
export type NodeHandler = (request: IncomingMessage, response: ServerResponse, next?: Next) => void;

/**
 * Whether it can be told of a fault: `() => app(request, response)` takes none, and the application
 * would answer as if nothing were wrong.
 */
export function takesFaults(next: Next | undefined): next is Next {
  return next !== undefined && next.length > 0;
}
