import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { after, describe, test } from 'node:test';
import { addressesOf } from '../../cli/init-wizard.ts';
import { hasPseudoTerminals, PersonAtTerminal } from '../e2e/pseudo-terminal.ts';
import { Workplace } from '../e2e/workplace.ts';

const ENTER = '\r';
const DOWN = '\x1b[B';
const skip = hasPseudoTerminals ? false : 'no script(1) of util-linux here';
const workplace = new Workplace();
after(() => workplace.remove());

describe('the questions of init, at a terminal', { skip }, () => {
  async function answer(person: PersonAtTerminal, question: string, keys: string): Promise<void> {
    assert.ok(await person.sees(question), person.shown());
    person.type(keys);
  }

  test('asks who reaches the API, and leaves nothing when the last question is not answered', async () => {
    const home = workplace.path('asked');
    const person = new PersonAtTerminal(workplace, ['init', '--home', home, '--target', 'process']);
    await answer(person, 'Which network does the node join?', ENTER);
    await answer(person, 'What opens the node when it starts?', ENTER);
    const [first] = addressesOf(networkInterfaces());
    if (first !== undefined) {
      await answer(person, 'Who reaches the HTTPS API?', DOWN + ENTER);
      await answer(person, 'Name under which they know this machine', `not a name${ENTER}`);
      assert.ok(await person.sees('letters, digits, hyphens and dots'), person.shown());
      await answer(person, 'letters, digits, hyphens and dots', `${'\x7f'.repeat(20)}node.clinic.example${ENTER}`);
    }
    await answer(person, 'Does this node store encrypted data of other members?', DOWN + ENTER);
    await answer(person, 'How much of the disk', `much${ENTER}`);
    assert.ok(await person.sees('a size such as'), person.shown());
    await answer(person, 'a size such as', `${'\x7f'.repeat(10)}2GiB${ENTER}`);
    await answer(person, 'Port of the HTTPS API', '\x03');
    assert.equal(await person.ends(), 130, person.shown());
    assert.equal(existsSync(home), false);
  });

  test('says at once that a file is no descriptor', async () => {
    writeFileSync(workplace.path('notes.txt'), 'not a descriptor');
    const person = new PersonAtTerminal(workplace, ['init', '--home', workplace.path('none'), '--target', 'process']);
    await answer(person, 'Which network does the node join?', DOWN + ENTER);
    await answer(person, 'Path of the descriptor', `nowhere.json${ENTER}`);
    assert.ok(await person.sees('there is no file that can be read'), person.shown());
    person.type(`${'\x7f'.repeat(20)}notes.txt${ENTER}`);
    assert.ok(await person.sees('network descriptor'), person.shown());
    person.pressCtrlC();
    assert.equal(await person.ends(), 130, person.shown());
  });
});
