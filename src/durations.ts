/** In milliseconds. */
const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/**
 * The milliseconds of a duration as options have it: a number of seconds, or a text such as `'30s'`,
 * `'1.5h'` or `'200ms'`. `undefined` for anything else; the caller says what it takes.
 */
export function milliseconds(duration: unknown): number | undefined {
  if (typeof duration === 'number') return duration >= 0 ? duration * 1000 : undefined;
  if (typeof duration !== 'string') return undefined;
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)\s*(ms|[smhdw])$/.exec(duration) ?? [];
  const length = UNITS[unit];
  return length === undefined ? undefined : Number(amount) * length;
}

/** How long that is, for people. */
export function durationText(ms: number): string {
  if (ms >= 7_200_000) return `${Math.round(ms / 3_600_000)} h`;
  if (ms >= 120_000) return `${Math.round(ms / 60_000)} min`;
  return `${Number((ms / 1000).toFixed(ms < 1000 ? 3 : 1))} s`;
}
