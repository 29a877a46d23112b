/** Something that happens; what happens between two looks is not missed. */
export interface Signal {
  raise(): void;
  raised(): Promise<void>;
}

export function createSignal(): Signal {
  let isRaised = false;
  let wake = (): void => undefined;
  return {
    raise() {
      isRaised = true;
      wake();
    },
    async raised() {
      if (!isRaised) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      isRaised = false;
    },
  };
}
