import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { npmPackagesOf } from '../../../images/npm-packages.ts';
import { ROLES } from '../../../images/role-specs.ts';
import { npmPurl } from '../../../images/sbom.ts';
import { assembled, membersOf } from './assembled.ts';

const skip = process.platform === 'linux' ? false : 'images are assembled on Linux';

interface Bom {
  readonly metadata: { readonly component: { readonly 'bom-ref': string } };
  readonly components: readonly {
    readonly 'bom-ref': string;
    readonly name: string;
    readonly licenses: readonly object[];
  }[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

/** OWASP's own schemas, as they ship in their JavaScript library. */
function schemaCheck() {
  const folder = join(
    dirname(createRequire(import.meta.url).resolve('@cyclonedx/cyclonedx-library/package.json')),
    'res/schema',
  );
  const read = (name: string): object => JSON.parse(readFileSync(join(folder, name), 'utf8')) as object;
  // The schema says "meta:enum" and the like, which strict mode does not know.
  const ajv = new Ajv({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addFormat('idn-email', /^[^\s@]+@[^\s@]+$/);
  ajv.addFormat('iri-reference', /^\S*$/);
  for (const name of ['spdx', 'jsf-0.82', 'cryptography-defs']) {
    const file = `${name}.SNAPSHOT.schema.json`;
    ajv.addSchema(read(file), `http://cyclonedx.org/schema/${file}`);
  }
  return ajv.compile(read('bom-1.6.SNAPSHOT.schema.json'));
}

describe('the bills of materials', { skip }, () => {
  const validate = schemaCheck();

  for (const role of ROLES) {
    const bom = async () => {
      const found = (await assembled()).roles.find((built) => built.role === role);
      assert.ok(found);
      return { ...found, bom: JSON.parse(Buffer.from(found.sbom).toString('utf8')) as Bom };
    };

    test(`${role}: keeps to CycloneDX 1.6`, async () => {
      const { bom: found } = await bom();
      assert.ok(validate(found), JSON.stringify(validate.errors));
      const wrong = { ...found, components: [{ ...found.components[0], type: 'nonsense' }] };
      assert.equal(validate(wrong), false);
    });

    test(`${role}: names every package of the bundle, node and the base's packages, each with a licence`, async () => {
      const { bom: found, bundle } = await bom();
      const refs = found.components.map((component) => component['bom-ref']);
      assert.equal(new Set(refs).size, refs.length);
      for (const item of npmPackagesOf(bundle).packages) assert.ok(refs.includes(npmPurl(item)), item.name);
      for (const { name, version } of (await assembled()).inputs.debian.packages) {
        const start = `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?`;
        assert.ok(
          refs.some((ref) => ref.startsWith(start)),
          name,
        );
      }
      assert.ok(found.components.some(({ name }) => name === 'node'));
      assert.ok(found.components.every(({ licenses }) => licenses.length > 0));
      assert.ok(!JSON.stringify(found.components).includes('NOASSERTION'));
    });

    test(`${role}: every component is reached from the image, and every reference exists`, async () => {
      const { bom: found } = await bom();
      const uses = new Map(found.dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
      const reached = new Set<string>();
      const visit = (ref: string): void => {
        if (reached.has(ref)) return;
        reached.add(ref);
        for (const next of uses.get(ref) ?? []) visit(next);
      };
      visit(found.metadata.component['bom-ref']);
      const refs = [found.metadata.component['bom-ref'], ...found.components.map((component) => component['bom-ref'])];
      assert.deepEqual([...reached].sort(), [...refs].sort());
    });

    test(`${role}: is in the image`, async () => {
      const { image, sbom } = await bom();
      const member = membersOf(image).find(({ path }) => path === `sbom/nectar-byon-${role}.cdx.json`);
      assert.deepEqual(Buffer.from(member?.content ?? []), Buffer.from(sbom));
    });
  }
});
