import { describe, expect, it } from 'vitest';
import { isLeftOut, isSource, type SourceTree } from '../../src/cli/source-tree.js';

const tree: SourceTree = {
  folders: ['/home/.me/site', '/home/.me/site/app'],
  ignored: ['/home/.me/site/static'],
};

describe('the source of a program', () => {
  it.each([
    ['/home/.me/site/app.js', true],
    ['/home/.me/site/app/views/page.njk', true],
    ['/home/.me/site/notes.txt', false],
    ['/home/.me/site/static/site.js', false],
    ['/home/.me/site/static2/site.js', true],
    ['/home/.me/site/node_modules/x/index.js', false],
    ['/home/.me/site/app/.cache/x.js', false],
    ['/home/.me/other.js', false],
  ])('%s: %s', (path, expected) => {
    expect(isSource(path, tree)).toBe(expected);
  });

  it.each([
    ['/home/.me/site', false],
    ['/home/.me', false],
    ['/home/.me/site/static', true],
    ['/home/.me/site/.git', true],
    ['/home/.me/site/app/node_modules', true],
  ])('leaves %s out: %s', (path, expected) => {
    expect(isLeftOut(path, tree)).toBe(expected);
  });
});
