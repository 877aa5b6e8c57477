import { describe, expect, it } from 'vitest';
import { RuntimeError } from '../../kernels/errors.ts';
import { AllowedAddresses } from '../../protocols/mcp/index.ts';

const allowed = new AllowedAddresses(['https://tools.example/team/mcp', 'http://127.0.0.1:9000']);

function codeOf(call: () => unknown): string {
  try {
    call();
    return 'none';
  } catch (error) {
    return error instanceof RuntimeError ? error.code : String(error);
  }
}

describe('addresses that a client names', () => {
  it.each([
    'https://tools.example/team/mcp',
    'https://tools.example/team/mcp/',
    'https://tools.example:443/team/mcp/one?key=1#part',
    'https://TOOLS.example/team/mcp/a/../b',
    'http://127.0.0.1:9000/anything',
  ])('are reached where they lie below one that is allowed: %s', address => {
    const url = allowed.check(address);
    expect(url.hash).toBe('');
  });

  it.each([
    'https://tools.example/team/mcp2',
    'https://tools.example/team',
    'https://tools.example/team/mcp/../../admin',
    'https://tools.example/team/mcp/%2e%2e/%2e%2e/admin',
    'https://tools.example/team/mcp/..%2fadmin',
    'https://tools.example/team/mcp/..%5cadmin',
    'http://tools.example/team/mcp',
    'https://tools.example:8443/team/mcp',
    'https://tools.example.evil.example/team/mcp',
    'https://tools.example@evil.example/team/mcp',
    'https://user:secret@tools.example/team/mcp',
    'http://127.0.0.1:9001/',
    'http://localhost:9000/',
    'http://169.254.169.254/latest/meta-data',
    'file:///etc/passwd',
    'tools.example/team/mcp',
    '',
  ])('are not reached: %s', address => {
    expect(codeOf(() => allowed.check(address))).toBe('mcp.address-refused');
  });

  it('are told of without what they hide', () => {
    const asked = () => allowed.check('https://other.example/mcp?key=secret');
    expect(asked).toThrow('https://other.example/mcp');
    expect(asked).not.toThrow('secret');
  });

  it.each(['ftp://tools.example', 'tools.example', 'https://a:b@tools.example', 'https://tools.example/?x'])(
    'are allowed by no such setting: %s',
    prefix => {
      expect(codeOf(() => new AllowedAddresses([prefix]))).toBe('mcp.allow-invalid');
    },
  );
});
