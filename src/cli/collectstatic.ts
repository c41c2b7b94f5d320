import type { CollectEvent, CollectReport } from '../collect/run.js';
import { CollectError } from '../errors.js';
import { createStaticFiles, type StaticFiles } from '../static-files.js';
import { bytesText, timeText } from './amounts.js';
import { type Call, type Command, UsageError } from './command.js';
import { interruptible } from './interruption.js';
import type { ProgressDisplay } from './progress.js';
import { standing, type Task } from './standing.js';

export const collectstatic: Command = {
  name: 'collectstatic',
  summary: 'Gather all static files into the storage, ready to be served.',
  operands: '',
  about: `Copies the files of all finders into the storage, by default into the folder staticRoot. Where two
files have one name, the first wins, and the other is reported. With hashedStorage(), references in
style sheets and scripts are rewritten, and the manifest is published last. What is there already
and has not changed, is left alone.`,
  options: {
    'no-input': { type: 'boolean', help: 'Ask nothing, also at a terminal. Also --noinput.' },
    noinput: { type: 'boolean', help: '' },
    'no-post-process': {
      type: 'boolean',
      help: 'Only copy; do nothing else that the storage does, such as hashing names.',
    },
    ignore: {
      type: 'string',
      short: 'i',
      multiple: true,
      value: 'PATTERN',
      help: "Leave out files and folders that match a shell pattern such as '*.scss'. May be repeated.",
    },
    'dry-run': {
      type: 'boolean',
      short: 'n',
      help: 'Tell what would be done, and change nothing.',
    },
    clear: {
      type: 'boolean',
      short: 'c',
      help: 'Remove every file from the storage that was not collected now.',
    },
    strict: {
      type: 'boolean',
      help: 'Fail where a style sheet or script refers to a file that is not there.',
    },
    verify: {
      type: 'boolean',
      help: 'Look into a storage elsewhere for every file, whatever its manifest says.',
    },
    link: {
      type: 'boolean',
      short: 'l',
      help: 'Link to the source files instead of copying them.',
    },
    'no-default-ignore': {
      type: 'boolean',
      help: "Do not leave out what the setting ignore names ('CVS', '.*' and '*~').",
    },
  },
  examples: [
    'staticfiles collectstatic --no-input',
    "staticfiles collectstatic --dry-run -i '*.scss' -i '*.map'",
  ],
  run,
};

async function run(call: Call): Promise<number> {
  if (call.operands.length > 0) throw new UsageError('collectstatic takes options only.');
  const files = createStaticFiles(await call.settings());
  await confirm(files, call);
  const display = await displayOf(call);
  const stands = standing(taskOf(files.storage, call));
  const collect = () =>
    files.collect({
      ignore: call.values('ignore'),
      defaultIgnore: !call.has('no-default-ignore'),
      dryRun: call.has('dry-run'),
      clear: call.has('clear'),
      link: call.has('link'),
      postProcess: !call.has('no-post-process'),
      verify: call.has('verify'),
      ...(call.has('strict') && { strict: true }),
      onEvent(event) {
        stands.hear(event);
        if (event.type === 'progress') display?.show(event);
        else printEvent(event, call);
      },
    });
  const report = await interruptible(collect, call.io, () => {
    display?.stop();
    return stands.sentence();
  }).finally(() => display?.stop());
  if (call.json) call.io.out(`${JSON.stringify(report)}\n`);
  else if (call.verbosity >= 1) printReport(report, call);
  return 0;
}

/** Only where nothing else is printed meanwhile. */
async function displayOf({ io, json, verbosity }: Call): Promise<ProgressDisplay | undefined> {
  if (json || verbosity !== 1) return undefined;
  if (io.terminal === undefined) {
    const { progressLines } = await import('./progress-lines.js');
    return progressLines(io.err);
  }
  const { progressBar } = await import('./progress.js');
  return progressBar(io.terminal);
}

/** What is to be done, as far as it tells what stands when it is interrupted. */
function taskOf({ hashing, direct, path }: StaticFiles['storage'], { has }: Call): Task {
  return {
    dryRun: has('dry-run'),
    clear: has('clear'),
    isHashed: hashing !== undefined && !has('no-post-process'),
    isElsewhere: direct === undefined || path === undefined,
  };
}

