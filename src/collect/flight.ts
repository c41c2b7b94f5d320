/** How many files are on their way at once: a disk takes several better than one. */
const IN_FLIGHT = 16;

/** Works on all items, so many at once; the first fault stops the rest, and is thrown. */
export async function eachOf<T>(
  items: Iterable<T>,
  work: (item: T) => Promise<void>,
  inFlight = IN_FLIGHT,
): Promise<void> {
  const queue = items[Symbol.iterator]();
  let failed = false;
  const worker = async () => {
    for (let next = queue.next(); !next.done && !failed; next = queue.next()) {
      try {
        await work(next.value);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: inFlight }, worker));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}
