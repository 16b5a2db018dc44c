/** The parts of the settings, in their order. `manages`: only for who manages users; `operates`: not for viewers. */
export interface Section {
  path: string;
  label: string;
  operates?: boolean;
  manages?: boolean;
}

export const SECTIONS: readonly Section[] = [
  { path: 'origins', label: 'Origins' },
  { path: 'notifications', label: 'Notifications' },
  { path: 'links', label: 'Links', operates: true },
  { path: 'users', label: 'Users', manages: true },
  { path: 'tokens', label: 'API tokens', manages: true },
  { path: 'account', label: 'Your account' },
  { path: 'audit', label: 'Audit' },
  { path: 'storage', label: 'Storage' },
  { path: 'about', label: 'About' },
];

export interface Viewer {
  role: string;
  manages: boolean;
}

/** Those that somebody may see. */
export const sectionsFor = (who: Viewer | null): Section[] =>
  SECTIONS.filter(
    (one) => (!one.manages || who?.manages) && (!one.operates || (who && who.role !== 'viewer')),
  );

/** The one that the address names; the first when it names none, or one that is not for them. */
export const sectionAt = (path: string, who: Viewer | null): Section => {
  const shown = sectionsFor(who);
  return shown.find((one) => one.path === path) ?? shown[0] ?? { path: 'origins', label: 'Origins' };
};
