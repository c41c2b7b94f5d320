import { createStaticFiles } from 'staticfiles';

createStaticFiles({ debug: false }).staticUrl('css/app0/part-0.css');
