/**
 * Where the browser finds what reloading takes. The folder is the one that is never served among
 * static files, so no project has a name there.
 */
export const SCRIPT_URL = '/.staticfiles/reload.js';
export const EVENTS_URL = '/.staticfiles/events';

/**
 * The script in the pages of the development server. It tells where it stands when it asks for the
 * events, so that nothing is lost between two connections: a hidden page, or one in the browser's
 * back and forward cache, has none, for browsers open but six to a host.
 */
export function reloadScript(state: string): string {
  return SCRIPT.replace('STATE', () => JSON.stringify(state));
}

const SCRIPT = `(() => {
  // A page that is put together from several answers has this script several times.
  const once = Symbol.for('staticfiles.reload');
  if (window[once]) return;
  window[once] = true;

  let state = STATE;
  let isFirst = true;
  let source;
  let timer;
  let pause = 100;

  const follow = () => (document.visibilityState === 'visible' ? connect() : disconnect());
  document.addEventListener('visibilitychange', follow);
  addEventListener('pagehide', disconnect);
  addEventListener('pageshow', ({ persisted }) => persisted && follow());
  follow();

  function connect() {
    disconnect();
    source = new EventSource(location.origin + '${EVENTS_URL}?since=' + encodeURIComponent(state));
    source.onmessage = ({ data }) => {
      pause = 100;
      hear(JSON.parse(data));
      isFirst = false;
    };
    // Browsers wait for seconds before they connect again, and some give up.
    source.onerror = () => {
      disconnect();
      timer = setTimeout(connect, pause);
      pause = Math.min(2 * pause, 1000);
    };
  }

  function disconnect() {
    clearTimeout(timer);
    timer = undefined;
    source?.close();
  }

  function hear(change) {
    if (timer) return; // the page is going
    const owners = change.css?.map(ownersOf) ?? [undefined];
    if (owners.includes(undefined)) return reload(change.state);
    state = change.state;
    new Set(owners.flat()).forEach(refresh);
  }

  function reload(now) {
    // A page that comes from a cache, script and all, would be told to reload for ever.
    const mark = now + ' ' + location.href;
    try {
      if (isFirst && sessionStorage.getItem('staticfiles.reload') === mark) {
        state = now;
        return;
      }
      sessionStorage.setItem('staticfiles.reload', mark);
    } catch {
      // The browser keeps nothing for this page.
    }
    // What changes together with source is followed by a restart: then the new server is waited for.
    timer = setTimeout(() => location.reload(), isFirst ? 0 : 200);
  }

  // The elements that bring a stylesheet into the page; undefined: it has come in another way.
  function ownersOf(css) {
    const url = bare(css, location.origin);
    const links = [...document.querySelectorAll('link[rel~="stylesheet" i]:not([disabled])')];
    const owners = links.filter((link) => bare(link.href) === url);
    for (const sheet of document.styleSheets) {
      if (sheet.ownerNode && imports(sheet, url)) owners.push(sheet.ownerNode);
    }
    return owners.length > 0 || !isLoaded(url) ? owners : undefined;
  }

  function imports(sheet, url) {
    return rulesOf(sheet).some(
      (rule) =>
        rule instanceof CSSImportRule &&
        (bare(rule.href, sheet.href ?? document.baseURI) === url ||
          (rule.styleSheet && imports(rule.styleSheet, url))),
    );
  }

  function rulesOf(sheet) {
    try {
      return [...sheet.cssRules];
    } catch {
      return []; // of another origin
    }
  }

  // Browsers keep the times of 250 files only.
  function isLoaded(url) {
    const entries = performance.getEntriesByType('resource');
    return entries.length >= 250 || entries.some(({ name }) => bare(name) === url);
  }

  function bare(url, base = document.baseURI) {
    if (!URL.canParse(url, base)) return '';
    const { origin, pathname } = new URL(url, base);
    return origin + pathname;
  }

  // The old element stays until the new one has loaded, so that the page is never without.
  const successors = new WeakMap();
  function refresh(old) {
    successors.get(old)?.remove();
    const fresh = old.cloneNode(true);
    successors.set(old, fresh);
    if (fresh.href) {
      const url = new URL(fresh.href);
      const search = url.search.replace(/[?&]staticfiles-reload=[^&]*$/, '');
      url.search = search + (search ? '&' : '?') + 'staticfiles-reload=' + Date.now();
      fresh.href = url.href;
      fresh.removeAttribute('integrity'); // the old content's
    }
    fresh.addEventListener('load', () => old.remove(), { once: true });
    fresh.addEventListener('error', () => fresh.remove(), { once: true });
    old.after(fresh);
  }
})();
`;
