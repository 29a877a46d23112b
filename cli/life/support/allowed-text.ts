import { constants } from 'node:os';
import { ERRORS } from '../../../protocol/errors.ts';

/**
 * What may leave the machine in a support bundle. An allow-list: a value goes in because it is known to be harmless, never because
 * nothing was found against it.
 */
const VERSION = /^v?\d{1,4}\.\d{1,4}(\.\d{1,6})?$/;
const KEK = /^kek\/\d{1,7}$/;
/** Numbers with units, as the tables of `doctor` and `status` show them. */
const QUANTITY =
  /^(\d+(\.\d+)?\s?(%|ms|s|m|h|d|B|KiB|MiB|GiB|TiB|days?|hours?|minutes?|seconds?|blocks?|records?|restarts?|running|free|old|ago|pending)?)$/;

/** Words of ours that may stand beside the numbers in a check. */
const WORDS = new Set(
  'a about ago b d gib h kib mib min ms s tib and api are as at bad behind block blocks certificate cgroups clock configured docker expired for free from future good healthy in is l1 locked mode never node none not of old on overlay2 pending podman poor ready records restart restarts running safe starting stopped than the this unhealthy up valid version yet'.split(
    ' ',
  ),
);

/** An error code, a version, the name of a key-encryption key, or a number with a unit. */
export function isHarmlessValue(text: string): boolean {
  return isErrorCode(text) || (text.length <= 64 && (VERSION.test(text) || KEK.test(text) || QUANTITY.test(text)));
}

/** Of our registry, or of the operating system. */
function isErrorCode(text: string): boolean {
  return Object.hasOwn(ERRORS, text) || Object.hasOwn(constants.errno, text);
}

/** Keeps the words and numbers that are known, and puts `*` in the place of every other word. */
export function keepKnownWords(text: string): string {
  return text
    .slice(0, 400)
    .split(/[\s,;:()]+/)
    .filter((word) => word !== '')
    .map((word) => (WORDS.has(word.toLowerCase()) || isHarmlessValue(word) ? word : '*'))
    .join(' ')
    .replaceAll(/\*( \*)+/g, '*');
}
