import type { CollectEvent } from '../collect/run.js';

/** What an interrupted run of collecting was to do. */
export interface Task {
  readonly dryRun: boolean;
  readonly clear: boolean;
  /** Whether a manifest is published at the end. */
  readonly isHashed: boolean;
  /** Whether the files go to a storage that is no folder of this machine. */
  readonly isElsewhere: boolean;
}

/** Knows what stands when collecting is interrupted. */
export interface Standing {
  hear(event: CollectEvent): void;
  sentence(): string;
}

type Stage = 'collecting' | 'publishing' | 'published' | 'clearing';

const BEGUN_BY: Readonly<Partial<Record<CollectEvent['type'], Stage>>> = {
  publish: 'publishing',
  published: 'published',
  delete: 'clearing',
};

export function standing(task: Task): Standing {
  let stage: Stage = 'collecting';
  return {
    hear({ type }) {
      stage = BEGUN_BY[type] ?? stage;
    },
    sentence: () => sentenceOf(task, stage),
  };
}

function sentenceOf({ dryRun, clear, isHashed, isElsewhere }: Task, stage: Stage): string {
  if (dryRun) return 'Interrupted. Nothing has changed, for this was a dry run.';
  const again = 'Run it again to go on';
  if (stage === 'clearing') {
    const what = isHashed ? 'this deploy stands' : 'every file is in its place';
    return `Interrupted while clearing: ${what}, but not all is deleted that was to be. ${again}.`;
  }
  if (!isHashed) {
    return `Interrupted. Without a manifest, files take their places one by one: some may be new by now, the rest is not. ${again}.`;
  }
  // Of what is there under a plain name, not every store tells whether it is the same.
  const rest = isElsewhere ? '; what has arrived under a hashed name is not sent again' : '';
  switch (stage) {
    case 'collecting':
      return `Interrupted before the manifest was replaced: what was deployed before stands. ${again}${rest}.`;
    case 'publishing':
      return `Interrupted while the manifest was replaced: either this deploy stands by now, or what was deployed before. ${again}${rest}.`;
    case 'published':
      return `Interrupted after the manifest was replaced: this deploy stands.${clear ? ' Run it again to clear what is left over.' : ''}`;
  }
}
