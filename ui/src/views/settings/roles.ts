export const ROLES = [
  { value: 'viewer', label: 'viewer: sees everything but users and tokens' },
  { value: 'operator', label: 'operator: also acts' },
  { value: 'admin', label: 'admin: also changes users and tokens' },
] as const;
