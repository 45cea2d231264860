// Asks for the page again every two seconds and puts the parts that have changed in their places.
// The server renders and escapes; nothing here makes markup of text.
'use strict';
{
  const EVERY = 2000, PATIENCE = 8000;
  const notice = document.getElementById('notice');
  const title = () => document.title.replace(/^unreachable \u2013 /, '');
  let lostAt = null, ended = false;

  const say = (text) => {
    if (notice.textContent !== text) notice.textContent = text;
  };

  const parts = (page) => [...page.querySelectorAll('[data-live]')];

  function put(old, next) {
    for (const { id } of old.querySelectorAll('details[open]')) {
      const same = next.querySelector('#' + CSS.escape(id));
      if (same) same.open = true;
    }
    if (old.outerHTML === next.outerHTML) return;
    const focused = old.contains(document.activeElement) && document.activeElement.id;
    old.replaceWith(document.adoptNode(next));
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }

  function show(text) {
    const next = new DOMParser().parseFromString(text, 'text/html');
    const [olds, news] = [parts(document), parts(next)];
    if (olds.length === news.length && olds.every((old, index) => old.id === news[index].id)) {
      olds.forEach((old, index) => put(old, news[index]));
    } else {
      put(document.getElementById('top'), next.getElementById('top'));
      put(document.querySelector('main'), next.querySelector('main'));
    }
    document.title = next.title;
  }

  function lost(reason) {
    lostAt ??= new Date();
    say(`${reason} since ${lostAt.toLocaleTimeString()}; this is how it stood then.`);
    document.body.classList.add('lost');
    document.title = 'unreachable \u2013 ' + title();
  }

  async function ask() {
    // Not by a relative address: that would take over a user and a password from the page's own, which fetch refuses.
    const here = location.origin + location.pathname + location.search;
    let text;
    try {
      const answer = await fetch(here, { headers: { accept: 'text/html' }, cache: 'no-store', signal: AbortSignal.timeout(PATIENCE) });
      if ([401, 403, 404].includes(answer.status)) {
        ended = true;
        return lost('This token, or this tenant, is no longer known: load the page again. So it is');
      }
      if (!answer.ok) return lost(`The relay answers ${answer.status}`);
      text = await answer.text();
    } catch {
      return lost('The relay cannot be reached');
    }
    lostAt = null;
    document.body.classList.remove('lost');
    if (!getSelection().isCollapsed) return say('Not renewed while text is selected.');
    say('');
    show(text);
  }

  async function live() {
    if (!document.hidden) await ask();
    if (!ended) setTimeout(live, EVERY);
  }

  setTimeout(live, EVERY);
}
