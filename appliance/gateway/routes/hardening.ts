import { evidencedFirst } from '../evidenced.ts';
import type { GatewayServer, RouteContext } from '../gateway-server.ts';
import { COUNT_PREFIX, LATER_LISTS, REASON_SEPARATOR } from '../hardening-notes.ts';
import {
  HardeningOverview,
  HardeningReportNote,
  LoggedWaivers,
  OnRecord,
  RecordedReport,
  ScheduleNote,
  WaiverNote,
} from '../hardening-schemas.ts';
import { describeOperation } from '../openapi.ts';
import { getWaiver, loggedWaivers, requireWaivable } from '../waivers.ts';

const overview = describeOperation({
  id: 'getHardening',
  tag: 'hardening',
  summary: 'What is on record of hardening reports; the reports themselves lie with their maker',
  guard: { scope: 'node:read' },
  response: { 200: HardeningOverview },
});
const report = describeOperation({
  id: 'recordHardeningReport',
  tag: 'hardening',
  summary: 'Put a hardening report on record',
  description:
    'Its digest becomes a leaf of the audit log. Checks that held in an earlier report of the same profile and fail in this one have drifted: an alarm in the status and the metrics until they hold again or are waived.',
  guard: { scope: 'admin' },
  body: HardeningReportNote,
  response: { 200: RecordedReport },
});
const waivers = describeOperation({
  id: 'listHardeningWaivers',
  tag: 'hardening',
  summary: 'What is waived, as the audit log states it',
  description: 'A waiver ends with its last day, when it is removed, or with a report in which its check holds again.',
  guard: { scope: 'node:read' },
  response: { 200: LoggedWaivers },
});
const waiver = describeOperation({
  id: 'recordHardeningWaiver',
  tag: 'hardening',
  summary: 'Put on record that a failing check is waived, or not any more',
  description: 'Only what the newest report of a profile says to fail can be waived, for a year at most.',
  guard: { scope: 'admin' },
  body: WaiverNote,
  response: { 200: OnRecord },
});
const schedule = describeOperation({
  id: 'setHardeningSchedule',
  tag: 'hardening',
  summary: 'Say how often a report is to come; the node raises the alarm when none does',
  guard: { scope: 'admin' },
  body: ScheduleNote,
  response: { 200: OnRecord },
});

/** Evidence first: nothing is remembered here that the audit log does not hold. */
export function addHardeningRoutes(server: GatewayServer, context: RouteContext): void {
  const { deps, hardening, exclusive } = context;
  const { now } = deps;

  server.get('/v1/hardening', overview, async () => hardening.overview());

  server.post('/v1/hardening/reports', report, (request) =>
    exclusive.run('hardening report', async () => {
      const note = request.body as HardeningReportNote;
      const drifted = await hardening.drift(note);
      const outcome = note.failed.length === 0 && note.unseen.length === 0 ? 'success' : 'failure';
      const detail = reportDetail(note, drifted);
      const event = { type: 'hardening.report', outcome, context: request.access, detail } as const;
      const { result } = await evidencedFirst(context, event, async (auditLeaf) => {
        const recorded = { ...note, at: new Date(now()).toISOString(), auditLeaf, drifted };
        await hardening.record(recorded);
        return recorded;
      });
      return result;
    }),
  );

  server.get('/v1/hardening/waivers', waivers, async () => ({ waivers: await loggedWaivers(deps.audit) }));

  server.post('/v1/hardening/waivers', waiver, (request) =>
    exclusive.run('hardening waiver', async () => {
      const { change, ...note } = request.body as WaiverNote;
      const by = request.access.actor.subject;
      const event = { outcome: 'success', context: request.access } as const;
      if (change === 'removed') {
        await getWaiver(deps.audit, note.check);
        const { index } = await deps.audit.append({ ...event, type: 'hardening.unwaive', detail: { ...note, by } });
        return { auditLeaf: index };
      }
      const { profile, auditLeaf } = requireWaivable(note, {
        reports: (await hardening.overview()).reports,
        now: now(),
      });
      const detail = { ...note, by, profile, report: auditLeaf };
      const { index } = await deps.audit.append({ ...event, type: 'hardening.waive', detail });
      return { auditLeaf: index };
    }),
  );

  server.put('/v1/hardening/schedule', schedule, (request) =>
    exclusive.run('hardening schedule', async () => {
      const note = request.body as ScheduleNote;
      await hardening.hold();
      const detail = { profile: note.profile, everySeconds: note.everySeconds ?? 'off' };
      const event = { type: 'hardening.schedule', outcome: 'success', context: request.access, detail } as const;
      const { auditLeaf } = await evidencedFirst(context, event, () => hardening.schedule(note));
      return { auditLeaf };
    }),
  );
}

function reportDetail(note: HardeningReportNote, drifted: readonly string[]): Record<string, string | number> {
  const { digest, file, signer, collectedAt, profile, threshold, score, counts, failed, unseen, fitness } = note;
  return {
    digest,
    ...(file !== undefined && { fileFormat: file.format, fileDigest: file.digest }),
    ...(signer !== undefined && { signer }),
    ...{ collectedAt, profile, threshold, score },
    ...Object.fromEntries(Object.entries(counts).map(([verdict, count]) => [`${COUNT_PREFIX}${verdict}`, count])),
    ...(fitness !== undefined && { fit: fitness.fit ? 'yes' : 'no', reasons: fitness.reasons.join(REASON_SEPARATOR) }),
    ...{ failed: failed.join(' '), unseen: unseen.join(' '), drifted: drifted.join(' ') },
    ...Object.fromEntries(
      LATER_LISTS.flatMap((name) => (note[name] === undefined ? [] : [[name, note[name].join(' ')]])),
    ),
  };
}
