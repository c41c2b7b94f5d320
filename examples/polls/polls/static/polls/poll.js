import { sharesOf, totalOf } from './votes.js';

// Votes are counted on the page alone, and gone when it is loaded again.
const form = document.querySelector('.poll form');
const button = form.querySelector('button');
const status = form.querySelector('[role="status"]');
const choices = [...form.querySelectorAll('.choice')];
const votes = choices.map((choice) => Number(choice.querySelector('.votes').textContent));

function show() {
  const shares = sharesOf(votes);
  choices.forEach((choice, index) => {
    choice.querySelector('.votes').textContent = votes[index];
    choice.style.setProperty('--share', shares[index]);
  });
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  const chosen = choices.findIndex((choice) => choice.querySelector('input').checked);
  votes[chosen] += 1;
  show();
  form.querySelector('fieldset').disabled = true;
  button.disabled = true;
  const season = choices[chosen].querySelector('strong').textContent;
  status.textContent = `Thank you: ${season} has ${votes[chosen]} of ${totalOf(votes)} votes.`;
});

show();
button.disabled = false;
