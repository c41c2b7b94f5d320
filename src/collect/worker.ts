import { parentPort, workerData } from 'node:worker_threads';
import { type Call, perform } from './workforce.js';
import { type WorkshopOptions, workshop } from './workshop.js';

/** A thread with a workshop of its own, which does what it is told, one call after the other. */
const own = workshop(workerData as WorkshopOptions);

parentPort?.on('message', (call: Call | 'close') => {
  if (call !== 'close') return parentPort?.postMessage(perform(own, call));
  own.close();
  parentPort?.close();
});
