import { describe, expect, it } from 'vitest';
import { sectionAt, sectionsFor } from './sections';

const paths = (role: string, manages: boolean) => sectionsFor({ role, manages }).map((one) => one.path);

describe('the parts of the settings', () => {
  it('has users and tokens only for who manages them', () => {
    expect(paths('operator', true)).toContain('users');
    expect(paths('operator', false)).not.toContain('users');
    expect(paths('admin', true)).toContain('tokens');
  });
  it('has links for operators and not for viewers', () => {
    expect(paths('operator', false)).toContain('links');
    expect(paths('viewer', false)).toEqual([
      'origins',
      'notifications',
      'account',
      'audit',
      'storage',
      'about',
    ]);
  });
  it('shows the first for an address that names none of them, or one that is not for them', () => {
    expect(sectionAt('', null).path).toBe('origins');
    expect(sectionAt('nonsense', null).path).toBe('origins');
    expect(sectionAt('users', { role: 'viewer', manages: false }).path).toBe('origins');
    expect(sectionAt('storage', { role: 'viewer', manages: false }).path).toBe('storage');
  });
});
