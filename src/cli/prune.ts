import type { PruneReport } from '../collect/deploys.js';
import { milliseconds } from '../durations.js';
import { createStaticFiles } from '../static-files.js';
import { bytesText } from './amounts.js';
import { type Call, type Command, UsageError } from './command.js';
import { interruptible } from './interruption.js';

export const prune: Command = {
  name: 'prune',
  summary: 'Remove the files of earlier deploys that nobody needs any more.',
  operands: '',
  about: `collectstatic with hashedStorage() leaves the files of earlier deploys, for pages that are still
open. This removes every file in the storage that no deploy names which stays.`,
  options: {
    keep: {
      type: 'string',
      value: 'N',
      help: 'How many deploys stay, the present one included; 3, with --older-than 1.',
    },
    'older-than': {
      type: 'string',
      value: 'AGE',
      help: "Only drop deploys that were replaced so long ago: '30d', '12h', '90m'.",
    },
    'dry-run': {
      type: 'boolean',
      short: 'n',
      help: 'Tell what would be removed, and remove nothing.',
    },
  },
  examples: ['staticfiles prune --keep 3', 'staticfiles prune --older-than 30d --dry-run'],
  run,
};

async function run(call: Call): Promise<number> {
  if (call.operands.length > 0) throw new UsageError('prune takes options only.');
  const keep = call.value('keep');
  if (keep !== undefined && !/^[1-9]\d*$/.test(keep)) {
    throw new UsageError(`--keep is a whole number from 1, not '${keep}'.`);
  }
  const olderThan = call.value('older-than');
  if (olderThan !== undefined && milliseconds(olderThan) === undefined) {
    throw new UsageError(`--older-than is an age such as 30d, 12h or 90m, not '${olderThan}'.`);
  }
  const dryRun = call.has('dry-run');
  const files = createStaticFiles(await call.settings());
  const isTold = !call.json && call.verbosity >= (dryRun ? 1 : 2);
  let hasDeleted = false;
  const remove = () =>
    files.prune({
      keep: keep === undefined ? undefined : Number(keep),
      olderThan,
      dryRun,
      onDelete(name) {
        hasDeleted = !dryRun;
        if (isTold) call.io.out(`${dryRun ? 'Pretending to delete' : 'Deleting'} '${name}'\n`);
      },
    });
  const report = await interruptible(remove, call.io, () =>
    hasDeleted
      ? 'Interrupted. Some files are deleted, but none of a deploy that stays. Run it again to go on.'
      : 'Interrupted. Nothing was deleted.',
  );
  if (call.json) call.io.out(`${JSON.stringify(report)}\n`);
  else if (call.verbosity >= 1) call.io.out(`${summary(report)}\n`);
  return 0;
}

function summary({ kept, dropped, deleted, bytes, dryRun }: PruneReport): string {
  const count = (number: number, what: string) => `${number} ${what}${number === 1 ? '' : 's'}`;
  const done = dryRun ? 'would be deleted' : 'deleted';
  return `${count(deleted.length, 'file')} (${bytesText(bytes)}) ${done}; ${count(kept.length, 'deploy')} kept, ${dropped.length} dropped.`;
}