/** Before files are overwritten or deleted, a person who is there is asked. */
async function confirm({ storage }: StaticFiles, call: Call): Promise<void> {
  const quiet = ['no-input', 'noinput', 'dry-run'].some((option) => call.has(option)) || call.json;
  if (quiet || call.io.ask === undefined) return;
  if (!(await hasFiles(storage))) return;
  const folder = storage.path?.('') ?? storage.location;
  const place =
    folder === undefined
      ? 'the storage. '
      : `${storage.path ? 'the folder' : ''}\n\n    ${folder}\n\n`;
  const risk = call.has('clear')
    ? 'Every other file in it will be DELETED.'
    : 'Files in it will be overwritten.';
  const question = `Static files will be collected into ${place}${risk}\nType 'yes' to go on, or 'no' to stop: `;
  // Control-C and Control-D are a no.
  const answer = await call.io.ask(question).catch(() => '\n');
  if (answer.trim() !== 'yes') {
    throw new CollectError('Collecting was cancelled; nothing has changed.');
  }
}

async function hasFiles(storage: StaticFiles['storage']): Promise<boolean> {
  for await (const _ of storage.list()) return true;
  return false;
}

/** The verbosity from which a step is told; in a dry run, each step is what it is for. */
const LEVELS = {
  shadowed: 1,
  wait: 1,
  delete: 1,
  send: 2,
  copy: 2,
  link: 2,
  hash: 2,
  skip: 2,
} as const;

function printEvent(event: CollectEvent, call: Call): void {
  const dryRun = call.has('dry-run');
  if (!isTold(event)) return;
  const level = dryRun && event.type !== 'skip' ? 1 : LEVELS[event.type];
  if (call.json || call.verbosity < level) return;
  if (event.type === 'wait') call.io.err(`${event.message}\n`);
  else call.io.out(`${sentence(event, dryRun)}\n`);
}

type Told = Extract<CollectEvent, { type: keyof typeof LEVELS }>;

function isTold(event: CollectEvent): event is Told {
  return Object.hasOwn(LEVELS, event.type);
}

type Step = Exclude<Told, { type: 'wait' }>;

function sentence(event: Step, dryRun: boolean): string {
  switch (event.type) {
    case 'hash':
      return `Post-processed '${event.name}' as '${event.hashedName}'`;
    case 'shadowed':
      return `'${event.name}' was found again at ${event.path}; it is left out, for ${event.winner} comes first.`;
    case 'skip':
      return `Skipping '${event.name}' (not modified)`;
    case 'copy':
      return `${dryRun ? 'Pretending to copy' : 'Copying'} '${event.path}'`;
    case 'link':
      return `${dryRun ? 'Pretending to link' : 'Linking'} '${event.path}'`;
    case 'send': {
      const size = event.bytes === undefined ? '' : ` (${bytesText(event.bytes)})`;
      return `${dryRun ? 'Pretending to send' : 'Sending'} '${event.name}'${size}`;
    }
    case 'delete':
      return `${dryRun ? 'Pretending to delete' : 'Deleting'} '${event.name}'`;
  }
}

/** The summary, and the warnings last, where they are not overlooked. */
function printReport(report: CollectReport, { io, has }: Call): void {
  io.out(`\n${summary(report, has('link'))}\n`);
  const { warnings } = report;
  if (warnings.length === 0) return;
  io.err(`\n${warnings.length === 1 ? 'A warning' : `${warnings.length} warnings`}:\n`);
  for (const warning of warnings) io.err(`  ${warning}\n`);
}

/** Django's line and more: `3 static files copied to '/srv/static', 2 unmodified, 5 post-processed.` */
function summary(report: CollectReport, link: boolean): string {
  const { copied, linked, unmodified, hashed, deleted, destination, compressed } = report;
  const count = copied.length + linked.length;
  const parts = [
    `${count} static file${count === 1 ? '' : 's'} ${link ? 'symlinked' : 'copied'}${
      destination === undefined ? '' : ` to '${destination}'`
    }`,
  ];
  if (unmodified.length > 0) parts.push(`${unmodified.length} unmodified`);
  if (hashed.length > 0) parts.push(`${hashed.length} post-processed`);
  if (deleted.length > 0) parts.push(`${deleted.length} deleted`);
  const lines = [`${parts.join(', ')}.`];
  if (compressed.files > 0) {
    lines.push(
      `${compressed.files} compressed, ${compressed.made} of them now: ${bytesText(compressed.saved)} less to send.`,
    );
  }
  if (report.sent !== undefined) {
    const { files, bytes } = report.sent;
    const verb = report.dryRun ? 'would be sent' : 'sent';
    lines.push(`${files} object${files === 1 ? '' : 's'} (${bytesText(bytes)}) ${verb}.`);
  }
  lines.push(`${bytesText(report.bytes)} in ${timeText(report.milliseconds)}.`);
  return lines.join('\n');
}
