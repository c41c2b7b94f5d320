import { describe, expect, it } from 'vitest';
import { connectedGroups } from '../../src/collect/graph.js';
import { randomNumbers } from './random.js';

describe('connectedGroups()', () => {
  it.each<[string, number[][], number[][]]>([
    ['nothing', [], []],
    ['one node', [[]], [[0]]],
    ['one that points to itself', [[0]], [[0]]],
    ['a chain, the end first', [[1], [2], []], [[2], [1], [0]]],
    ['a chain the other way', [[], [0], [1]], [[0], [1], [2]]],
    ['a ring', [[1], [2], [0]], [[0, 1, 2]]],
    ['a ring and its tail', [[1], [2], [0, 3], []], [[3], [0, 1, 2]]],
    [
      'two rings with a bridge',
      [[1], [0, 2], [3], [2]],
      [
        [2, 3],
        [0, 1],
      ],
    ],
    ['two rings that share a node', [[1], [0, 2], [1]], [[0, 1, 2]]],
    ['a diamond', [[1, 2], [3], [3], []], [[3], [1], [2], [0]]],
    [
      'several ways and twice the same',
      [
        [1, 1],
        [0, 1],
      ],
      [[0, 1]],
    ],
    ['islands', [[], [2], [1]], [[0], [1, 2]]],
  ])('%s', (_, targets, groups) => {
    expect(connectedGroups(targets)).toEqual(groups);
  });

  it('agrees with reachability on random graphs, each group after those it points to', () => {
    const random = randomNumbers(7);
    for (let round = 0; round < 300; round++) {
      const size = 1 + random(9);
      const targets = Array.from({ length: size }, () =>
        Array.from({ length: random(4) }, () => random(size)),
      );
      const reaches = targets.map((_, node) => reachable(targets, node));
      const groups = connectedGroups(targets);
      expect(groups.flat().sort()).toEqual([...targets.keys()].sort());
      const done = new Set<number>();
      for (const group of groups) {
        for (const node of group) done.add(node);
        for (const node of group) {
          const mutual = [...targets.keys()].filter(
            (other) => other === node || (reaches[node]?.has(other) && reaches[other]?.has(node)),
          );
          expect(group.toSorted()).toEqual(mutual);
          for (const target of targets[node] ?? []) expect(done).toContain(target);
        }
      }
    }
  });

  it('takes long chains and long rings', () => {
    const length = 200_000;
    const chain = Array.from({ length }, (_, node) => (node + 1 < length ? [node + 1] : []));
    expect(connectedGroups(chain).length).toBe(length);
    chain[length - 1] = [0];
    expect(connectedGroups(chain).length).toBe(1);
  });
});

function reachable(targets: readonly (readonly number[])[], from: number): Set<number> {
  const seen = new Set<number>();
  const open = [...(targets[from] ?? [])];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    open.push(...(targets[node] ?? []));
  }
  return seen;
}
