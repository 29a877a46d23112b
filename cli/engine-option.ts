import { Option } from 'commander';

export function engineOption(): Option {
  return new Option(
    '--engine <socket>',
    'Docker or Podman, by the path of its socket or as in DOCKER_HOST (default: DOCKER_HOST, else /var/run/docker.sock)',
  );
}
