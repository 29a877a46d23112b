import type { TestEvent } from 'node:test/reporters';

/** A node:test reporter: the closing counts, every failure in full, and each skip with its reason (a failure when CI=true). */
export default async function* summary(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const skipped: string[] = [];
  /** What a file wrote before it could not even be loaded: the runner gives no other reason. */
  const complaints = new Map<string, string>();
  let passed = 0;
  let failed = 0;
  for await (const event of source) {
    if (event.type === 'test:stderr') {
      complaints.set(event.data.file, (complaints.get(event.data.file) ?? '') + event.data.message);
    }
    if (event.type === 'test:pass') {
      if (event.data.skip !== undefined && event.data.skip !== false) {
        skipped.push(`${event.data.name}: ${event.data.skip === true ? 'no reason given' : event.data.skip}`);
      } else if (event.data.details.type !== 'suite') passed += 1;
    }
    if (event.type === 'test:fail') {
      failed += 1;
      const { cause } = event.data.details.error;
      const reason = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
      yield `\nFAILED ${event.data.file ?? ''} ${event.data.name}\n${reason}\n${complaints.get(event.data.file ?? '') ?? ''}`;
    }
  }
  for (const line of skipped) yield `\nskipped ${line}`;
  yield `\n${passed} passed, ${failed} failed, ${skipped.length} skipped\n`;
  if (process.env.CI === 'true' && skipped.length > 0) {
    yield 'CI=true: nothing may skip\n';
    process.exitCode = 1;
  }
}
