// node bench/collect/scan.js [CORPUS]: how fast the scanners read, on one core.
import { readFileSync } from 'node:fs';
import { ScanError } from '../../dist/src/scanner.js';
import { scanCss } from '../../dist/src/scanners/css.js';
import { scanJavaScript } from '../../dist/src/scanners/javascript.js';
import { median, printTable } from '../measure.js';
import { corpus, filesOf } from './corpus.js';

const ROUNDS = Number(process.env.ROUNDS ?? 5);

const [name = 'large'] = process.argv.slice(2);
const paths = filesOf(corpus(name));
const rows = [
  measured('CSS', 100, scanCss, /\.css$/i),
  measured('JavaScript', 50, scanJavaScript, /\.m?js$/i),
];
printTable([name, 'files', 'MB', 'references', 'do not parse', 'MB/s (least..most)', 'bar'], rows);

function measured(language, bar, scan, pattern) {
  const texts = paths
    .filter((path) => pattern.test(path))
    .map((path) => readFileSync(path, 'utf8'));
  const megabytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0) / 1e6;
  const speeds = [];
  let found;
  for (let round = 0; round <= ROUNDS; round++) {
    found = { references: 0, unparsed: 0 };
    const start = performance.now();
    for (const text of texts) count(scan, text, found);
    const seconds = (performance.now() - start) / 1000;
    if (round > 0) speeds.push(megabytes / seconds); // the first one warms up
  }
  const speed = median(speeds);
  return [
    language,
    texts.length,
    megabytes.toFixed(1),
    found.references,
    found.unparsed,
    `${speed.toFixed(0)} (${Math.min(...speeds).toFixed(0)}..${Math.max(...speeds).toFixed(0)})`,
    `${bar}: ${speed >= bar ? 'met' : 'MISSED'}`,
  ];
}

function count(scan, text, found) {
  try {
    found.references += scan(text).length;
  } catch (error) {
    if (!(error instanceof ScanError)) throw error;
    found.unparsed++;
  }
}
