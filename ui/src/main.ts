import { mount } from 'svelte';
import './styles/tokens.css';
import './styles/base.css';
import './styles/print.css';
import App from './App.svelte';

const target = document.getElementById('app');
// The wall needs no session and asks for none.
if (target && location.pathname.startsWith('/tv/'))
  void import('./views/wall/Wall.svelte').then(({ default: Wall }) => mount(Wall, { target }));
else if (target) mount(App, { target });
