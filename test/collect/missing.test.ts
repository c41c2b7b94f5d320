import { describe, expect, it } from 'vitest';
import { missingReporter } from '../../src/collect/missing.js';

describe('a missing reference', () => {
  const report = missingReporter(() => [
    'css/a.css',
    'img/Logo.png',
    'img/colours.css',
    'x/gone.js',
  ]);
  it.each([
    [
      'nothing like it',
      'nothing-like-it.bin',
      'url',
      "css/a.css:3:17: nothing-like-it.bin is not found: there is no file 'nothing-like-it.bin'.",
    ],
    [
      'one like it',
      'img/colors.css',
      'url',
      "css/a.css:3:17: img/colors.css is not found: there is no file 'img/colors.css'. Did you mean 'img/colours.css'?",
    ],
    [
      'one of that name elsewhere',
      'js/gone.js',
      'specifier',
      "css/a.css:3:17: js/gone.js is not found: there is no file 'js/gone.js'. Did you mean 'x/gone.js'?",
    ],
    [
      'another case',
      'IMG/logo.PNG',
      'url',
      "css/a.css:3:17: IMG/logo.PNG is not found in this spelling: the file is 'img/Logo.png', and upper and lower case differ.",
    ],
    [
      'a source map',
      'a.css.map',
      'source-map',
      "css/a.css:3:17: a.css.map is not found: there is no source map 'a.css.map'.",
    ],
  ] as const)('is told in a sentence with its place: %s', (_, name, kind, message) => {
    expect(report('css/a.css', [name, 99, 3, 17, kind], name)).toEqual({
      name: 'css/a.css',
      line: 3,
      column: 17,
      reference: name,
      target: name,
      sourceMap: kind === 'source-map',
      message,
    });
  });

  it('may lead out of the static files', () => {
    expect(report('a.css', ['../x', 9, 1, 1, 'url'], undefined).message).toBe(
      'a.css:1:1: ../x leads out of the static files.',
    );
  });
});
