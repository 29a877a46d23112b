import { Option } from 'commander';

export interface ReleaseKeyOptions {
  readonly releaseKey?: string;
  readonly unsigned?: boolean;
}

export function releaseKeyOptions(): Option[] {
  return [
    new Option(
      '--release-key <file>',
      'take releases by this public key alone (default: the keys that come with the program)',
    ),
    new Option('--unsigned', 'take what nobody signed: what you built yourself').conflicts('releaseKey'),
  ];
}
