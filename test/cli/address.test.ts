import { describe, expect, it } from 'vitest';
import { looksLikeAddress, parseAddress, urlOf } from '../../src/cli/address.js';

describe('addrport', () => {
  it.each([
    [undefined, '127.0.0.1', 8000, 'http://127.0.0.1:8000/'],
    ['3000', '127.0.0.1', 3000, 'http://127.0.0.1:3000/'],
    ['0', '127.0.0.1', 0, 'http://127.0.0.1:0/'],
    [':3000', '127.0.0.1', 3000, 'http://127.0.0.1:3000/'],
    ['0:3000', '0.0.0.0', 3000, 'http://0.0.0.0:3000/'],
    ['1.2.3.4:80', '1.2.3.4', 80, 'http://1.2.3.4:80/'],
    ['localhost:80', 'localhost', 80, 'http://localhost:80/'],
    ['[::1]:80', '::1', 80, 'http://[::1]:80/'],
  ])('reads %s', (operand, host, port, url) => {
    const address = parseAddress(operand, false);
    expect(address).toEqual({ host, port });
    expect(urlOf(address)).toBe(url);
    expect(looksLikeAddress(operand ?? '0')).toBe(true);
  });

  it('listens on IPv6 where that is asked for', () => {
    expect(parseAddress('3000', true)).toEqual({ host: '::1', port: 3000 });
    expect(parseAddress('0:3000', true)).toEqual({ host: '::', port: 3000 });
  });

  it.each(['70000', '1:2:3', '[zz]:80', 'localhost:abc'])('refuses %s', (operand) => {
    expect(looksLikeAddress(operand)).toBe(true);
    expect(() => parseAddress(operand, false)).toThrow(`'${operand}' is no port`);
  });

  it.each(['app.js', './3000/app.js', 'src/app', 'C:\\app.js'])(
    'takes %s for no address',
    (operand) => {
      expect(looksLikeAddress(operand)).toBe(false);
    },
  );
});
