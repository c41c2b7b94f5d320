// node walk.js FOLDER...: what it costs to see that nothing changed: the size and time of every file.
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const walk = (folder) => {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) walk(path);
    else lstatSync(path);
  }
};

for (const folder of process.argv.slice(2)) walk(folder);
