import { existsSync, mkdirSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../../src/collect/temporary.js';

describe('a folder for temporary files', () => {
  it('is gone when it is removed, and nobody listens any more', () => {
    const listeners = () =>
      ['SIGINT', 'SIGTERM', 'SIGHUP', 'exit'].map((event) => process.listenerCount(event));
    const before = listeners();
    const { path, remove } = temporaryFolder();
    mkdirSync(`${path}/a`, { recursive: true });
    remove();
    expect(existsSync(path)).toBe(false);
    expect(listeners()).toEqual(before);
  });

  it('stays where somebody else decides what a signal does', () => {
    const { path, remove } = temporaryFolder();
    onTestFinished(remove);
    mkdirSync(path);
    let heard = 0;
    const listen = () => {
      heard++;
    };
    process.on('SIGHUP', listen);
    onTestFinished(() => void process.off('SIGHUP', listen));
    process.emit('SIGHUP', 'SIGHUP');
    expect([heard, existsSync(path)]).toEqual([1, true]);
  });
});
