import { project } from '../project.js';

/** A release of the site, checked out in a folder of its own. */
export interface Release {
  readonly number: number;
  readonly root: string;
}

/** Every page of the site, of each release. */
export const PAGES = ['/', '/gallery', '/about'] as const;

/** A name that both releases have, with another content in each. */
export const CHANGED = 'css/site.css';

const PHOTOS = Array.from({ length: 4 }, (_, at) => at + 1);

/** The releases; `config` is the text of their configuration, the same for all. */
export function releases(config: string) {
  return {
    first: checkedOut(1, FIRST, config),
    /** Never comes to be: somebody saw what is wrong with it, and made the second one. */
    abandoned: checkedOut(2, { ...SECOND, ...BROKEN }, config),
    second: checkedOut(2, SECOND, config),
  };
}

function checkedOut(number: number, files: Record<string, string>, config: string): Release {
  const root = project({
    ...files,
    'release.json': JSON.stringify({ release: number }),
    'staticfiles.config.mjs': config,
  });
  return { number, root };
}

function svg(what: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg"><title>${what}</title></svg>\n`;
}

/** Every other photo is another one in the second release. */
function photos(release: number): Record<string, string> {
  return Object.fromEntries(
    PHOTOS.map((photo) => {
      const version = photo % 2 === 0 ? release : 1;
      return [`static/img/photo-${photo}.svg`, svg(`photo ${photo}, version ${version}`)];
    }),
  );
}

const FIRST: Record<string, string> = {
  'templates/base.njk': `<!doctype html><title>One</title>
<link rel="stylesheet" href="{% static 'css/site.css' %}">
<link rel="stylesheet" href="{% static 'css/old-only.css' %}" media="print">
<script type="module" src="{% static 'js/app.js' %}"></script>
<img src="{% static 'img/logo.svg' %}">{% block content %}{% endblock %}`,
  'templates/home.njk': `{% extends 'base.njk' %}{% block content %}
<img src="{{ static('img/old-only.svg') }}">{% endblock %}`,
  'templates/gallery.njk': `{% extends 'base.njk' %}{% block content %}
{% for photo in range(1, ${PHOTOS.length + 1}) %}<img src="{% static 'img/photo-' ~ photo ~ '.svg' %}">
{% endfor %}{% endblock %}`,
  'templates/about.hbs': `<!doctype html><title>One</title>
<link rel="stylesheet" href="{{static 'css/about.css'}}"><img src="{{static 'img/old-only.svg'}}">`,
  'static/css/site.css': `@import "base.css";\nbody { background: url("../img/paper.svg") }\n`,
  'static/css/base.css': `h1 { background: url(../img/line.svg) }\n`,
  'static/css/about.css': `@import url(base.css);\np { color: green }\n`,
  'static/css/old-only.css': `h2 { background: url(../img/old-line.svg) }\n`,
  'static/js/app.js': `import { menu } from './menu.js';\nmenu();\nvoid import('./lazy.js');\n`,
  'static/js/menu.js': `import { icon } from './icons.js';\nexport const menu = () => icon;\n`,
  'static/js/icons.js': `export const icon = new URL('../img/icon.svg', import.meta.url);\n`,
  'static/js/lazy.js': `import './icons.js';\nexport const release = 1;\n`,
  'static/img/logo.svg': svg('logo'),
  'static/img/paper.svg': svg('paper'),
  'static/img/line.svg': svg('line'),
  'static/img/old-line.svg': svg('old line'),
  'static/img/old-only.svg': svg('old only'),
  'static/img/icon.svg': svg('icon'),
  ...photos(1),
};

// What the first one calls old-only is gone, and menu.js is navigation.js.
const SECOND: Record<string, string> = {
  'templates/base.njk': `<!doctype html><title>Two</title>
<link rel="stylesheet" href="{% static 'css/site.css' %}">
<link rel="stylesheet" href="{% static 'css/new-only.css' %}">
<script type="module" src="{% static 'js/app.js' %}"></script>
<img src="{% static 'img/logo.svg' %}">{% block content %}{% endblock %}`,
  'templates/home.njk': `{% extends 'base.njk' %}{% block content %}
<img src="{{ static('img/new-only.svg') }}">{% endblock %}`,
  'templates/gallery.njk': FIRST['templates/gallery.njk'] ?? '',
  'templates/about.hbs': `<!doctype html><title>Two</title>
<link rel="stylesheet" href="{{static 'css/about.css'}}">
<link rel="stylesheet" href="{{static 'css/new-only.css'}}">`,
  'static/css/site.css': `@import "base.css";\n@import "forms.css";\nbody { color: #222 }\n`,
  'static/css/base.css': `h1 { background: url(../img/new-line.svg) }\n`,
  'static/css/forms.css': `input { background: url('../img/paper.svg') }\n`,
  'static/css/about.css': `@import url(base.css);\np { color: blue }\n`,
  'static/css/new-only.css': `h2 { background: url(../img/new-line.svg) }\n`,
  'static/js/app.js': `import { menu } from './navigation.js';\nmenu();\nvoid import('./lazy.js');\n`,
  'static/js/navigation.js': `import { icon } from './icons.js';\nexport const menu = () => icon;\n`,
  'static/js/icons.js': `export const icon = new URL('../img/icon.svg', import.meta.url);\n`,
  'static/js/lazy.js': `import './icons.js';\nexport const release = 2;\n`,
  'static/img/logo.svg': svg('logo, drawn anew'),
  'static/img/paper.svg': svg('paper'),
  'static/img/new-line.svg': svg('new line'),
  'static/img/new-only.svg': svg('new only'),
  'static/img/icon.svg': svg('icon'),
  ...photos(2),
};

const BROKEN: Record<string, string> = {
  'static/css/forms.css': `input { display: none }\n`,
  'static/img/logo.svg': svg('logo, drawn badly'),
};
