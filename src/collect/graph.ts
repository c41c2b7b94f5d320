/**
 * The strongly connected groups of a graph, each after every group that it points to: Tarjan's
 * algorithm (SIAM Journal on Computing 1, 1972), without recursion, for chains may be long.
 *
 * @param targets for each node, the nodes that it points to
 * @returns groups of nodes; a group of several is a cycle, or several that hang together
 */
export function connectedGroups(targets: readonly (readonly number[])[]): number[][] {
  const groups: number[][] = [];
  const order = new Int32Array(targets.length); // when a node was met; 0: not yet
  const lowest = new Int32Array(targets.length); // the earliest open node that it leads to
  const open = new Uint8Array(targets.length); // whether it is in no group yet
  const next = new Int32Array(targets.length); // which of its targets comes next
  const waiting: number[] = []; // nodes in no group yet
  const trail: number[] = []; // the way to the node at hand
  let met = 0;

  const enter = (node: number) => {
    met++;
    order[node] = met;
    lowest[node] = met;
    open[node] = 1;
    waiting.push(node);
    trail.push(node);
  };
  const lower = (node: number, to: number) => {
    if (to < at(lowest, node)) lowest[node] = to;
  };
  const close = (node: number) => {
    const group: number[] = [];
    for (let member = -1; member !== node; ) {
      member = waiting.pop() as number;
      open[member] = 0;
      group.push(member);
    }
    groups.push(group.reverse());
  };

  for (let root = 0; root < targets.length; root++) {
    if (order[root] === 0) enter(root);
    while (trail.length > 0) {
      const node = trail.at(-1) as number;
      const target = targets[node]?.[at(next, node)];
      if (target !== undefined) {
        next[node] = at(next, node) + 1;
        if (order[target] === 0) enter(target);
        else if (open[target] === 1) lower(node, at(order, target));
        continue;
      }
      trail.pop();
      if (lowest[node] === order[node]) close(node);
      const above = trail.at(-1);
      if (above !== undefined) lower(above, at(lowest, node));
    }
  }
  return groups;
}

/** Typed arrays have no holes. */
function at(array: Int32Array, index: number): number {
  return array[index] as number;
}
