/**
 * How many milliseconds this process computes while it does something: what others do on the machine
 * meanwhile does not count, as it would by the clock.
 */
export function cpuTimeOf(action: () => unknown): number {
  const before = process.cpuUsage();
  action();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
