/** Placeholder until it is made. */
export function disarmingHeaders(_name: string, _contentType: string): Record<string, string> {
  return { 'Content-Security-Policy': 'sandbox' };
}
