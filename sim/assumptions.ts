/** What the simulated world is like: days and years. Nothing here is a rule of the product. */
export const ASSUMPTIONS = {
  /** Life of a holder: Weibull, 18 months in the mean; a shape above 1 ages. */
  lifeDays: 548,
  lifeShape: 1.3,
  /** Of those that end, this part gives notice and hands over; the others vanish. */
  gracefulPart: 0.5,
  /** Outages of one holder: log-normal hours. */
  outagesPerYear: 2,
  outageHours: 4,
  outageSigma: 1.2,
  siteFailuresPerYear: 0.05,
  siteHours: 24,
  /** Of the failures of a site, this part destroys what it holds. */
  siteLossPart: 0.02,
  systemFailuresPerYear: 0.1,
  systemHours: 12,
  failureSigma: 1,
  /** Holders that throw shards away, a third each all, 5 % and 1 % of them. */
  liarPart: 0.05,
  /** Holders under one hand that pass for strangers, and vanish in one hour. */
  colluderPart: 0.01,
  /** Ejected at one moment. */
  ejectedPart: 0.03,
  /** Prices that rise threefold at one moment, past what owners pay; a tenth of these holders leaves with notice. */
  shockPart: 0.2,
  shockLeavePart: 0.1,
  nodesPerOperator: 1.5,
  nodesPerSystem: 25,
  countries: ['CH', 'DE', 'FR', 'AT', 'IT', 'NL', 'SE', 'US'],
  /** Bytes that repair may move in a day, of those stored. */
  repairPartPerDay: 0.02,
  /** Days from a suspension to the ejection of who does not cure it: notice, cure, vote. */
  dueProcessDays: 14,
} as const;

/** When what happens once happens, as part of the whole time. */
export const MOMENTS = { ejection: 0.4, shock: 0.5, collusion: 0.6 } as const;
