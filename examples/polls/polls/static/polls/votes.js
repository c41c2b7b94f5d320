/** The sum of all votes. */
export function totalOf(votes) {
  return votes.reduce((sum, count) => sum + count, 0);
}

/** What part of all votes each of them is, from 0 to 1. */
export function sharesOf(votes) {
  const total = totalOf(votes);
  return votes.map((count) => (total === 0 ? 0 : count / total));
}
