import { parentPort } from 'node:worker_threads';
import { type Message, perform } from './workforce.js';
import { type Workshop, workshop } from './workshop.js';

/** A thread's own workshop. */
let own: Workshop | undefined;

parentPort?.on('message', (message: Message) => {
  parentPort?.postMessage(answer(message));
});

function answer(message: Message): unknown {
  if (message === 'close') own?.close();
  else if ('open' in message) own = workshop(message.open);
  else return perform(own as Workshop, message);
  return undefined;
}
