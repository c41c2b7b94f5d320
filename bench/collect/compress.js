// node bench/collect/compress.js [CORPUS]: collecting with compression, beside the compression calls alone;
// then again with nothing changed, beside the same without compression.
import { join } from 'node:path';
import { median, printTable } from '../measure.js';
import { corpus } from './corpus.js';
import {
  inMemory,
  inTurn,
  peak,
  ratiosTo,
  scratch,
  secondsOf,
  spread,
  verdict,
} from './processes.js';
import { bareCompress, cold, ours } from './programs.js';

/** One takes minutes, nearly all of it in zlib. */
const ROUNDS = Number(process.env.ROUNDS ?? 1);

const CALLS = 'bare Node: brotli 11 and gzip 9 of each content, on all cores';
const COLD = '`staticfiles collectstatic` with `compress: true`';
const AGAIN = `${COLD}, nothing changed`;
const WITHOUT = 'nothing changed, without compression';

const [name = 'large'] = process.argv.slice(2);
const source = corpus(name);
const plain = { staticRoot: join(scratch, 'plain') };
await inTurn({ [WITHOUT]: { command: () => ours(source, plain) } }, 1);

const runs = await inTurn(
  {
    [CALLS]: { command: () => bareCompress(source) },
    [COLD]: cold(source, () => ours(source, { compress: true })),
    [AGAIN]: { command: () => ours(source, { compress: true }) },
    [WITHOUT]: { command: () => ours(source, plain) },
  },
  ROUNDS,
);

const bases = { [COLD]: CALLS, [AGAIN]: WITHOUT };
printTable(
  [`${name}, ${inMemory ? 'in memory' : 'on disk'}`, 's (least..most)', 'ratio', 'MB', 'bar'],
  Object.entries(runs).map(([label, own]) => {
    const ratios = label in bases ? ratiosTo(runs[bases[label]], own) : undefined;
    return [
      label,
      spread(secondsOf(own)),
      ratios ? spread(ratios) : '',
      peak(own) ?? '',
      ratios ? verdict(median(ratios), 1.1) : '',
    ];
  }),
);
