#!/usr/bin/env node
import { processIo } from './io.js';
import { main } from './main.js';

// `staticfiles findstatic … | head` ends reading early, which is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = await main(process.argv.slice(2), processIo());
