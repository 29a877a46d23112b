import { EXIT } from '../../appliance/exit-code.ts';
import type { CLI_ERRORS } from '../../protocol/errors/cli.ts';
import type { Guidance } from './guidance.ts';

export const CLI_GUIDANCE: Record<keyof typeof CLI_ERRORS, Guidance> = {
  CLI_USAGE: {
    exit: EXIT.usage,
    remedy: 'Run the command with `--help`: it lists every argument and option, with examples.',
  },
  CLI_INTERNAL: {
    exit: EXIT.bug,
    remedy: 'A bug: run the command again with NECTAR_DEBUG=1, which shows where it happened, and report that.',
  },
  CLI_INTERRUPTED: {
    exit: EXIT.interrupted,
    remedy: 'Nothing is left half done but what is named here: run the command again when you want to.',
  },
  CLI_SERVICE_REFUSED: {
    exit: EXIT.config,
    remedy:
      'Put right what it says, or name another with `nectar-byon service install --by crontab`; `nectar-byon service show` tells what would start the node.',
  },
  CLI_DECLINED: {
    exit: EXIT.usage,
    remedy: 'Nothing was changed. Answer the question, or pass `--yes` where no one can be asked.',
  },
  CLI_HOME_MISSING: {
    exit: EXIT.usage,
    remedy: 'Make one with `nectar-byon init`, or name its folder with `--home DIR` or NECTAR_HOME.',
  },
  CLI_HOME_EXISTS: {
    exit: EXIT.usage,
    remedy:
      'Start that node with `nectar-byon up`, or choose an empty folder with `--home DIR`. Nothing was overwritten.',
  },
  CLI_HOME_UNWRITABLE: {
    exit: EXIT.config,
    remedy: 'Choose a folder that you own with `--home DIR`, or have its owner grant you write permission.',
  },
  CLI_PREFLIGHT_REFUSED: {
    exit: EXIT.config,
    remedy: 'Put right what the preflight table marks as a failure, then run `nectar-byon init` again.',
  },
  CLI_ENGINE_UNREACHABLE: {
    exit: EXIT.unreachable,
    remedy:
      'Start Docker or Podman, be in its group or run with sudo, or name its socket with `--engine PATH` or DOCKER_HOST.',
  },
  CLI_ENGINE_TOO_OLD: {
    exit: EXIT.config,
    remedy: 'Install Docker Engine 20.10 or newer, or Podman 4 or newer.',
  },
  CLI_ENGINE_REFUSED: {
    exit: EXIT.config,
    remedy: 'The engine gives its reason. Put that right and run the command again: it goes on where it stopped.',
  },
  CLI_ENGINE_PORT_TAKEN: {
    exit: EXIT.config,
    remedy:
      'Stop what listens there, or choose another port: at `init` with `--port` or `--p2p-port`, of a node that is there with `nectar-byon config set gateway.port 9443` (or `p2p.listenPort`) and `up`.',
  },
  CLI_ENGINE_NAME_TAKEN: {
    exit: EXIT.config,
    remedy: 'It was not touched. Remove or rename it yourself if it is yours, then run the command again.',
  },
  CLI_IMAGE_MISSING: {
    exit: EXIT.config,
    remedy:
      'Assemble the images with `node scripts/images.ts build`, or load them from a file with `nectar-byon bundle load FILE`.',
  },
  CLI_CONTAINER_ENDED: {
    exit: EXIT.config,
    remedy: 'The last lines of `nectar-byon logs` hold the whole story. Nothing stored was lost.',
  },
  CLI_TARGET_FILE_INVALID: {
    exit: EXIT.config,
    remedy: 'Restore the file from a backup, or correct what it says; `nectar-byon up` then converges to it.',
  },
  CLI_CROSSINGS_FOLDER_INVALID: {
    exit: EXIT.config,
    remedy:
      'Name the folder that `crossings issue` made for this node, or a new one; with `--emit`, the one of `init --emit` (`tls renew --emit` makes what it lacks). The authority is ca/authority.pem in it: its certificate and its key.',
  },
  CLI_SECRET_FILE_INVALID: {
    exit: EXIT.usage,
    remedy:
      'Nothing was written. Sealed identities of a node in a cluster are in secrets/11-identity.yaml of the folder that `init --emit` made; from the cluster, name with `--identity FILE` what `kubectl -n NAMESPACE get secret NAME -o yaml` prints of the Secret that `identity.existingSecret` names.',
  },
  CLI_KEY_FILE_OWNER: {
    exit: EXIT.key,
    remedy: 'Put it on a file system with owners, or mount that one with this uid and a umask of 0077.',
  },
  CLI_NODE_STOPPED: {
    exit: EXIT.unreachable,
    remedy: 'Start it with `nectar-byon up`.',
  },
  CLI_NODE_UNREACHABLE: {
    exit: EXIT.unreachable,
    remedy: '`nectar-byon logs` shows what it is doing; `nectar-byon down` and `up` start it afresh.',
  },
  CLI_NODE_START_FAILED: {
    exit: EXIT.config,
    remedy: 'The last lines of `nectar-byon logs` hold the whole story. Nothing stored was lost.',
  },
  CLI_NODE_START_TIMEOUT: {
    exit: EXIT.unreachable,
    remedy: 'It keeps on trying in the background: see `nectar-byon status` and `nectar-byon logs`.',
  },
  CLI_NODE_STOP_FAILED: {
    exit: EXIT.unreachable,
    remedy: 'Look at the process; it may hang on a disk that does not answer.',
  },
  CLI_TOKEN_UNREADABLE: {
    exit: EXIT.key,
    remedy:
      'Run as the user that made the node. A token that is gone is made again by `nectar-byon down` and `nectar-byon up`; every backup has the certificate of the authority.',
  },
  CLI_GATEWAY_PROBLEM: {
    exit: EXIT.unreachable,
    remedy: 'The node runs another version than this command, or something else answers on its port.',
  },
  CLI_GATEWAY_ANSWER_INVALID: {
    exit: EXIT.unreachable,
    remedy: 'The node runs another version than this command, or something else answers on its port.',
  },
  CLI_FILE_UNREADABLE: {
    exit: EXIT.usage,
    remedy: 'Check the path and its permissions.',
  },
  CLI_DISK_REFUSED: {
    exit: EXIT.config,
    remedy:
      'Its disk is mounted read-only or fails (`findmnt -T FILE`, `dmesg`), or the file is not yours. Run the command again once it can be written: nothing that was stored is lost.',
  },
  CLI_FILE_CHANGED: {
    exit: EXIT.usage,
    remedy: 'Nothing of it was stored. Put the file again when nothing writes to it.',
  },
  CLI_INPUT_EMPTY: {
    exit: EXIT.checksFailed,
    remedy:
      'Nothing was stored. Look at what should have written there; an empty record is stored with `--allow-empty`.',
  },
  CLI_COMMAND_FAILED: {
    exit: EXIT.checksFailed,
    remedy: 'Nothing was stored. Run the command by itself, correct what it reports, then put again.',
  },
  CLI_PUT_INCOMPLETE: {
    exit: EXIT.checksFailed,
    remedy:
      'The other files are stored. Put right what the lines above say and run the same command again: it stores only what is missing.',
  },
  CLI_OUTPUT_EXISTS: {
    exit: EXIT.usage,
    remedy: 'Choose another name, or overwrite it with `--force`.',
  },
  CLI_OUTPUT_UNWRITABLE: {
    exit: EXIT.usage,
    remedy: 'Choose a place that exists and that you may write to.',
  },
  CLI_TRANSFER_TRUNCATED: {
    exit: EXIT.checksFailed,
    remedy:
      'Nothing was written. The node stops where bytes do not authenticate: see `nectar-byon logs`, then try again.',
  },
  CLI_RECORD_UNKNOWN: {
    exit: EXIT.usage,
    remedy:
      'See `nectar-byon ls --all`. A record that was destroyed is in no list; `nectar-byon audit query --record` finds what happened to it.',
  },
  CLI_RECORD_AMBIGUOUS: {
    exit: EXIT.usage,
    remedy: 'Nothing was done. Give more digits.',
  },
  CLI_RECORD_CHANGED: {
    exit: EXIT.checksFailed,
    remedy: 'Nothing was written. The node was put back to another state meanwhile: run the command again.',
  },
  CLI_DOWNLOAD_DAMAGED: {
    exit: EXIT.checksFailed,
    remedy: 'The file was changed between two runs, and is removed. Run the command again: it begins anew.',
  },
  CLI_PASSPHRASE_MISSING: {
    exit: EXIT.key,
    remedy:
      'Run on a terminal, or name a file that holds it with `--passphrase-file PATH`, or pipe it in (`--passphrase-file -`).',
  },
  CLI_PASSPHRASE_WEAK: {
    exit: EXIT.key,
    remedy: 'Choose a longer one: four or more random words are strong and easy to type.',
  },
  CLI_AUDIT_VIOLATED: {
    exit: EXIT.checksFailed,
    remedy: 'Keep the home and its disk as they are, and compare with an older checkpoint or the anchors on the chain.',
  },
  CLI_DOCTOR_FOUND: {
    exit: EXIT.checksFailed,
    remedy: 'Each line of the table says what to do about it.',
  },
  CLI_DEVNET_MISSING: {
    exit: EXIT.usage,
    remedy:
      'Make and start one with `nectar-byon devnet up`, or name its folder with `--devnet DIR` or NECTAR_DEVNET_HOME.',
  },
  CLI_DEVNET_OUTDATED: {
    exit: EXIT.config,
    remedy:
      'Go on with the program that made it, or make it anew: `nectar-byon devnet destroy`, then `nectar-byon devnet up`. With it go its chain and its test ether, and a node of it needs a new home: `nectar-byon export` what you want to keep first, with the version that made it.',
  },
  CLI_DEVNET_FAILED: {
    exit: EXIT.config,
    remedy:
      'The logs folder of the devnet holds the whole story; `nectar-byon devnet up` tries again and keeps its state.',
  },
  CLI_DEVNET_SILENT: {
    exit: EXIT.unreachable,
    remedy:
      'It hangs, or the machine is overloaded. `nectar-byon devnet down` ends it, by force where it must; `nectar-byon devnet up` starts it again with its state.',
  },
  CLI_DEVNET_PORT_TAKEN: {
    exit: EXIT.config,
    remedy:
      'Stop the other program (where it is not named, `sudo ss -ltnp` does), or move that part of the devnet: `nectar-byon devnet up --port l1=8546` (or `rpc=`, `p2p=`). Nodes of this devnet take the new place at their next `nectar-byon up`.',
  },
  CLI_DEVNET_PEER_UNKNOWN: {
    exit: EXIT.usage,
    remedy: 'List the members with `nectar-byon network peers`.',
  },
  CLI_JOIN_TIMEOUT: {
    exit: EXIT.unreachable,
    remedy:
      'The node runs and serves you all the same. See `nectar-byon network status`; `nectar-byon network join` tries again.',
  },
  CLI_INSTALL_NPM_MISSING: {
    exit: EXIT.config,
    remedy: 'Install npm (it comes with Node.js), then run this again.',
  },
  CLI_INSTALL_OFFLINE: {
    exit: EXIT.unreachable,
    remedy: 'Connect this machine to the network, or set a proxy or mirror with `npm config set`, then run this again.',
  },
  CLI_INSTALL_FAILED: {
    exit: EXIT.config,
    remedy: 'Read what npm says; nothing was started. Run this again to retry.',
  },
  CLI_INSTALL_BROKEN: {
    exit: EXIT.config,
    remedy: 'Check that you may write to the clone, then run this again; or clone it again.',
  },
  CLI_RUNTIME_MISSING: {
    exit: EXIT.config,
    remedy: 'Install Node.js 24.7 or newer and put it first in the PATH.',
  },
};
