// Nothing: what Node itself takes.
import { report } from './report.js';

report();
