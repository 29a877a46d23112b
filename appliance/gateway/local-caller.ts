/** Whom the token of this machine's own command line is made for. */
export const LOCAL_CALLER = { subject: 'cli', name: 'the command line of this machine' } as const;
