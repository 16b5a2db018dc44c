/** Every screen: one line each. The frame's tabs, the keys and the address all read it. */
import type { Component } from 'svelte';
import type { IconName } from '$ui/Icon.svelte';

export interface Screen {
  /** The first part of its path; empty for the first screen. */
  path: string;
  label: string;
  /** `g` and this letter go there. */
  key: string;
  icon: IconName;
  /** No tab of its own: beside the user's menu, and on a phone behind More. */
  aside?: true;
  load: () => Promise<{ default: Component }>;
}

/** In the order of the tabs. A screen is fetched when somebody goes there. */
export const SCREENS: readonly Screen[] = [
  {
    path: '',
    label: 'Overview',
    key: 'o',
    icon: 'overview',
    load: () => import('./overview/Overview.svelte'),
  },
  {
    path: 'pipelines',
    label: 'Pipelines',
    key: 'p',
    icon: 'pipelines',
    load: () => import('./pipelines/Pipelines.svelte'),
  },
  {
    path: 'deployments',
    label: 'Deployments',
    key: 'd',
    icon: 'deployments',
    load: () => import('./deployments/Deployments.svelte'),
  },
  { path: 'logs', label: 'Logs', key: 'l', icon: 'logs', load: () => import('./logs/Logs.svelte') },
  {
    path: 'traces',
    label: 'Traces',
    key: 't',
    icon: 'traces',
    load: () => import('./traces/Traces.svelte'),
  },
  {
    path: 'metrics',
    label: 'Metrics',
    key: 'm',
    icon: 'metrics',
    load: () => import('./metrics/Metrics.svelte'),
  },
  { path: 'cache', label: 'Cache', key: 'c', icon: 'cache', load: () => import('./cache/Cache.svelte') },
  { path: 'edge', label: 'Edge', key: 'e', icon: 'edge', load: () => import('./edge/EdgeScreen.svelte') },
  {
    path: 'settings',
    label: 'Settings',
    key: 's',
    icon: 'settings',
    aside: true,
    load: () => import('./settings/Settings.svelte'),
  },
];

/** On a phone the bar has room for so many; the others are behind More. */
export const ON_PHONE = ['', 'deployments', 'logs', 'pipelines'];

export const screenAt = (path: string): Screen | undefined => SCREENS.find((one) => one.path === path);
export const href = (screen: Screen): string => `/${screen.path}`;
