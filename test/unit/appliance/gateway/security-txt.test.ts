import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { securityText } from '../../../../appliance/gateway/routes/security-txt.ts';
import { assertProblem, type Harness, startHarness } from './harness.ts';

const PATH = '/.well-known/security.txt';
const CONTACTS = ['mailto:security@clinic.example', 'https://clinic.example/report'];
const DAY_MS = 24 * 3_600_000;

describe('security.txt (RFC 9116)', () => {
  let h: Harness | undefined;
  afterEach(async () => {
    await h?.stop();
    h = undefined;
  });

  it('is served without a token, locked too, with the contacts in their order and the end', async () => {
    h = await startHarness({ securityContacts: CONTACTS, securityExpires: '9999-12-31' });
    h.node.state = 'locked';
    const answer = await h.call('GET', PATH);
    assert.equal(answer.status, 200);
    assert.match(String(answer.headers['content-type']), /^text\/plain; *charset=utf-8$/i);
    assert.equal(
      answer.bytes.toString(),
      `Contact: ${CONTACTS[0]}\r\nContact: ${CONTACTS[1]}\r\nExpires: 9999-12-31T00:00:00Z\r\n`,
    );
  });

  it('is not there where no contact is named', async () => {
    h = await startHarness();
    assertProblem(await h.call('GET', PATH), 404, 'GATEWAY_ROUTE_ABSENT');
  });

  it('ends on its day: before it is served, from then on it is not', () => {
    const config = { securityContacts: CONTACTS, securityExpires: '2027-06-30' };
    const end = Date.parse('2027-06-30T00:00:00Z');
    assert.match(securityText(config, end - 1) ?? '', /^Expires: 2027-06-30T00:00:00Z\r$/m);
    assert.equal(securityText(config, end), undefined);
    assert.equal(securityText(config, end + DAY_MS), undefined);
  });

  it('is not served without an end, or with a day that there is not', () => {
    for (const securityExpires of ['', '2027-13-45'])
      assert.equal(securityText({ securityContacts: CONTACTS, securityExpires }, 0), undefined);
  });
});
