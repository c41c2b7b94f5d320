// What a database would hold. Both pages are made of this.

export const poll = {
  question: 'When shall we walk round the lake?',
  intro:
    'The club walks round Lake Ambra once a year: nine miles, two bridges, one café. This year the members choose the season.',
  picture: {
    file: 'polls/images/lake.jpg',
    width: 1280,
    height: 720,
    alt: 'A still mountain lake at sunset, with a wooden jetty in front and a lit hut on the far shore.',
    caption: 'The lake from the old jetty, where the walk begins & ends',
  },
  choices: [
    { slug: 'spring', title: 'Spring', note: 'Cold water, loud birds.', votes: 12 },
    { slug: 'summer', title: 'Summer', note: 'Long evenings, and a swim.', votes: 31 },
    { slug: 'autumn', title: 'Autumn', note: 'Red woods, quiet paths.', votes: 27 },
    { slug: 'winter', title: 'Winter', note: "Snow, if we're lucky.", votes: 9 },
  ].map((choice) => ({ ...choice, icon: `polls/seasons/${choice.slug}.svg` })),
};

export const comments = [
  {
    name: 'Ada Marsh',
    picture: 'avatars/ada.jpg', // she has uploaded one
    text: 'Autumn, please: it\'s the only time when "the quiet side" is quiet.',
  },
  {
    name: 'Tom O’Neill',
    text: 'Summer. The café is open & the water is warmer than it looks.',
  },
];
