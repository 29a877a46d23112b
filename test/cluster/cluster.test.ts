import { after, before } from 'node:test';
import { down, skip, up } from './cluster.ts';
import { tellNode } from './node-story.ts';
import { tellPackage } from './package-story.ts';
import { clearRenderings, prepareRenderings, tellRenderings } from './renderings.ts';
import { tellReport } from './report-story.ts';

const node = tellEverything();

/** Everything on one real cluster, which is up for this file alone: docker's networks share the kernel's rules with it. */
before(async () => {
  if (skip !== false) return;
  up();
  await prepareRenderings();
  await node.start();
});

after(async () => {
  if (skip !== false) return;
  await clearRenderings();
  await node.end();
  down();
});

function tellEverything() {
  tellRenderings();
  tellPackage();
  const told = tellNode();
  tellReport();
  return told;
}
