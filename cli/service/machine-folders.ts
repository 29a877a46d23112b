/** Where what starts services of the machine reads them from. */
export interface MachineFolders {
  readonly units: string;
  readonly scripts: string;
}

export const MACHINE_FOLDERS: MachineFolders = { units: '/etc/systemd/system', scripts: '/etc/init.d' };
